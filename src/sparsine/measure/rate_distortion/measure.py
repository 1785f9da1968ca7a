"""From signals to the record: every signal through every codec."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from torch import Tensor

from sparsine.codec.code_statistics import GroupAllocation, bit_allocation
from sparsine.errors import WorkFailed
from sparsine.measure.rate_distortion.codecs.half_floats import measure_half_floats
from sparsine.measure.rate_distortion.codecs.ours import Coded, OurCodec
from sparsine.measure.rate_distortion.codecs.pillow_codecs import PillowCodec, codecs
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.records import KIND, VERSION, add, versions
from sparsine.measure.rate_distortion.signals import OriginalPicture, read_batches
from sparsine.measure.records import head
from sparsine.signals.dataset import SignalSet
from sparsine.starts.start import Start

OnProgress = Callable[[int, str], None]
"""Told (signals done, name of the last one)."""
Sizes = dict[tuple[str, str], dict[int, int]]
"""Bytes by quality, of a signal's files of a codec."""
CodedVector = tuple[bytes, Tensor, tuple[int, ...]]
"""A code, the vector before rounding, rows and columns."""


@dataclass(frozen=True)
class NamedStart:
    """A calibrated start and what is said of it."""

    name: str
    start: Start
    file_bytes: int
    """Of its file: what a decoder must have once for all codes."""

    def to_dict(self) -> dict[str, Any]:
        start, info = self.start, self.start.info
        return {"name": self.name, "file_bytes": self.file_bytes, "weights": start.pattern.num_weights,
                "biases": start.pattern.num_biases, "density": start.pattern.density, "digest": start.digest,
                "field": start.field.to_dict(), "grid": start.domain.to_dict(),
                "learned_on": info.get("data"), "round": info.get("round"), "outer_steps": info.get("steps"),
                "calibration": info.get("calibration")}  # fmt: skip


@dataclass(frozen=True)
class Collection:
    """What is compressed."""

    label: str
    spec: str
    """Where it comes from, without folders of one's own."""
    description: str
    signals: SignalSet
    count: int
    """How many, from the front."""


def measure_rate_distortion(
    starts: Sequence[NamedStart],
    collection: Collection,
    config: RateDistortionConfig,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Every codec on every signal. Seconds are wall time on this machine; a signal of a batch counts for its share.

    Raises:
        BadInput: signals that are not RGB pictures, or a start that cannot draw them or was never calibrated.
        WorkFailed: not one signal could be read.
    """
    ours = [OurCodec(named.start, config) for named in starts]
    others = {name: codec for name, codec in codecs().items() if getattr(config, name)}  # there, and not left out
    record = _record(starts, collection, config)
    told: list[list[CodedVector]] = [[] for _ in starts]
    for batch in read_batches(collection.signals, collection.count, config.fit.together(), record["unreadable"]):
        sizes: Sizes = {(o.name, name): {} for o in batch for name in others}
        record["signals"] += [{"input": o.name, "shape": list(o.picture.shape[:2])} for o in batch]
        for number, codec in enumerate(ours):
            for quality, coded in codec.measure([o.picture for o in batch]).items():
                _add_ours(record, number, quality, batch, coded, others, sizes)
                if quality == _told_quality(config):
                    told[number] += [
                        (c.data, c.theta, o.picture.shape[:2]) for c, o in zip(coded, batch, strict=True) if c.data
                    ]
        _add_half_floats(record, batch, config)
        for original in batch:
            _add_pillow(record, original, config, others)
            if on_progress:
                on_progress(original.index + 1, original.name)
    if not record["signals"]:
        raise WorkFailed("not one signal could be read: " + next(iter(record["unreadable"].values()), "there is none"))
    for entry, codec, codes in zip(record["starts"], ours, told, strict=True):
        entry["spending"] = _spending(codec, codes[: config.spending_signals], _told_quality(config))
    return record


def _record(starts: Sequence[NamedStart], collection: Collection, config: RateDistortionConfig) -> dict[str, Any]:
    found, fit = head(KIND, VERSION), config.fit.by(starts[0].start.plans)
    config = replace(config, fit=replace(fit, optimizer=fit.chosen))
    return {
        **found, "versions": found["versions"] | versions(),
        "data": {"label": collection.label, "spec": collection.spec, "description": collection.description},
        "config": asdict(config), "starts": [named.to_dict() for named in starts], "signals": [], "unreadable": {},
        "rows": [],
    }  # fmt: skip


def _told_quality(config: RateDistortionConfig) -> int:
    """Bits are told apart at the default quality, or the nearest to it that is measured."""
    return min(config.qualities, key=lambda quality: abs(quality - 80))


def _add_ours(
    record: dict[str, Any], start: int, quality: int, batch: list[OriginalPicture], coded: list[Coded],
    others: dict[str, PillowCodec], sizes: Sizes,
) -> None:  # fmt: skip
    """The codes, and the best that others make of as many bytes."""
    for original, code in zip(batch, coded, strict=True):
        at = {"codec": "sparsine", "start": start, "quality": quality}
        add(record, at, code.measured, fitted_psnr_db=code.fitted_psnr_db)
        for name, codec in others.items():
            known = sizes[original.name, name]
            best = codec.best_within(original.picture, code.measured.num_bytes, known) if code.measured else None
            made = None if best is None else codec.measure(original.picture, best)
            add(record, {"codec": name, "start": start, "beside_quality": quality}, made)


def _add_half_floats(record: dict[str, Any], batch: list[OriginalPicture], config: RateDistortionConfig) -> None:
    for width in config.coin_widths if config.coin_steps else ():
        for steps, found in measure_half_floats([o.picture for o in batch], width, config).items():
            for made in found:
                add(record, {"codec": "coin", "width": width, "steps": steps}, made)


def _add_pillow(
    record: dict[str, Any], original: OriginalPicture, config: RateDistortionConfig, others: dict[str, PillowCodec]
) -> None:
    for name, codec in others.items():
        for quality in getattr(config, name):
            add(record, {"codec": name, "quality": quality}, codec.measure(original.picture, quality))


def _spending(codec: OurCodec, codes: list[CodedVector], quality: int) -> dict[str, Any]:
    """Means over codes, group by group, and a row for all that is no number: header, checksum, end of the payload."""
    groups: list[list[GroupAllocation]] = [
        bit_allocation(codec.coder, codec.engine, theta, data, codec.start.domain.resized(shape).coords())
        for data, theta, shape in codes
    ]
    rows = [{"group": same[0].group, "numbers": same[0].parameters, "bits": fmean(s.bits for s in same),
             "entropy_bits": fmean(s.entropy_bits for s in same), "error": fmean(s.added_mse for s in same)}
            for same in zip(*groups, strict=True)]  # fmt: skip
    if codes:
        rest = fmean(8 * len(data) for data, _, _ in codes) - sum(row["bits"] for row in rows)
        rows.append({"group": "header and checksum", "numbers": 0, "bits": rest, "entropy_bits": 0.0, "error": 0.0})
    return {"quality": quality, "signals": len(codes), "rows": rows}

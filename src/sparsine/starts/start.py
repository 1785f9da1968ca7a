"""A start: the shared initialisation of a collection, as a value and as a safetensors file."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.plugins import made_with
from sparsine.signals.domain import Domain, domain_from_dict, shown_shape
from sparsine.signals.kind import VALUES, Kind, kind_from_dict, kind_named
from sparsine.starts.built_in import built_in_named, could_be_a_name, where_is
from sparsine.starts.coding import CODING_VERSION, CodingTables
from sparsine.starts.plan import Plans, plans_from_dict, plans_to_dict
from sparsine.storage import json_value, read_file, write_atomically
from sparsine.version import __version__

FORMAT, FORMAT_VERSION = "sparsine-start", 1
UNSIGNED = "0" * 64  # stands in the header while its checksum is computed


@dataclass(frozen=True)
class Start:
    """One vector, the pattern it lives in, where the samples of its signals lie and what their values are."""

    pattern: Pattern
    theta: Float[Tensor, " params"]
    domain: Domain
    """Of the signals it was learned on; those it draws may have other numbers of samples."""
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What it was learned from and how: data, recipe, round, steps. Plain JSON values."""
    coding: CodingTables | None = None
    """How vectors fitted from it are coded, once `calibrate` has measured that."""
    kind: Kind = VALUES
    """What it draws: how values are shown, measured and written. Plain numbers where nobody says."""
    plans: Plans = dataclasses.field(default_factory=dict)
    """How signals are fitted from it, for each effort that was looked into; empty is the paper's way. No part of its
    identity: codes are drawn alike however they were fitted."""

    def __post_init__(self) -> None:
        if self.theta.shape != (self.pattern.num_params,):
            raise BadInput(
                f"a start with {self.pattern.counts} needs theta of that length, but got {tuple(self.theta.shape)}"
            )
        if self.domain.num_coords != self.field.in_features:
            raise BadInput(
                f"the field takes {self.field.in_features} coordinates but samples of shape {self.domain.shape} "
                f"have {self.domain.num_coords}"
            )
        self.kind.check((*self.domain.shape, self.field.out_features))
        if self.coding is not None and self.coding.centre.shape != self.theta.shape:
            raise BadInput(
                f"coding tables for {self.coding.centre.shape[0]} parameters do not belong to a start with "
                f"{self.pattern.counts}"
            )

    def __repr__(self) -> str:
        where, coded = shown_shape(self.domain.shape), "" if self.coding is None else ", calibrated"
        efforts = f", plans for {', '.join(self.plans)}" if self.plans else ""
        return f"Start({self.pattern.described}, {self.kind.name}, {where}{coded}{efforts})"

    @property
    def field(self) -> MLP:
        return self.pattern.field

    @property
    def split_seed(self) -> int:
        """Of the run that it comes from: chooses held-out signals where a data set has no split of its own.

        Raises:
            BadInput: the file says something that is none.
        """
        config = self.info.get("config")
        seed = config.get("split_seed", 0) if isinstance(config, dict) else 0
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
            raise BadInput(f"the start says it was learned with split_seed {seed!r:.40}, but that is a number from 0")
        return seed

    @property
    def digest(self) -> str:
        """SHA-256 of the numbers and the pattern alone: which start it is, whatever its file says beside them."""
        return checksum({"theta": self.theta, "pattern": self.pattern.to_bits()})


def save_start(path: Path | str, start: Start) -> None:
    """Write a start to `path`, atomically. Raises WorkFailed when the system refuses."""
    write_atomically(Path(path), start_bytes(start))


def start_bytes(start: Start) -> bytes:
    """What `save_start` writes."""
    about = described(start)
    vectors = {"theta": start.theta}
    if start.coding is not None:
        about["coding_version"] = CODING_VERSION
        vectors |= start.coding.to_tensors()
    return vectors_bytes(vectors, start.pattern, about, FORMAT)


def described(start: Start) -> dict[str, Any]:
    """What the header of a file says of a start beside its field."""
    about = {"grid": start.domain.to_dict(), "kind": start.kind.to_dict(), "info": start.info}
    return about | ({"plans": plans_to_dict(start.plans)} if start.plans else {})


def load_start(path: Path | str) -> Start:
    """Read a start from a file, or one that comes with the package by its name (`sparsine starts` lists them).

    Example:
        >>> load_start("photos-2k").pattern.num_weights
        2284

    Raises:
        BadInput: missing, damaged, of another kind or of a later version.
    """
    path = where_is(Path(path))
    if could_be_a_name(path):
        raise BadInput(
            f"there is no start {path} here, and none of that name comes with the package: {built_in_named()}"
        )
    tensors, pattern, about = read_vectors(path, FORMAT)
    with made_with(_loaded_for(about), str(path)):
        try:
            coding = _coding(path, tensors, about)
            info = about["info"]
            if not isinstance(info, dict):
                raise TypeError(f"info is {info!r:.40}, and no object")
            plans = plans_from_dict(about.get("plans", {}))
            domain, kind = domain_from_dict(about["grid"]), kind_of(about)
            start = Start(pattern, tensors["theta"], domain, info, coding, kind, plans)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{path} is not a whole start ({error})") from error
    if not torch.isfinite(start.theta).all():
        raise BadInput(f"{path} holds numbers that are not finite; it cannot be used")
    return start


def _loaded_for(about: dict[str, Any]) -> Any:
    """What the header of a file says of files that were loaded when it was made."""
    info = about.get("info")
    return info.get("loaded") if isinstance(info, dict) else None


def kind_of(about: dict[str, Any]) -> Kind:
    """What the header of a file says of its kind; files from before kinds were values said it by name."""
    if "kind" in about:
        return kind_from_dict(about["kind"])
    named = about["info"].get("value_kind")
    return kind_named(named) if named else Kind()


def _coding(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> CodingTables | None:
    version = about.get("coding_version")
    if version is None:
        return None
    if version != CODING_VERSION:
        raise BadInput(
            f"{path} holds coding tables of version {version}, but this version of sparsine reads {CODING_VERSION}; "
            f"use the sparsine that wrote it ({about.get('versions')})"
        )
    return CodingTables.from_tensors(tensors)


def write_vectors(path: Path, vectors: dict[str, Tensor], pattern: Pattern, about: dict[str, Any], kind: str) -> None:
    """Vectors over one pattern, with what `about` says of them, as safetensors with a checksum."""
    write_atomically(path, vectors_bytes(vectors, pattern, about, kind))


def vectors_bytes(vectors: dict[str, Tensor], pattern: Pattern, about: dict[str, Any], kind: str) -> bytes:
    """What `write_vectors` writes."""
    # Copies: safetensors refuses tensors that share memory, such as a centre that is theta itself.
    tensors = {name: vector.detach().cpu().contiguous().clone() for name, vector in vectors.items()}
    tensors["pattern"] = pattern.to_bits()
    header = {
        "format": kind, "format_version": FORMAT_VERSION, "field": pattern.field.to_dict(),
        "widths": list(pattern.field.widths),
        "counts": {"weights": pattern.num_weights, "biases": pattern.num_biases, "total": pattern.num_params},
        "sparsity": pattern.sparsity, "versions": {"sparsine": __version__, "torch": torch.__version__},
        **about,
    }  # fmt: skip
    text = json.dumps(json_value({**header, "sha256": UNSIGNED}), allow_nan=False)
    signed = text.replace(UNSIGNED, checksum(tensors, text))
    return save(tensors, {"sparsine": signed})


def read_vectors(path: Path, kind: str) -> tuple[dict[str, Tensor], Pattern, dict[str, Any]]:
    """What `write_vectors` wrote: (vectors, pattern, header). Raises BadInput for anything else."""
    return vectors_in(read_file(path), path, kind)


def vectors_in(data: bytes, path: Path, kind: str) -> tuple[dict[str, Tensor], Pattern, dict[str, Any]]:
    """What `read_vectors` reads, of bytes that are at hand; `path` is for errors."""
    metadata = _metadata(path, data)
    header = _header(path, metadata, kind)
    sha256 = str(header.get("sha256"))
    try:
        tensors = load(data)
        found = checksum(tensors, metadata["sparsine"].replace(sha256, UNSIGNED))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:  # TypeError: bfloat16, which NumPy lacks
        raise BadInput(f"{path} is damaged or cut short ({error}); restore it from a copy") from error
    if sha256 != found:
        raise BadInput(f"{path} is damaged: its checksum does not match its contents; restore it from a copy")
    with made_with(_loaded_for(header), str(path)):
        try:
            pattern = Pattern.from_bits(MLP.from_dict(header["field"]), tensors.pop("pattern"))
        except (KeyError, ValueError, OverflowError) as error:
            raise BadInput(f"{path} does not say what field it belongs to ({error})") from error
    return tensors, pattern, header


def _metadata(path: Path, data: bytes) -> dict[str, Any]:
    """The metadata, read before any tensor: a file of another kind gets a better answer than 'damaged'."""
    try:
        length = int.from_bytes(data[:8], "little")
        if length > len(data) - 8:
            raise ValueError("the header is longer than the file")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
        return {str(key): value for key, value in metadata.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise BadInput(f"{path} is not a safetensors file, or is damaged ({error})") from error


def _header(path: Path, metadata: dict[str, Any], kind: str) -> dict[str, Any]:
    try:
        header = json.loads(metadata["sparsine"]) if "sparsine" in metadata else None
    except (ValueError, TypeError, RecursionError) as error:
        raise BadInput(f"{path} is not a safetensors file, or is damaged ({error})") from error
    if not isinstance(header, dict) or header.get("format") != kind:
        found = repr(header.get("format")) if isinstance(header, dict) else "a safetensors file of another program"
        raise BadInput(f"{path} is not a {kind} file; found {found}")
    if header.get("format_version") != FORMAT_VERSION:
        raise BadInput(
            f"{path} has format version {header.get('format_version')}, but this version of sparsine reads "
            f"{FORMAT_VERSION}; use the sparsine that wrote it ({header.get('versions')})"
        )
    return header


def checksum(tensors: dict[str, Tensor], text: str = "") -> str:
    """SHA-256 over `text` and over names, types, shapes and bytes of the tensors."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = tensors[name].numpy()
        digest.update(f"{name}:{array.dtype}:{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

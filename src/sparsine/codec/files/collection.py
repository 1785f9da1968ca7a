"""A whole collection becomes a folder of codes: fitted in batches, read ahead, written behind, gone on with.

A signal that cannot be read or fitted is reported and the others go on. Killed at any time, what is lost is the batch
that was being fitted and the one that was being written; the same call makes those again and keeps the rest.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sparsine.addresses import Place
from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.files.coded import CodedSignal
from sparsine.codec.files.encode_work import EncodeWork, Written
from sparsine.codec.files.journal import opened
from sparsine.codec.files.pipeline import POINTS_WAITING, batch_size, batches, in_threads
from sparsine.codec.files.reading import SignalReader
from sparsine.codec.format.header import SUFFIX
from sparsine.engines.choose import make_engine
from sparsine.fitting.config import recorded
from sparsine.fitting.room import check_room
from sparsine.signals.dataset import SignalSet
from sparsine.spread.contract import Executor, Here
from sparsine.starts.start import Start

KIND, RECORD_VERSION = "sparsine-codes", 1
MOST_AHEAD = 64


def encode_collection(
    start: Start,
    signals: SignalSet,
    folder: Place | str,
    config: EncodeConfig | None = None,
    *,
    indices: Sequence[int] | None = None,
    also: dict[str, Any] | None = None,
    overwrite: bool = False,
    engine: str = "auto",
    device: str = "cpu",
    executor: Executor | None = None,
) -> Iterator[CodedSignal]:
    """Codes of signals (all, or those at `indices`) in `folder`, a file each; yields what became of each once its file
    is written, in the order of batches. Shapes may differ from signal to signal.

    A code that is there already is kept if it was made from the same values by the same request: start, fit, quality
    or target, and `also`.

    Args:
        also: plain JSON values that belong to the request too, such as how signals were resized.
        overwrite: use a folder of another request or with other files, and replace codes of changed signals.
        executor: who fits; None is this process. Another yields in the order in which batches are done.

    Raises:
        BadInput: signals that the start cannot draw; a batch that memory cannot hold; a folder of another request, or
            held by another process.
        WorkFailed: a file cannot be written.
    """
    config, coder = (config or EncodeConfig()).by(start.plans), Coder(start)
    executor, chosen = executor or Here(), list(range(len(signals)) if indices is None else indices)
    together = executor.together(config.fit.together(device), len(chosen))
    make_engine(start.pattern, engine, device=device)  # refuses before anything is written, and so does what follows
    _check_batch(start, min(together, len(chosen)), device)
    with (
        opened(
            folder,
            _request(coder, config, also or {}),
            suffix=SUFFIX,
            overwrite=overwrite,
            left_out=start.kind.all_suffixes,
        ) as journal,  # fmt: skip
        ThreadPoolExecutor(executor.num_readers) as readers,
        ThreadPoolExecutor(1) as writer,
    ):
        reader = SignalReader(start, signals, journal, chosen, overwrite)
        ahead = min(together, MOST_AHEAD) + executor.num_readers
        read = in_threads(readers, reader.read, chosen, ahead, weigh=reader.points, room=POINTS_WAITING)
        encoding = executor.map(EncodeWork(coder, config, engine, device), batches(read, together, device))

        def write(batch: list[Written]) -> list[CodedSignal]:
            journal.add([(entry, data) for _, entry, data in batch if data])
            return [coded for coded, _, _ in batch]

        for written in in_threads(writer, write, encoding, window=2):
            yield from written


def _check_batch(start: Start, asked: int, device: str) -> None:
    """As many signals of the start's own size as are fitted together."""
    shape = start.domain.shape
    size = batch_size(shape, asked, device)
    check_room(start, shape, f"fitting {size} signals together", "lower --batch", signals=size, device=device)


def _request(coder: Coder, config: EncodeConfig, also: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for a code to be what would be made now. Batch and engine decide speed alone."""
    aimed = config.target_psnr_db is not None or config.target_bytes is not None
    return {
        "kind": KIND, "record_version": RECORD_VERSION, "start": coder.hash.hex(), "fit": recorded(config.fit),
        "quality": None if aimed else config.quality, "target_psnr_db": config.target_psnr_db,
        "target_bytes": config.target_bytes, "rounded_steps": config.rounded_steps, **also,
    }  # fmt: skip

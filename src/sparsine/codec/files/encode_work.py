"""What is done to a batch of signals that become codes, wherever it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.encode import Encoded, encode_batch
from sparsine.codec.files.coded import CodedSignal, from_encoded
from sparsine.codec.files.journal import Entry, entry_of
from sparsine.codec.files.reading import Loaded
from sparsine.codec.format.identity import start_hash
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.spread.contract import Work

Written = tuple[CodedSignal, Entry, bytes]
"""What became of a signal, its entry in the journal, its code."""


@dataclass(frozen=True)
class EncodeWork(Work[CodedSignal | list[Loaded], list[Written]]):
    """A signal's code does not depend on what is fitted beside it."""

    coder: Coder
    config: EncodeConfig
    engine: str
    device: str

    def set_up(self) -> None:
        if start_hash(self.coder.start) != self.coder.hash:
            raise BadInput("a worker read another start than was sent to it; install the same versions on all nodes")
        make_engine(self.coder.start.pattern, self.engine, device=self.device)

    def __call__(self, item: CodedSignal | list[Loaded]) -> list[Written]:
        if (known := self.at_once(item)) is not None:
            return known
        assert isinstance(item, list)
        codes = encode_batch(
            self.coder.start, [signal.values for signal in item], self.config, engine=self.engine, device=self.device,
            coder=self.coder, coords=[signal.coords for signal in item if signal.coords is not None] or None,
            about=[signal.about for signal in item],
        )  # fmt: skip
        return list(map(_written, item, codes))

    def at_once(self, item: CodedSignal | list[Loaded]) -> list[Written] | None:
        return [(item, {}, b"")] if isinstance(item, CodedSignal) else None

    def parts(self, item: CodedSignal | list[Loaded]) -> Sequence[list[Loaded]]:
        return [[signal] for signal in item] if isinstance(item, list) and len(item) > 1 else ()

    def give_up(self, item: CodedSignal | list[Loaded], why: str) -> list[Written]:
        assert isinstance(item, list)
        return [_written(signal, Encoded(b"", nan, nan, "failed", why)) for signal in item]


def _written(signal: Loaded, code: Encoded) -> Written:
    coded = from_encoded(signal.name, signal.file, signal.values.shape[:-1], code)
    return coded, entry_of(signal.name, signal.digest, signal.file, code.data) | coded.to_entry(), code.data

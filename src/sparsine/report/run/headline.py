"""What the report says first: one sentence, and up to four figures."""

from dataclasses import dataclass
from typing import Any

from sparsine.counted import counted
from sparsine.psnr import psnr_difference_db
from sparsine.report.html import Card
from sparsine.report.run.rows import Row, scratch_and_starts
from sparsine.report.wording import count, db, duration, gain, percent, protocol


@dataclass(frozen=True)
class Headline:
    sentence: str
    cards: tuple[Card, ...]


def headline(record: dict[str, Any], rows: list[Row]) -> Headline:
    """Made of the densest and the sparsest start and of the field fitted from scratch, as far as they were measured."""
    scratch, starts = scratch_and_starts(rows)
    fitted = protocol(record["protocol"]["steps"], record["protocol"]["optimizer"])
    cards = []
    if starts:
        cards.append(_start_card("Densest start" if starts[0].density < 1 else "Dense start", starts[0], fitted))
    if len(starts) > 1:
        cards.append(_start_card("Sparsest start", starts[-1], fitted))
    if scratch and starts:
        cards.append(_gain_card(scratch, starts))
    if starts:
        cards.append(_time_card(starts[-1], record.get("hardware", {})))
    num_signals = sum(signal["status"] != "unreadable" for signal in rows[0].signals)
    return Headline(_sentence(starts, num_signals, fitted, record), tuple(cards))


def _sentence(starts: list[Row], num_signals: int, fitted: str, record: dict[str, Any]) -> str:
    num = _prunings(starts)
    learned, source = "One shared start was meta-learned for a whole collection of signals", "it"
    if num > 0 and not any(row.outer_steps for row in starts):
        left = percent(starts[-1].density)
        learned = (
            f"Of a field of random numbers {counted(num, 'pruning')} left {left} of the weights: those that "
            "training signals need when they are fitted"
        )
        source = "what each left"
    elif num > 0:
        left = percent(starts[-1].density)
        learned += f", then pruned {counted(num, 'time')} to {left} of its weights, learning on after each"
        source = "each start"
    unseen = "unseen " if record["data"].get("is_that_of_the_run", True) else ""
    signals = f"1 {unseen}test signal is" if num_signals == 1 else f"{count(num_signals)} {unseen}test signals are"
    return f"{learned}. Here {signals} fitted from {source} in {fitted} ({_how(record['protocol'])})."


def _prunings(starts: list[Row]) -> int:
    """Before the sparsest: its round says so, since not every round need be among the rows."""
    if not starts:
        return 0
    return len(starts) - 1 if starts[-1].round is None else starts[-1].round


def _how(protocol: dict[str, Any]) -> str:
    """'step size 0.0014, falling to 0; each step sees 1/36 of the samples'."""
    falls = ", falling to 0" if protocol.get("decay") == "cosine" else ""
    share = protocol.get("share", 1.0)
    part = f"; each step sees 1/{1 / share:.3g} of the samples" if share < 1 else ""
    return f"step size {protocol['lr']:g}{falls}{part}"


def _start_card(title: str, row: Row, fitted: str) -> Card:
    return Card(title, db(row.final_psnr_db), "dB", (
        f"{count(row.weights)} weights ({percent(row.density)})", f"{count(row.total)} with biases", f"after {fitted}",
    ))  # fmt: skip


def _gain_card(scratch: Row, starts: list[Row]) -> Card:
    sparse, dense = (_difference(row, scratch) for row in (starts[-1], starts[0]))
    details = [f"over the dense field from random numbers ({db(scratch.final_psnr_db)} dB)"]
    if len(starts) > 1:
        details.append(f"{gain(dense)} dB for the {'densest' if starts[0].density < 1 else 'dense'} start")
    return Card("Gain, sparsest start" if len(starts) > 1 else "Gain over scratch", gain(sparse), "dB", tuple(details))


def _time_card(last: Row, hardware: dict[str, Any]) -> Card:
    processor, threads = hardware.get("processor", "unknown"), hardware.get("threads")
    where = hardware.get("gpu") or ", ".join([processor, counted(threads, "thread")] if threads else [processor])
    steps = "unknown outer steps" if last.outer_steps is None else counted(last.outer_steps, "outer step")
    return Card("Learning time", duration(last.learn_seconds), "", (steps, where))


def _difference(row: Row, scratch: Row) -> float | None:
    if row.final_psnr_db is None or scratch.final_psnr_db is None:
        return None
    return psnr_difference_db(row.final_psnr_db, scratch.final_psnr_db)

"""What a reader must know to read the numbers right."""

from collections.abc import Iterable, Sequence
from typing import Any

from sparsine.counted import counted
from sparsine.measure.comparison.config import TRIALS, TUNED
from sparsine.report.comparison.points import CellRecord
from sparsine.report.comparison.published import published_for
from sparsine.report.comparison.results import OURS, DataResults
from sparsine.report.wording import count, protocol


def notes_of(datasets: Sequence[DataResults]) -> list[str]:
    """Sentences, each about something that these cells hold."""
    cells = [cell for results in datasets for cell in results.cells]
    methods = {cell["method"] for cell in cells}
    return [
        *_counting(datasets, cells),
        *([_starved(cells)] if methods & {"scratch", "dense-narrow"} else []),
        *_tuned(datasets),
        *([_one_round()] if methods & {"maml-oneshot", "maml-imp"} else []),
        "Means are over the signals whose fit is ok, all of those that were asked for and no other (the published code "
        "averages one signal more than the paper says).",
        *(published_for(results.cells)[1] for results in datasets),
    ]


def trial_note(cells: Iterable[CellRecord]) -> str:
    """Said first where the numbers of a recipe are too few to judge by; empty for the others."""
    tried = [cell for cell in cells if cell["comparison"] in TRIALS]
    if not tried:
        return ""
    signals = max((len(fit["signals"]) for cell in tried for fit in cell["protocols"].values()), default=0)
    seeds, steps = len({cell["seed"] for cell in tried}), max(cell["learning"]["outer_steps"] for cell in tried)
    return (
        f"Recipe {tried[0]['comparison']} shows that everything is in place. {counted(signals, 'test signal')}, "
        f"{counted(seeds, 'seed')} and at most {counted(steps, 'outer step')} are too few to judge methods by: recipe "
        "small is the first to compare by."
    )


def outcomes_of(cells: Iterable[CellRecord]) -> list[dict[str, Any]]:
    """The signals that are not ok, each with the fits it concerns."""
    found: dict[tuple[str, str, str, str], set[str]] = {}
    for cell in cells:
        for fit in cell["protocols"].values():
            for signal in fit["signals"]:
                if signal["status"] != "ok":
                    key = (cell["data"]["label"], str(signal["input"]), signal["status"], signal.get("reason", ""))
                    found.setdefault(key, set()).add(f"{cell['label']} ({cell['level']}, seed {cell['seed']})")
    return [{"data": data, "input": name, "status": status, "reason": reason, "where": sorted(where)}
            for (data, name, status, reason), where in found.items()]  # fmt: skip


def _counting(datasets: Sequence[DataResults], cells: Sequence[CellRecord]) -> list[str]:
    ours = next((p for results in datasets for p in reversed(results.points()) if p.method == OURS), None)
    example = f": {count(ours.weights)} weights are {count(ours.numbers)} numbers" if ours else ""
    notes = [
        "Weights are those that pruning left, as the paper counts them. Biases are never pruned, and every signal "
        f"stores them too{example}. The figures exist with either count."
    ]
    if any(cell["bits"] != 32 * cell["numbers"] for cell in cells):
        notes.append("Bits are 32 for each stored number, but for methods that quantise them. Over weights, numbers or "
                     "steps those lie on what they quantise, or just below: look at them over bits.")  # fmt: skip
    shared = {cell["label"]: cell["shared_numbers"] for cell in cells
              if cell.get("shared_numbers") and cell["family"] != "linear"}  # fmt: skip
    for label, number in shared.items():
        notes.append(f"{label} need a base of {count(number)} numbers once for the whole collection, beside what is "
                     "stored for a signal; on the axis of weights stand the latents. The others need the pattern of "
                     "survivors once.")  # fmt: skip
    if any(cell["family"] == "linear" for cell in cells):
        notes.append("Cosines, components and the grid store plain numbers, as many as a level has weights (of "
                     "components at most one fewer than there are training signals), and nothing else of a signal; for "
                     "the collection, its mean and the components or which cosines they are. Which cosines are a "
                     "signal's own is not counted: that row is a bound. Nothing of them is fitted or random, so they "
                     "are the same after every step and under every seed.")  # fmt: skip
    return notes


def _starved(cells: Sequence[CellRecord]) -> str:
    fit = next((cell["protocols"]["adam"] for cell in cells if cell["protocols"].get("adam", {}).get("steps")), None)
    fitted = f"{protocol(fit['steps'][-1], 'adam')} at {fit['lr']:g}" if fit else "a few Adam steps"
    return (
        f"The paper's protocol starves Scratch and Dense-Narrow: {fitted} move no number far. That suits a wide start "
        "that was learned, and stops random or narrow networks early. Their curves say what this protocol reaches, not "
        "what networks of their size can hold."
    )


def _tuned(datasets: Sequence[DataResults]) -> list[str]:
    cells = [cell for results in datasets if results.is_tuned for cell in results.cells]
    first = next((cell["protocols"][TUNED] for cell in cells if TUNED in cell["protocols"]), None)
    if first is None:
        return []
    notes = [
        f"In the tuned protocol each method has its own best step size for fits of effort {first['effort']}, found on "
        f"{counted(first['validation_signals'], 'validation signal')}; methods that begin from random numbers have "
        "their own omega_0 too, and output in the middle of the values. Learned starts keep those of learning."
    ]
    left = dict.fromkeys(cell["label"] for cell in cells if TUNED not in cell["protocols"])
    if left:
        notes.append(f"Not tuned, and so in the other protocols only: {', '.join(left)}.")
    return notes


def _one_round() -> str:
    return (
        "MAML+OneShot and MAML+IMP are pruned k times at level k. In the published code their lists start at zero "
        "prunings, which plots them one round too kind."
    )

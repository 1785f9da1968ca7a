"""What of a result comes from where: variants of learning, and of which weights stay."""

from collections.abc import Callable
from statistics import fmean

from sparsine.measure.records import metrics_of
from sparsine.report.table import Table
from sparsine.report.tables.layout import Row, listed
from sparsine.report.tables.results import Results
from sparsine.report.wording import count

BY_LAYER = 8
"""The round whose weights are told by layer."""


def ablation(results: Results) -> Table:
    """Variants of the learning of paper-cpu, on the test faces that all fitted."""
    variants = results.comparisons("paper-cpu")
    found = {(name, cell["round"]): cell for name in variants for cell in results.cells(f"comparison/{name}")
             if cell["method"] == "meta-sparse"}  # fmt: skip
    rounds = sorted({round for _, round in found})
    common = {round: set.intersection(*({signal["input"] for signal in good(cell)} for (_, at), cell in found.items()
                                        if at == round)) for round in rounds}  # fmt: skip

    def mean(variant: str, round: int) -> str:
        psnr = [metrics_of(signal)["psnr_db"][-1] for signal in good(found.get((variant, round)))
                if signal["input"] in common[round]]  # fmt: skip
        return f"{fmean(psnr):.2f}" if psnr else ""

    def reached(round: int) -> Callable[[Row], str]:
        return lambda row: mean(row["variant"], round)

    rows = [{"variant": name, **next(cell for (variant, _), cell in found.items() if variant == name)}
            for name in variants]  # fmt: skip
    return listed(rows, {
        "steps a round": lambda row: str(row["learn"]["steps_per_round"]),
        "points": lambda row: count(row["learn"]["points"]),
        "drawn": lambda row: row["learn"].get("sampling", "random"),
        "outer step size": lambda row: f"{row['learn']['outer_step_size']:g}",
        "moments": lambda row: row["learn"]["moments"],
        "coordinates": lambda row: "{:g} to {:g}".format(*row["field"]["extent"][0]),
        **{f"k = {round}": reached(round) for round in rounds},
    }, left=0, words=[2, 4, 5])  # fmt: skip


def pattern(results: Results) -> Table:
    """PSNR by which weights survive and by how much is learned after each pruning."""
    rows = results.rows("comparison/pattern-or-learning")
    rounds = [each["round"] for each in rows[0]["rounds"]]

    def after(row: Row, round: int) -> Row:
        return next(each for each in row["rounds"] if each["round"] == round)

    def reached(round: int) -> Callable[[Row], str]:
        return lambda row: f"{fmean(curve[-1] for curve in after(row, round)['psnr_db']):.2f}"

    return listed(sorted(rows, key=lambda row: (row["steps_per_round"], row["score"])), {
        "score": lambda row: row["score"], "steps a round": lambda row: str(row["steps_per_round"]),
        **{f"k = {round}": reached(round) for round in rounds},
        f"by layer at k = {BY_LAYER}": lambda row: " ".join(map(count, after(row, BY_LAYER)["by_layer"])),
    }, words=[2 + len(rounds)])  # fmt: skip


def levers(results: Results) -> Table:
    """What one change each does to the way to a pattern: numbers that a signal stores, and PSNR of test signals."""
    rows = [{"name": name, **lever} for name, lever in results.read("comparison/levers")["levers"].items()]

    def at(level: int, what: Callable[[Row], str]) -> Callable[[Row], str]:
        return lambda row: what(row["levels"][level])

    return listed(rows, {
        "lever": lambda row: row["name"], "what is changed": lambda row: row["says"],
        **{f"{name}, {count(wanted['weights'])} weights": at(level, what)
           for level, wanted in enumerate(rows[0]["levels"])
           for name, what in (("numbers", lambda one: count(one["numbers"])),
                              ("dB", lambda one: f"{fmean(one['psnr_db']):.2f}"))},
    }, left=2)  # fmt: skip


def good(cell: Row | None) -> list[Row]:
    """The signals of a cell that were fitted."""
    return [one for one in cell["protocols"]["adam"]["signals"] if one["status"] == "ok"] if cell else []

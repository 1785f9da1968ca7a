"""Why one would want the package, for the README: a sentence each, with a number of a record."""

from statistics import fmean

from sparsine.measure.records import metrics_of
from sparsine.report.comparison.published import published_points
from sparsine.report.tables.learning import good
from sparsine.report.tables.results import Results
from sparsine.report.wording import count, seconds, shape

LEVEL = 14
"""The round at which the paper's table ends."""


def facts(results: Results) -> str:
    """As a list in Markdown."""
    return "\n".join(f"- {fact}" for fact in (_fast(results), _better(results), _continuous(results)))


def _fast(results: Results) -> str:
    fit = next(row for row in results.rows("benchmarks/fit") if row["density"] == 0.05)
    return (
        "**Pruned weights cost nothing.** A fused C++ engine works on the surviving ones alone: with "
        f"{100 * fit['density']:g} % of the hidden weights, 16 signals at 178 x 178 are fitted in "
        f"{seconds(fit['ours_seconds'])} on two cores, where plain PyTorch takes {seconds(fit['plain_seconds'])}: "
        f"{fit['ratio']:.3g} times as fast ([benchmarks](docs/benchmarks.md))."
    )


def _better(results: Results) -> str:
    published = next(p for p in published_points("celeba") if p.method == "meta-sparse" and p.round == LEVEL)
    ours = next(cell for cell in results.cells("comparison/paper-cpu")
                if (cell["method"], cell["round"]) == ("meta-sparse-saliency", LEVEL))  # fmt: skip
    reached = fmean(metrics_of(signal)["psnr_db"][-1] for signal in good(ours))
    return (
        f"**Better choice of what stays.** Faces at 178 x 178 from {count(published.weights)} weights, by the paper's "
        f"field and fit: {reached:.2f} dB when pruned by `saliency`, where the paper has {published.psnr_db:.2f} "
        "([comparisons](docs/comparisons.md))."
    )


def _continuous(results: Results) -> str:
    encode, draw, _ = results.rows("benchmarks/codec")
    return (
        "**A file is a function.** A face becomes a code in "
        f"{seconds(encode['ours_seconds'] / encode['signals'])}; {shape(draw['size'])} points of it, or as many of any "
        f"part, are drawn in {seconds(draw['ours_seconds'])}, {draw['ratio']:.3g} times as fast as by plain PyTorch; "
        "and it has exact gradients in the coordinates ([rate and distortion](docs/rate-distortion.md))."
    )

"""How fast: records of `sparsine bench` and of the scripts in benchmarks/."""

from collections.abc import Callable
from statistics import fmean

from sparsine.report.table import Table
from sparsine.report.tables.layout import Row, listed
from sparsine.report.tables.results import Results
from sparsine.report.wording import count, seconds

MIB = 2**20
SPEED = {"loss and gradient": ["engines"], "exact meta-gradient": ["meta"], "draw": ["decode"],
         "fit of 16 signals": ["fit", "fit-full"]}  # fmt: skip
QUESTIONS = ("predict", "loss_and_grad", "hvp")
ASKED = {"draw": "draw", "step": "step by `mse`", "loss": "step by a loss of your own",
         "hvp": "product with the Hessian"}  # fmt: skip


def benchmark(record: Row) -> Table:
    """Every row of a record of `sparsine bench`."""
    return listed(record["rows"], {
        "density": lambda row: f"{row['density']:g}", "batch": lambda row: str(row["batch"]),
        "weights": lambda row: count(row["num_weights"]), "plain": lambda row: seconds(row["plain_seconds"]),
        "ours": lambda row: seconds(row["ours_seconds"]), "ratio": lambda row: f"{row['ratio']:.3g}",
        "plain peak, MiB": lambda row: f"{row['plain_peak_bytes'] / MIB:,.0f}",
        "ours, MiB": lambda row: f"{row['ours_peak_bytes'] / MIB:,.1f}",
        "GFLOP/s": lambda row: "" if row["gflops"] is None else f"{row['gflops']:.0f}",
        "of peak": lambda row: "" if row["roofline_fraction"] is None else f"{row['roofline_fraction']:.2f}",
    }, left=0)  # fmt: skip


def speed(results: Results) -> Table:
    """How many times as fast as plain PyTorch, by density and task; one signal in a call where a task has batches."""
    cells: dict[float, dict[str, str]] = {}
    for column, names in SPEED.items():
        rows = [row for name in names for row in results.rows(f"benchmarks/{name}")]
        first = min(row["batch"] for row in rows)
        for row in (row for row in rows if row["batch"] == first):
            cells.setdefault(row["density"], {})[column] = (
                f"**{row['ratio']:.3g} x** ({seconds(row['plain_seconds'])} to {seconds(row['ours_seconds'])})"
            )
    lines = tuple((f"{density * 100:g} %", *(told.get(column, "") for column in SPEED))
                 for density, told in sorted(cells.items(), reverse=True))  # fmt: skip
    head = ("hidden weights that survive", *SPEED)
    return Table("", "", head, lines, left=0, words=frozenset(range(1, len(head))))


def inner_steps(results: Results) -> Table:
    """Memory of the exact meta-gradient."""
    return listed(results.rows("benchmarks/many_inner_steps"), {
        "inner steps": lambda row: str(row["inner_steps"]),
        "seconds (median)": lambda row: f"{row['seconds']:.2f}",
        "peak memory, MiB": lambda row: f"{row['peak_bytes'] / MIB:,.1f}",
    }, left=0)  # fmt: skip


def on_ray(results: Results) -> Table:
    """Codes of small pictures made by a Ray cluster, of which a worker was killed, and some of them by one process."""
    return listed(results.rows("benchmarks/encode_on_ray"), {
        "by": lambda row: row["on"], "signals": lambda row: count(row["signals"]),
        "workers killed": lambda row: str(row["killed"]), "codes": lambda row: count(row["codes"]),
        "seconds": lambda row: f"{row['seconds']:.1f}",
        "signals a second": lambda row: f"{row['signals_per_second']:.1f}",
    })  # fmt: skip


def engine_choice(results: Results) -> Table:
    """The dense engine's seconds over those of the sparse one."""

    def ratio(question: str) -> Callable[[Row], str]:
        def told(row: Row) -> str:
            sparse = next(name for name in row["seconds"]["predict"] if name.startswith("sparse"))
            return f"{row['seconds'][question]['dense'] / row['seconds'][question][sparse]:.2f}"

        return told

    return listed(results.rows("benchmarks/engine_choice"), {
        "width": lambda row: str(row["width"]), "density": lambda row: f"{row['density']:g}",
        "auto": lambda row: row["auto"],
        **{f"`{question}`": ratio(question) for question in QUESTIONS},
    }, left=0, words=[2])  # fmt: skip


def module(results: Results) -> Table:
    """A field's module over the engine's own calls, and autograd of the dense field over the module."""
    return listed(results.rows("benchmarks/module"), {
        "network": lambda row: f"4 x {row['width']} at {' x '.join(map(str, row['size']))}",
        "density": lambda row: f"{row['density']:g}", "": lambda row: ASKED[row["task"]],
        "own calls": lambda row: seconds(row["engine_seconds"]), "module": lambda row: seconds(row["module_seconds"]),
        "over the engine": lambda row: f"{row['over_engine']:.2f}",
        "dense autograd": lambda row: seconds(row["dense_seconds"]),
        "over the module": lambda row: f"{row['times_dense']:.3g}",
    }, words=[2])  # fmt: skip


def codec(results: Results) -> Table:
    """Encoding and drawing beside plain PyTorch; coding alone."""
    encode, draw, code = results.rows("benchmarks/codec")
    size = " x ".join(map(str, draw["size"]))
    rows = (
        ("encode, array to bytes", f"{seconds(encode['plain_seconds'] / encode['signals'])} a signal",
         f"{seconds(encode['ours_seconds'] / encode['signals'])} a signal", f"{encode['ratio']:.3g} x",
         f"{encode['bar']:g} x"),
        ("lost to rounding at the default quality", "", f"{encode['mean_lost_db']:.3f} dB", "",
         f"{encode['lost_bar_db']:g} dB"),
        (f"draw {size} from a code", seconds(draw["plain_seconds"]), seconds(draw["ours_seconds"]),
         f"{draw['ratio']:.3g} x", f"{draw['bar']:g} x"),
        ("code, without fitting", "", f"{code['written_per_second']:.0f} a second", "", f"{code['bar']:g} a second"),
        ("decode, without drawing", "", f"{code['read_per_second']:.0f} a second", "", f"{code['bar']:g} a second"),
    )  # fmt: skip
    return Table("", "", ("", "plain PyTorch", "ours", "times as fast", "goal"), rows)


def half(results: Results) -> Table:
    """What half precision saves, and what it costs: means over the pictures."""
    return listed(results.rows("benchmarks/half"), {
        "fitted from": lambda row: row["field"] if "-" in row["field"] else "random numbers",
        "weights": lambda row: count(row["weights"]), "density": lambda row: f"{row['density']:.3g}",
        "PSNR, dB": lambda row: f"{fmean(one['psnr_db'] for one in row['pictures']):.2f}",
        "lost, dB": lambda row: f"{fmean(one['cost_db'] for one in row['pictures']):.4f}",
        "largest difference, of 255": lambda row: f"{_levels(row):.2f}",
        "float32": lambda row: seconds(row["float32_seconds"]), "half": lambda row: seconds(row["half_seconds"]),
        "times as fast": lambda row: f"{row['times']:.2f}",
    })  # fmt: skip


def _levels(row: Row) -> float:
    return 255 * max(float(one["largest_difference"]) for one in row["pictures"])

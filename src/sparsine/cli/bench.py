"""`sparsine bench WHAT`: time the engines beside plain PyTorch, and compare their answers."""

from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from rich.table import Table

from sparsine.cli.console import Waiting, console, counted, say, tell
from sparsine.cli.options import Device, Working
from sparsine.cli.outputs import Output
from sparsine.measure.timing.config import BenchmarkConfig, What
from sparsine.measure.timing.run import run_benchmark

# Below this share of the surviving weights a note says that the row is not what its density promises.
ENOUGH_CONNECTED = 0.9


@dataclass(frozen=True, kw_only=True)
class Options(BenchmarkConfig, Working):
    what: Annotated[What, tyro.conf.Positional]
    """engines: loss and gradient. meta: exact MAML. fit: Adam from a start. decode: values without a gradient."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1: where both ways compute."""


def run(options: Options, result: Output) -> int:
    with Waiting("timing", len(options.cells)) as waiting:
        waiting.at(0)

        def on_row(record: dict[str, Any]) -> None:
            result.draft_json(record)
            row = record["rows"][-1]
            waiting.at(len(record["rows"]), f"timed density {row['density']:g}, batch {row['batch']}")

        record = run_benchmark(options, on_row)
    result.write_json(record)
    _show(record)
    return 0


def _show(record: dict[str, Any]) -> None:
    title = f"medians of {counted(record['repeats'], 'run')}; MiB is the growth of the peak of memory"
    table = Table(box=None, collapse_padding=True, pad_edge=False, title=title)
    table.add_column("task", no_wrap=True)
    for name in ("density", "batch", "plain", "ours", "ratio", "plain\nMiB", "ours\nMiB", "GFLOP/s", "of\npeak"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in record["rows"]:
        table.add_row(
            row["task"], f"{row['density']:g}", str(row["batch"]), _seconds(row["plain_seconds"]),
            _seconds(row["ours_seconds"]), f"{row['ratio']:.2f}", _mib(row["plain_peak_bytes"]),
            _mib(row["ours_peak_bytes"]), _number(row["gflops"], ".1f"), _number(row["roofline_fraction"], ".1%"),
        )  # fmt: skip
    console.print(table)
    machine, engines = record["hardware"], sorted({row["engine"] for row in record["rows"]})
    size, threads = " x ".join(map(str, record["size"])), counted(machine["threads"], "thread")
    tell(f"engine {', '.join(engines)}; {record['depth']} layers of {record['width']} at {size}; "
        f"{machine['processor']}, {threads}, peak {record['peak_gflops']:.0f} GFLOP/s")  # fmt: skip
    _say_what_is_connected(record["rows"])


def _say_what_is_connected(rows: list[dict[str, Any]]) -> None:
    """An engine may leave out what no output depends on; then its numbers are not those of so many weights."""
    row = min(rows, key=lambda row: row["connected_weights"] / row["num_weights"])
    if row["connected_weights"] < ENOUGH_CONNECTED * row["num_weights"]:
        say(("note", "yellow"), f": at density {row['density']:g} only {row['connected_weights']} of "
            f"{row['num_weights']} surviving weights lie on a way from a coordinate to an output; ratio, "
            "GFLOP/s and share of peak flatter an engine that skips the rest")  # fmt: skip


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _mib(num_bytes: int | None) -> str:
    mib = None if num_bytes is None else num_bytes / 2**20
    return _number(mib, ",.0f" if mib and mib >= 10 else ".1f")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

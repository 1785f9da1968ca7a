"""The tables of the documents, each described beside the records that it is made from."""

from collections.abc import Callable, Sequence

from sparsine.report.comparison.tables import tables_of as tables_of_comparison
from sparsine.report.measured import measured_table
from sparsine.report.rate_distortion.tables import tables_of as tables_of_rate
from sparsine.report.run.tables import run_table
from sparsine.report.table import Table
from sparsine.report.tables import coding, domains, learning, ranks, timing, tuned
from sparsine.report.tables.facts import facts
from sparsine.report.tables.results import RATE, Results

TABLES: dict[str, Callable[[Results], Table | list[Table]]] = {
    "speed": timing.speed, "benchmarks/many_inner_steps": timing.inner_steps,
    "benchmarks/engine_choice": timing.engine_choice, "benchmarks/codec": timing.codec,
    "benchmarks/ranks": ranks.steps, "benchmarks/ranks-messages": ranks.messages,
    "benchmarks/ranks-paper": ranks.on_paper, "benchmarks/module": timing.module,
    "benchmarks/half": timing.half,
    "codec/choices": coding.choices, "codec/qualities": coding.qualities,
    "benchmarks/encode_on_ray": timing.on_ray,
    "codec/rounded-steps": coding.rounded_steps, "comparison/video-codecs": coding.video_codecs,
    "comparison/starved": tuned.starved, "comparison/tuned-fits": tuned.fits, "comparison/tuned-recipes": tuned.recipes,
    "comparison/tuned-video": tuned.video, "comparison/tuned-digits": tuned.digits,
    "comparison/tuned-volume": tuned.volume, "comparison/by-kind": tuned.by_kind,
    "comparison/shapes": domains.shapes, "sphere/numbers": domains.sphere, "sphere/bytes": domains.sphere_files,
    "comparison/ablation": learning.ablation, "comparison/pattern": learning.pattern,
    "comparison/levers": learning.levers,
}  # fmt: skip
"""Those that are of several records, or of one that is none of an evaluation or a benchmark."""


def written(results: Results, name: str) -> str:
    """What stands in a document under `name`, in Markdown: a name of TABLES; a record, such as learning/faces-64; or a
    kind of table of a comparison or of a rate-distortion record, such as comparison/small:psnr."""
    return facts(results) if name == "facts" else "\n".join(table.markdown() for table in _tables(results, name))


def _tables(results: Results, name: str) -> Sequence[Table]:
    if name in TABLES:
        made = TABLES[name](results)
        return [made] if isinstance(made, Table) else made
    record, _, kind = name.partition(":")
    if kind and record.startswith(f"{RATE}/"):
        return tables_of_rate(results.rate(record), [kind])
    if kind:
        return tables_of_comparison(results.cells(record), [kind])
    found = results.read(record)
    of_kind = {"benchmark": timing.benchmark, "evaluation": run_table}.get(found["kind"], measured_table)
    return [of_kind(found)]

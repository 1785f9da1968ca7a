"""What the paper printed and plotted, and whether it may stand beside what was measured here.

The points are `report/published/lee2021.json`. They share axes with ours only where the protocol is the same: the same
data, field, grid and fit. What is still different then (learning budget, number of signals, known traps) is said in a
note.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sparsine.report.comparison.points import CellRecord
from sparsine.report.wording import count, protocol, shape

SHORT = "Lee et al. 2021"
SAME_OMEGA = 1e-6


@dataclass(frozen=True, kw_only=True)
class PublishedPoint:
    method: str
    weights: int
    """As plotted: biases are not counted."""
    round: int
    psnr_db: float
    exact: bool
    """Printed in a table; otherwise read off a curve, give or take 0.2 dB."""


@cache
def lee2021() -> dict[str, Any]:
    """The whole file: source, protocol, traps, points."""
    text = files("sparsine.report").joinpath("published/lee2021.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    return record


def published_points(kind: str) -> list[PublishedPoint]:
    """Those of a kind of data set (celeba, imagenette, sdf2d), by method, densest first. Where the table and a curve
    give the same round, the table's."""
    found: list[PublishedPoint] = []
    for method, entries in lee2021()["data"].get(kind, {}).items():
        by_round: dict[int, PublishedPoint] = {}
        for entry in sorted(entries, key=lambda e: e["exact"]):
            by_round[entry["round"]] = PublishedPoint(method=method, **entry)
        found += [by_round[number] for number in sorted(by_round)]
    return found


def published_for(cells: Sequence[CellRecord]) -> tuple[list[PublishedPoint] | None, str]:
    """The points that may stand on the same axes as these cells of one data set, and a note: what differs still, or,
    with None, why no point may."""
    data = cells[0]["data"]
    kind = data["spec"].partition(":")[0]
    if kind not in lee2021()["data"]:
        return None, f"{data['label']}: the paper has no figures for this data ({data['spec']})."
    if differences := _differences(cells):
        return None, (f"{data['label']}: the published figures ({SHORT}) are not drawn beside ours, because the "
                      f"protocol differs: {'; '.join(differences)}.")  # fmt: skip
    return published_points(kind), f"{data['label']}: {' '.join(_remarks(cells, kind))}"


def _differences(cells: Sequence[CellRecord]) -> list[str]:
    """Whatever makes the numbers incomparable, in words."""
    theirs = lee2021()["protocol"]
    data, reference = cells[0]["data"], _reference(cells)
    if reference is None:
        return ["nothing that was measured is a field"]
    field, fit = reference["field"], reference["protocols"].get("adam")
    found = []
    if "stand-in" in data["description"]:
        found.append("the data are a stand-in for the paper's")
    if list(data["shape"]) != theirs["grid"]:
        found.append(f"signals are {shape(data['shape'])}, not {shape(theirs['grid'])}")
    if list(field["sizes"]) != theirs["field"]["sizes"]:
        found.append(f"the field is {_sizes(field['sizes'])}, not {_sizes(theirs['field']['sizes'])}")
    if "omega_0" not in field:
        found.append(f"the activation is {field['activation']['name']}, not sine")
    elif abs(field["omega_0"] - theirs["field"]["omega_0"]) > SAME_OMEGA:
        found.append(f"omega_0 is {field['omega_0']:g}, not {theirs['field']['omega_0']:g}")
    if fit is None:
        found.append("no signal was fitted with Adam")
    elif (fit["lr"], fit["steps"][-1:]) != (theirs["fit"]["lr"], [theirs["fit"]["steps"]]):
        last = fit["steps"][-1] if fit["steps"] else 0
        found.append(f"signals are fitted in {protocol(last, 'adam')} at {fit['lr']:g}, not "
                     f"{protocol(theirs['fit']['steps'], 'adam')} at {theirs['fit']['lr']:g}")  # fmt: skip
    return found


def _remarks(cells: Sequence[CellRecord], kind: str) -> list[str]:
    theirs, reference = lee2021()["protocol"], _reference(cells)
    assert reference is not None  # the protocol is the same
    learned = max((c["learning"]["outer_steps"] for c in cells if c["family"] == "ours"), default=0)
    signals = max((len(p["signals"]) for c in cells for p in c["protocols"].values()), default=0)
    seeds = len({c["seed"] for c in cells})
    rounds = max((c.get("round") or 0 for c in cells if c["family"] == "ours"), default=0)
    budget = theirs["learning"]["dense_steps"] + rounds * theirs["learning"]["steps_per_round"]
    return [
        f"hollow marks are the published figures ({SHORT}, arXiv {lee2021()['source']['arxiv']}), most of them read "
        "off the plots, give or take 0.2 dB.",
        f"Field, grid and fit are the same; theirs learned for {count(budget)} outer steps up to round {rounds}, ours "
        f"for {count(learned)}, and theirs average {count(theirs['signals'][kind] + 1)} signals and "
        f"{theirs['seeds']} seeds, ours {count(signals)} and {seeds}.",
        *_conventions(reference),
        "Published MAML+OneShot and MAML+IMP are plotted one round too kind to them.",
    ]  # fmt: skip


def _conventions(cell: CellRecord) -> list[str]:
    """What differs in how the same network is written down."""
    found = []
    if given := cell.get("learn", {}).get("start_from"):
        found.append(f"Ours begin from a given dense start ({given}), whose own outer steps are not counted.")
    extents = cell["field"].get("extent") or [[-1.0, 1.0]]
    if any(extent != [-1.0, 1.0] for extent in extents):
        low, high = extents[0]
        found.append(f"Ours have coordinates from {low:g} to {high:g}, theirs from -1 to 1.")
    if offset := cell["field"].get("output_offset"):
        found.append(f"Ours add {offset:g} to the output.")
    return found


def _reference(cells: Sequence[CellRecord]) -> CellRecord | None:
    """The cell, if one is a field, whose field and fit are looked at: one of our method, or else one with the largest
    field; narrow baselines have fields of their own, and what is compared besides may be fitted in its own way."""
    fields = [cell for cell in cells if cell["field"]]
    ours = [cell for cell in fields if cell["family"] == "ours"]
    return ours[0] if ours else max(fields, key=lambda cell: sum(cell["field"]["sizes"]), default=None)


def _sizes(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))

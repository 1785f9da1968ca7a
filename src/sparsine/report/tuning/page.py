"""The page of a race; templates/tune.html.j2 says what stands where."""

import shlex
from math import inf
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.measure.tuning.race import UNTUNED
from sparsine.measure.tuning.records import PAGE, RECIPE, RECORD, Record
from sparsine.measure.tuning.trial import score_of
from sparsine.plugins import as_options
from sparsine.report import html
from sparsine.report.html import Card
from sparsine.report.tuning.figures import name_of, psnr_against_omega, race_lines, rung_name
from sparsine.report.wording import DASH, count, db, duration, gain, plain


def write_page(folder: Path, record: Record, command: str = "") -> Path:
    """Write `folder`/tune.html of a race that is over, which `command` ran. Raises WorkFailed when the system
    refuses."""
    path = folder / PAGE
    html.write_page(path, "tune.html.j2", page_context(folder, record),
                     commands={"This page, and the race": command}, records=(RECORD, RECIPE))  # fmt: skip
    return path


def page_context(folder: Path, record: Record) -> dict[str, Any]:
    """Everything that the template asks for."""
    rungs = range(len(record["rungs"]))
    return {
        "record": record, "sentence": _sentence(record), "cards": _cards(record), "rows": rows_of(record),
        "head": ["candidate", "omega_0", "offset", "layers", "width", "score step", "fit step",
                 *(rung_name(record, rung) for rung in rungs), "seconds", "went"],
        "uses": commands(folder, record), "edge": at_the_edge(record), "origin": _origin(record),
        "figures": {"race": race_lines(record)}
        | {f"omega-{rung + 1}": psnr_against_omega(record, rung) for rung in rungs},
        "rungs": {f"{rung + 1}": rung_name(record, rung) for rung in rungs},
    }  # fmt: skip


def commands(folder: Path, record: Record) -> list[str]:
    """What uses the result."""
    recipe, run = shlex.quote(str(folder / RECIPE)), shlex.quote(f"runs/{folder.name}")
    effort = record["request"]["tune"]["effort"]
    return [f"sparsine learn {shlex.quote(record['data']['spec'])} --config {recipe} --out {run}{as_options()}",
            f"sparsine report {run} --effort {effort}{as_options()}"]  # fmt: skip


def rows_of(record: Record) -> list[list[str]]:
    """A line for each candidate: its settings, what it reached on each rung, where it was dropped. The best first."""
    places = range(len(record["rungs"]))
    found = {(t["rung"], t["candidate"]): t for t in record["trials"]}

    def rank(candidate: int) -> tuple[Any, ...]:
        reached = [rung for rung in places if (rung, candidate) in found]
        return (-len(reached), -score_of(found[reached[-1], candidate]) if reached else inf, candidate)

    return [_row(record, found, candidate) for candidate in sorted(range(len(record["candidates"])), key=rank)]


def at_the_edge(record: Record) -> str:
    """A sentence where the chosen omega_0 is the lowest or the highest of all that were tried; else nothing."""
    chosen, all_of_them = record["candidates"][record["winner"]], record["candidates"]
    omegas = [one["omega_0"] for one in all_of_them if (one["family"] == "narrow") == (chosen["family"] == "narrow")]
    if chosen["omega_0"] not in (min(omegas), max(omegas)) or len(omegas) < 3:
        return ""
    end = "lowest" if chosen["omega_0"] == min(omegas) else "highest"
    return f"Its omega_0 is the {end} that was tried: beyond it may be better still (learn --omega-0)."


def _row(record: Record, found: dict[tuple[int, int], Record], candidate: int) -> list[str]:
    of = record["candidates"][candidate]
    trials = [found.get((rung, candidate)) for rung in range(len(record["rungs"]))]
    there = [trial for trial in trials if trial]
    step_sizes = [trial["step_size"] for trial in there if "step_size" in trial]
    return [
        name_of(record, candidate), f"{of['omega_0']:g}", f"{of['output_offset']:g}", str(of["hidden_layers"]),
        str(of["width"]), f"{of['score_step_size']:.2g}", f"{step_sizes[-1]:g}" if step_sizes else DASH,
        *(DASH if trial is None else db(score_of(trial)) if score_of(trial) > -inf else "failed" for trial in trials),
        f"{sum(trial['seconds']['all'] for trial in there):.1f}",
        "chosen" if candidate == record["winner"] else "to the end" if len(there) == len(trials)
        else f"dropped after {len(there)}",
    ]  # fmt: skip


def _sentence(record: Record) -> str:
    tune, rungs = record["request"]["tune"], record["rungs"]
    return (
        f"{counted(len(record['candidates']), 'setting')} raced for {count(tune['numbers'])} weights a signal and fits "
        f"of effort {tune['effort']}. Each rung looks longer at fewer of them. Validation signals alone judge, "
        f"{counted(rungs[-1]['signals'], 'signal')} on the last rung. Nothing of the test split was read."
    )


def _cards(record: Record) -> list[Card]:
    last = {t["candidate"]: score_of(t) for t in record["trials"] if t["rung"] == len(record["rungs"]) - 1}
    chosen, of = record["winner"], record["candidates"][record["winner"]]
    seconds = sum(trial["seconds"]["all"] for trial in record["trials"])
    more = last[chosen] - last[UNTUNED] if last[UNTUNED] > -inf else None
    said = ("nothing was better by 0.05 dB",) if chosen == UNTUNED else ("over recipe best as it is",)
    return [
        Card("Chosen", db(last[chosen]), "dB", (f"{name_of(record, chosen)}, on validation signals",
                                                f"omega_0 {of['omega_0']:g}, offset {of['output_offset']:g}",
                                                f"{counted(of['hidden_layers'], 'hidden layer')} of {of['width']}")),
        Card("Gain", gain(more), "dB", (*said, _untuned(last[UNTUNED]))),
        Card("Trials", count(len(record["trials"])), "", (f"in {duration(seconds)}", "on " + _where(record))),
    ]  # fmt: skip


def _untuned(reached: float) -> str:
    return f"which has {db(reached)} dB on the same signals" if reached > -inf else "which could not be fitted"


def _where(record: Record) -> str:
    hardware = record["hardware"]
    return str(hardware.get("gpu") or f"{hardware['processor']}, {counted(hardware['threads'], 'thread')}")


def _origin(record: Record) -> dict[str, dict[str, str]]:
    """Groups of settings."""
    data = {name: plain(value) for name, value in record["data"].items() if name != "description"}
    base = record["request"]["base"]
    return {
        "origin": {"begun": record["created"], "commit": record["commit"]}, "signals": data,
        "asked for": record["request"]["tune"], "versions": record["versions"], "hardware": record["hardware"],
        "seeds": {"seed": base["seed"], "split_seed": base["split_seed"], "engine": base["engine"],
                  "device": base["device"]},
    }  # fmt: skip

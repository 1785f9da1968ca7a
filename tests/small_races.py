"""Races over a few small pictures of a folder, in moments; and records of races that were never run."""

from dataclasses import asdict, replace
from itertools import pairwise

from small_runs import photos

from sparsine.environment import environment
from sparsine.folders import locked
from sparsine.measure.tuning.candidates import candidates_of
from sparsine.measure.tuning.config import TuneConfig, rungs_of
from sparsine.measure.tuning.race import race
from sparsine.measure.tuning.records import KIND, VERSION
from sparsine.measure.tuning.run import open_race
from sparsine.meta.config import FieldConfig, GridConfig
from sparsine.pruning.prune import PruningConfig
from sparsine.recipes import best
from sparsine.signals.open import open_dataset

CONFIG = TuneConfig(numbers=60, effort="instant", candidates=6, signals=4)
BASE = replace(
    best(),
    field=FieldConfig(width=12, hidden_layers=2, omega_0=9.0, output_offset=0.5),
    grid=GridConfig(resolution=(5, 6)),
    pruning=PruningConfig(score="saliency", score_options={"signals": 2, "steps": 3, "step_size": 1e-3}),
)


def base_of(folder):
    return replace(BASE, data=f"images:{folder}")


def pictures(tmp_path, count=45):
    return photos(tmp_path / "photos", count)


def tuned(config, base, folder, on_trial=lambda *_: None, dataset=None):
    """The record of a race that runs until it is over, or until `on_trial` raises."""
    dataset = dataset or open_dataset(base.data, resolution=base.grid.resolution)
    with locked(folder):
        return open_race(config, base, dataset, folder).run(on_trial)


def results(record):
    """All of a record but the time."""
    left_out = ("seconds", "created")
    trials = [{key: value for key, value in trial.items() if key not in left_out} for trial in record["trials"]]
    for trial in trials:
        trial["signals"] = [{k: v for k, v in signal.items() if k not in left_out} for signal in trial["signals"]]
    kept = {key: value for key, value in record.items() if key not in (*left_out, "trials")}
    return kept | {"trials": sorted(trials, key=lambda t: (t["rung"], t["candidate"]))}


def made_up_record(score=lambda rung, candidate: 20 + 3 * rung + candidate % 5, **tune):
    """As a race would leave it whose candidates reach what `score` says; None is a failure."""
    config = TuneConfig(**tune)
    base = best()
    candidates = candidates_of(config, base, (2, 3), 0.44)
    rungs = rungs_of(config, 20)
    trials = []

    def measure(rung, candidate):
        reached = score(rung, candidate)
        trials.append(_trial(rung, candidate, reached, rungs[rung]))
        return float("-inf") if reached is None else reached

    outcome = race(len(candidates), [rung.candidates for rung in rungs], measure)
    return {"kind": KIND, "record_version": VERSION, **environment(),
            "request": {"tune": asdict(config), "base": base.to_dict()},
            "candidates": [candidate.to_dict() for candidate in candidates], "rungs": [asdict(r) for r in rungs],
            "data": {"spec": "images:<holidays>&co", "description": "Pictures.", "shape": [178, 178],
                     "value_kind": "rgb", "train": 300, "val": 20},
            "notes": [], "trials": trials, "winner": outcome.winner}  # fmt: skip


def _trial(rung, candidate, reached, of):
    about = {"rung": rung, "candidate": candidate, "seconds": {"all": 12.5}}
    if reached is None:
        return about | {"status": "failed", "reason": "it overflowed", "mean_psnr_db": "-inf", "signals": []}
    signals = [{"input": f"{i}.png", "status": "ok", "psnr_db": reached, "seconds": 0.5} for i in range(of.signals)]
    return about | {"status": "ok", "mean_psnr_db": reached, "signals": signals, "step_size": 2e-3, "steps": 3600,
                    "share": 1 / 36}  # fmt: skip


def falls(numbers):
    return all(high >= low for high, low in pairwise(numbers))

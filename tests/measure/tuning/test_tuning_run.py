"""A race in its folder: its recipe is what was judged, a kill loses nothing, and nothing of the test split is read."""

from dataclasses import replace

import numpy as np
import pytest
from small_races import BASE, CONFIG, base_of, pictures, results, tuned
from small_runs import Killed, put

from sparsine.errors import BadInput
from sparsine.measure.tuning.candidates import Candidate
from sparsine.measure.tuning.config import TuneConfig, rungs_of
from sparsine.measure.tuning.records import RECORD, read_record
from sparsine.measure.tuning.trial import Problem, found_start
from sparsine.meta.config import LearnConfig
from sparsine.meta.recipe_file import laid_over, read_recipe_file
from sparsine.meta.run import open_run
from sparsine.meta.sparse import learn_sparse_start
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.storage import read_json, write_json


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    """A race that ran to its end."""
    folder = tmp_path_factory.mktemp("races") / "whole"
    tuned(CONFIG, base_of(photos), folder)
    return folder


def recipe_in(folder):
    return laid_over(LearnConfig(), read_recipe_file(folder / "recipe.json"), folder / "recipe.json")


def test_every_trial_is_recorded_with_all_of_its_signals(whole):
    record = read_record(whole / RECORD)
    assert [sum(t["rung"] == rung for t in record["trials"]) for rung in range(3)] == [6, 3, 2]
    for trial in record["trials"]:
        rung = record["rungs"][trial["rung"]]
        assert trial["status"] == "ok"
        assert len(trial["signals"]) == rung["signals"]
        assert trial["mean_psnr_db"] == pytest.approx(np.mean([s["metrics"]["psnr_db"][-1] for s in trial["signals"]]))
        assert max(trial["tried"].values()) - trial["mean_psnr_db"] < 0.051
        assert trial["weights"] == CONFIG.numbers
    assert record["versions"]["sparsine"]
    assert record["data"]["train"] > record["data"]["val"] >= 4


def test_learning_with_the_recipe_gives_the_start_that_was_judged(whole, photos, tmp_path):
    record = read_record(whole / RECORD)
    judged = {t["candidate"]: t["start"] for t in record["trials"] if t["rung"] == 2}
    assert len(judged) == 2
    for candidate, digest in judged.items():
        config = Candidate(**record["candidates"][candidate]).config(base_of(photos), CONFIG.numbers, (2, 3))
        if candidate == record["winner"]:
            assert config == recipe_in(whole)
        config = replace(config, plan=replace(config.plan, plan_signals=0))
        dataset = open_dataset(config.data, resolution=config.grid.resolution)
        with open_run(config, tmp_path / f"run-{candidate}", dataset) as run:
            assert learn_sparse_start(config, run).digest == digest, candidate


def test_what_is_fitted_from_is_what_learn_finds(photos, tmp_path):
    config = base_of(photos)
    dataset = open_dataset(config.data, resolution=config.grid.resolution)
    found = found_start(Problem(config, rungs_of(CONFIG, 4)[-1], dataset))
    with open_run(replace(config, plan=replace(config.plan, plan_signals=0)), tmp_path / "run", dataset) as run:
        assert learn_sparse_start(run.config, run).digest == found.digest


@pytest.mark.parametrize("moment", [0, 40, 150, 300])
def test_a_race_that_was_killed_goes_on_to_the_same_bits(whole, photos, tmp_path, moment):
    calls = []

    def kill(*told):
        calls.append(told)
        if len(calls) > moment:
            raise Killed

    folder = tmp_path / "killed"
    with pytest.raises(Killed):
        tuned(CONFIG, base_of(photos), folder, kill)
    assert not (folder / "recipe.json").exists()
    before = read_json(folder / RECORD)["trials"] if (folder / RECORD).exists() else []
    assert bool(before) == (moment > 100)
    record = tuned(CONFIG, base_of(photos), folder)
    assert record["trials"][: len(before)] == before
    assert results(read_record(folder / RECORD)) == results(read_record(whole / RECORD))
    assert (folder / "recipe.json").read_bytes() == (whole / "recipe.json").read_bytes()


def test_a_finished_race_tries_nothing_again(whole, photos):
    before = read_record(whole / RECORD)

    def never(*told):
        raise AssertionError(told)

    assert tuned(CONFIG, base_of(photos), whole, never) == before


def test_progress_rises_to_the_whole(photos, tmp_path):
    told = []
    tuned(CONFIG, base_of(photos), tmp_path / "race", lambda *one: told.append(one))
    works = [work for _, _, work, _ in told]
    assert works == sorted(works)
    assert 0.5 * told[0][3] < works[-1] < 1.5 * told[0][3]
    assert 0.5 * told[-1][3] < works[-1] <= 1.001 * told[-1][3]
    assert told[0][0].startswith("rung 1 of 3, 1 of 6, recipe: ")
    assert told[-1][0].startswith("rung 3 of 3, 2 of 2, ")


@pytest.mark.parametrize("shape", [(31, 1), (5, 6, 3), (3, 4, 5, 1)], ids=["sound", "picture", "volume"])
def test_any_rank_is_tuned_and_the_test_split_is_not_read(tmp_path, shape):
    arrays = list(np.random.default_rng(4).uniform(-1, 1, (14, *shape)).astype(np.float32))
    dataset = Dataset.from_arrays(arrays[:10], val=arrays[10:], test=arrays[:3], spec="waves")
    sealed = replace(dataset, test=_sealed(dataset.test))
    base = replace(BASE, data="waves", grid=replace(BASE.grid, resolution=None))
    record = tuned(replace(CONFIG, candidates=4, numbers=40), base, tmp_path / "race", dataset=sealed)
    assert record["winner"] is not None
    assert len(record["data"]["shape"]) == len(shape) - 1


def _sealed(signals):
    class _Sealed(type(signals)):
        def load(self, index):
            raise AssertionError("the test split was read")

        values_at = fingerprint = load

    signals.__class__ = _Sealed
    return signals


def test_other_settings_in_the_same_folder_are_refused_by_name(whole, photos):
    before = (whole / RECORD).read_bytes()
    with pytest.raises(BadInput, match=r"asked for otherwise \(numbers was 60, now 70\)"):
        tuned(replace(CONFIG, numbers=70), base_of(photos), whole)
    with pytest.raises(BadInput, match="seed was 0, now 3"):
        tuned(CONFIG, replace(base_of(photos), seed=3), whole)
    assert (whole / RECORD).read_bytes() == before


def test_other_signals_under_the_same_names_are_refused(tmp_path):
    photos = pictures(tmp_path)
    tuned(replace(CONFIG, candidates=2), base_of(photos), tmp_path / "race")
    for number in range(45):
        put(photos / f"{number:02d}.png", 1_000 + number)
    with pytest.raises(BadInput, match="other data"):
        tuned(replace(CONFIG, candidates=2), base_of(photos), tmp_path / "race")


def test_too_few_signals_are_refused_with_how_many_are_needed(tmp_path):
    photos = pictures(tmp_path, 9)
    with pytest.raises(BadInput, match="has 7 training signals and 1 validation signal, but at least 6 and 4 are"):
        tuned(CONFIG, base_of(photos), tmp_path / "race")
    assert not (tmp_path / "race" / RECORD).exists()


def test_forty_files_are_enough(tmp_path):
    assert tuned(replace(CONFIG, candidates=2), base_of(pictures(tmp_path, 40)), tmp_path / "race")["data"]["val"] == 4


def test_a_folder_of_something_else_is_left_alone(tmp_path, photos):
    folder = tmp_path / "race"
    folder.mkdir()
    (folder / "letters.txt").write_text("dear")
    with pytest.raises(BadInput, match=r"holds files that are not of a race \(letters.txt\)"):
        tuned(CONFIG, base_of(photos), folder)
    assert {path.name for path in folder.iterdir()} <= {"letters.txt", ".lock"}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"record_version": 7}, "is of record version 7, but this version of sparsine reads 1 and 2"),
        ({"kind": "sparsine-data"}, "is not a record of a race"),
        ({"trials": [{"rung": 0}]}, "is damaged: trials.0.candidate is missing"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused(tmp_path, whole, photos, change, wanted):
    folder = tmp_path / "race"
    folder.mkdir()
    write_json(folder / RECORD, {**read_json(whole / RECORD), **change})
    with pytest.raises(BadInput, match=wanted):
        tuned(CONFIG, base_of(photos), folder)


def test_a_setting_that_overflows_is_a_failed_trial_and_the_race_goes_on(tmp_path, photos, monkeypatch):
    from sparsine.errors import WorkFailed
    from sparsine.measure.tuning import trial

    usual = trial.found_start

    def sometimes(problem, on_progress):
        if problem.config.field.omega_0 != BASE.field.omega_0:
            raise WorkFailed("it overflowed")
        return usual(problem, on_progress)

    monkeypatch.setattr(trial, "found_start", sometimes)
    record = tuned(CONFIG, base_of(photos), tmp_path / "race")
    assert record["winner"] == 0
    assert {t["status"] for t in record["trials"] if t["candidate"]} == {"failed"}
    assert tuned(CONFIG, base_of(photos), tmp_path / "race") == record


@pytest.mark.parametrize("wrong", [{"signals": 3}, {"candidates": 1}, {"numbers": 1}])
def test_what_makes_no_race_is_refused(wrong):
    with pytest.raises(BadInput, match=next(iter(wrong))):
        TuneConfig(**wrong)

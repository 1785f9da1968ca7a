"""Every sitting, process and method of a comparison learns from and measures the signals that it began with."""

import json
import shutil
from dataclasses import replace

import pytest
import tiny

import sparsine.meta.learner as learner
from sparsine.errors import BadInput
from sparsine.measure.comparison.pinned import as_it_began, manifest_of, pin
from sparsine.measure.comparison.run import run_comparison
from sparsine.meta.outer import NotFinite
from sparsine.meta.run_data import FILE, read_run_data
from sparsine.signals.manifest import SPLITS, take
from sparsine.signals.open import open_dataset


@pytest.fixture
def folder(tmp_path):
    return tiny.save_photos(tmp_path / "photos")  # 24 train, 3 val, 3 test


def made(root, folder, **changes):
    learn = replace(tiny.LEARN, grid=replace(tiny.LEARN.grid, resolution=(7, 6)))
    changes = {"methods": ("meta-sparse", "modulations"), "levels": (1,), "learn": learn, "signals": 2, **changes}
    return tiny.comparison(root, {"photos": f"images:{folder}"}, **changes)


def opened(folder):
    return open_dataset(f"images:{folder}", resolution=(7, 6))


def held(folder):
    return take(opened(folder))


def test_what_a_data_set_held_is_kept_once_and_its_runs_keep_the_digests(tmp_path, folder):
    outcome = run_comparison(made(tmp_path / "out", folder), workers=1)
    assert (outcome.failed, outcome.notes) == ({}, [])
    manifest = manifest_of(tmp_path / "out", "photos")
    assert manifest == held(folder)
    stages = sorted((tmp_path / "out" / "learning" / "photos" / "seed-0").iterdir())
    assert [stage.name for stage in stages] == ["dense", "latents-003", "magnitude"]
    for stage in stages:
        assert read_run_data(stage).manifest == manifest.summary
        assert (stage / FILE).stat().st_size < 2000
    (record,) = (json.loads(p.read_text()) for p in (tmp_path / "out").glob("cells/photos/seed-0/meta-sparse/*.json"))
    assert len(record["made_from"]["signals_sha256"]) == 64
    measured = [signal["input"] for signal in record["protocols"]["adam"]["signals"]]
    assert measured == list(manifest.splits["test"].signals)[:2]


def test_signals_that_were_added_are_left_out_of_what_is_learned_and_measured_later(tmp_path, folder):
    root = tmp_path / "out"
    run_comparison(made(root, folder, methods=("scratch",)), workers=1)
    before = manifest_of(root, "photos")
    for path in tiny.save_photos(tmp_path / "more", 70).iterdir():
        if not (folder / path.name).exists():
            shutil.copy(path, folder / path.name)
    assert list(held(folder).splits["test"].signals) != list(before.splits["test"].signals)
    outcome = run_comparison(made(root, folder), workers=1)
    assert outcome.failed == {}
    (note,) = outcome.notes
    assert "40 new signals" in note
    assert read_run_data(root / "learning/photos/seed-0/dense").manifest == before.summary
    measured = {
        path.parent.name: [signal["input"] for signal in json.loads(path.read_text())["protocols"]["adam"]["signals"]]
        for path in root.glob("cells/photos/seed-0/*/*.json")
    }
    assert measured == dict.fromkeys(("scratch", "meta-sparse", "modulations"), list(before.splits["test"].signals)[:2])


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_a_comparison_does_not_go_on_with_other_signals(tmp_path, folder, split, change):
    root = tmp_path / "out"
    run_comparison(made(root, folder, methods=("scratch",)), workers=1)
    name = list(held(folder).splits[split].signals)[1]
    if change == "removed":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / list(held(folder).splits["train"].signals)[5]).read_bytes())
    with pytest.raises(BadInput, match=rf"compares on other data than photos=.*: 1 {split} signal \({name}\)"):
        run_comparison(made(root, folder, methods=("scratch",)), workers=1)


def test_a_test_signal_that_is_not_measured_may_go_and_is_told(tmp_path, folder):
    root = tmp_path / "out"
    run_comparison(made(root, folder, methods=("scratch",)), workers=1)
    name = list(held(folder).splits["test"].signals)[2]
    (folder / name).unlink()
    assert f"1 test signal ({name}) missing" in run_comparison(made(root, folder), workers=1).notes[0]


def test_a_comparison_from_before_signals_were_kept_goes_on_and_says_what_cannot_be_checked(tmp_path, folder):
    root = tmp_path / "out"
    run_comparison(made(root, folder, methods=("scratch",)), workers=1)
    shutil.rmtree(root / "data")
    path = root / "cells/photos/seed-0/scratch/round-01.json"
    record = json.loads(path.read_text())
    del record["made_from"]["signals_sha256"]
    path.write_text(json.dumps(record))
    outcome = run_comparison(made(root, folder, methods=("scratch", "meta-sparse")), workers=1)
    assert (outcome.num_measured, outcome.failed) == (2, {})
    (note,) = outcome.notes
    assert note.startswith(
        f"{root} is from before comparisons kept which signals they use: whether those of photos are"
    )
    assert not (root / "data").exists()


def test_a_record_of_other_test_signals_does_not_stand_for_its_cell(tmp_path, folder):
    root = tmp_path / "out"
    run_comparison(made(root, folder, methods=("scratch",)), workers=1)
    path = root / "cells/photos/seed-0/scratch/round-01.json"
    record = json.loads(path.read_text())
    record["made_from"]["signals_sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(BadInput, match=r"round-01\.json was made from"):
        run_comparison(made(root, folder, methods=("scratch",)), workers=1)


def test_a_data_set_from_another_source_is_not_searched(tmp_path, folder):
    run_comparison(made(tmp_path / "out", folder, methods=("scratch",)), workers=1)
    with pytest.raises(BadInput, match="came from 'images'"):
        as_it_began(tmp_path / "out", "photos", replace(opened(folder), source="celeba"))
    assert pin(tmp_path / "out", "photos", opened(folder), 2) == []


def test_a_start_of_an_earlier_stage_that_is_lost_is_named_with_what_to_do(tmp_path, folder):
    root = tmp_path / "out"
    run_comparison(made(root, folder), workers=1)
    (root / "learning/photos/seed-0/magnitude/starts/round-01.safetensors").unlink()
    (root / "cells/photos/seed-0/meta-sparse/round-01.json").unlink()
    (reason,) = run_comparison(made(root, folder), workers=1).failed.values()
    assert "round-01.safetensors" in reason
    assert "remove " in reason
    assert "magnitude to have it learned again" in reason


def test_an_overflow_in_a_comparison_says_where_smaller_steps_can_be_taken(tmp_path, folder, monkeypatch):
    real = learner.meta_gradient
    monkeypatch.setattr(learner, "meta_gradient", lambda *args: (real(*args)[0], real(*args)[1] * float("inf")))
    with pytest.raises(NotFinite, match="a comparison keeps its step sizes: choose another folder for smaller ones"):
        tiny.learned(made(tmp_path / "out", folder))


BAD_DONE = [
    "[]",
    "{}",
    '{"rounds": 3}',
    '{"rounds": []}',
    '{"rounds": [{"outer_steps": "x"}]}',
    '{"rounds": [null]}',
    "{",
]


@pytest.mark.parametrize("text", BAD_DONE)
def test_a_damaged_account_of_a_stage_is_named(tmp_path, folder, text):
    comparison = made(tmp_path / "out", folder)
    stage = comparison.cells()[0].needs[0].stage
    path = tmp_path / "out" / stage.key / "done.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(BadInput, match=r"done\.json"):
        stage.spent(tmp_path / "out", 0)

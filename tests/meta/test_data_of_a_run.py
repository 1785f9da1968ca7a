"""A run goes on with the signals and the start that it began with, and with no others."""

import json
import os
from dataclasses import replace

import pytest
from small_runs import CONFIG, begin, config_of, contents, digests, learn, opened, photos, put

from sparsine.errors import BadInput
from sparsine.meta.run import open_run
from sparsine.meta.run_data import FILE, open_data_of, read_run_data
from sparsine.meta.run_folder import read_config, starts_of
from sparsine.signals.kind import Kind
from sparsine.signals.manifest import SPLITS, take
from sparsine.starts.start import load_start, save_start


def names(signals):
    return [signals.name(i) for i in range(len(signals))]


@pytest.fixture
def folder(tmp_path):
    return photos(tmp_path / "photos")


@pytest.fixture
def whole(tmp_path, folder):
    """Digests of the starts of a run that was never stopped."""
    learn(config_of(folder), tmp_path / "whole")
    return digests(tmp_path / "whole")


def test_a_run_keeps_what_it_learns_from_before_the_first_step(tmp_path, folder):
    config = config_of(folder)
    with open_run(config, tmp_path / "run", opened(config)):
        pass
    saved = read_run_data(tmp_path / "run")
    assert saved.manifest == take(opened(config))
    assert saved.place == f"images:{folder}"
    assert saved.start == ""
    put(folder / "new.png", 99)
    learn(config, tmp_path / "run", resume=True)
    assert read_run_data(tmp_path / "run") == saved


def test_every_start_says_which_signals_it_comes_from(tmp_path, folder):
    learn(config_of(folder), tmp_path / "run")
    told = load_start(starts_of(tmp_path / "run")[-1]).info["signals"]
    assert told == take(opened(config_of(folder))).summary.to_dict()
    assert [told["splits"][split]["count"] for split in SPLITS] == [16, 2, 2]


def test_a_run_goes_on_with_its_own_signals_when_others_were_added(tmp_path, folder, whole):
    config = config_of(folder)
    begin(config, tmp_path / "run")
    before = opened(config)
    photos(folder, 30, first=50)
    assert names(opened(config).train) != names(before.train)
    _, notes = learn(config, tmp_path / "run", resume=True)
    new = "30 new signals (50.png, 51.png, 52.png, ...) left out"
    assert notes == [f"images:{folder} is not as it was when learning began: {new}"]
    assert digests(tmp_path / "run") == whole


def test_pictures_that_a_run_inside_the_folder_made_are_no_signals_of_it(tmp_path, folder, whole):
    begin(config_of(folder), folder / "run")
    photos(folder / "run" / "evaluation" / "pictures", 5, first=70)
    _, notes = learn(config_of(folder), folder / "run", resume=True)
    assert notes == []
    assert digests(folder / "run") == whole


CHANGES = {
    "removed": (lambda path: path.unlink(), "missing"),
    "renamed": (lambda path: path.rename(path.with_name("zz.png")), "missing"),
    "replaced": (lambda path: put(path, 99), "of other content"),
    "broken": (lambda path: path.write_bytes(b""), "of other content"),
}


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_run_does_not_go_on_when_a_signal_that_it_learns_from_is_another(tmp_path, folder, split, change):
    config = config_of(folder)
    begin(config, tmp_path / "run")
    name = names(getattr(opened(config), split))[1]
    CHANGES[change][0](folder / name)
    before = contents(tmp_path / "run")
    with pytest.raises(
        BadInput, match=rf"learned from other data.*: 1 {split} signal \({name}\) {CHANGES[change][1]}; "
    ):
        learn(config, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_test_signal_that_is_another_is_told_and_learning_goes_on(tmp_path, folder, whole, change):
    config = config_of(folder)
    begin(config, tmp_path / "run")
    name = names(opened(config).test)[0]
    CHANGES[change][0](folder / name)
    _, notes = learn(config, tmp_path / "run", resume=True)
    assert f"1 test signal ({name}) {CHANGES[change][1]}" in notes[0]
    assert digests(tmp_path / "run") == whole


def test_every_picture_replaced_is_refused(tmp_path, folder):
    config = config_of(folder)
    begin(config, tmp_path / "run")
    for i, path in enumerate(sorted(folder.iterdir())):
        put(path, 100 + i)
    with pytest.raises(BadInput, match=r"16 train signals .* of other content; 2 val signals .* of other content"):
        learn(config, tmp_path / "run", resume=True)


def test_dates_do_not_count(tmp_path, folder, whole):
    begin(config_of(folder), tmp_path / "run")
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    assert learn(config_of(folder), tmp_path / "run", resume=True)[1] == []
    assert digests(tmp_path / "run") == whole


def test_a_folder_that_was_moved_is_the_same_data(tmp_path, folder, whole):
    begin(config_of(folder), tmp_path / "run")
    moved = config_of(folder.rename(tmp_path / "moved"))
    learn(moved, tmp_path / "run", resume=True)
    assert digests(tmp_path / "run") == whole
    assert read_config(tmp_path / "run") == moved
    assert read_run_data(tmp_path / "run").place == moved.data


def test_another_folder_is_not(tmp_path, folder):
    begin(config_of(folder), tmp_path / "run")
    with pytest.raises(BadInput, match=r"learned from other data than images:.*others is now: .*16 train signals"):
        learn(config_of(photos(tmp_path / "others", first=20)), tmp_path / "run", resume=True)


def test_the_data_of_a_run_are_opened_where_they_were_from_whichever_folder(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = config_of("photos")
    learn(config, tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    photos(tmp_path / "elsewhere" / "photos", first=20)
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = open_data_of(tmp_path / "run", config)
    assert found.spec == "images:photos"
    assert take(found) == (known := read_run_data(tmp_path / "run").manifest)
    # where nothing is any more, the name as it stands is all there is; or what the caller says
    folder.rename(tmp_path / "moved")
    assert names(open_data_of(tmp_path / "run", config).train)[0] >= "20.png"
    assert take(open_data_of(tmp_path / "run", config, f"images:{tmp_path / 'moved'}")) == known


def test_a_run_from_before_this_was_kept_goes_on_and_says_what_cannot_be_checked(tmp_path, folder, whole):
    begin(config_of(folder), tmp_path / "run")
    (tmp_path / "run" / FILE).unlink()
    _, notes = learn(config_of(folder), tmp_path / "run", resume=True)
    assert len(notes) == 1
    assert "is from before runs kept which signals they learn from" in notes[0]
    assert digests(tmp_path / "run") == whole
    assert not (tmp_path / "run" / FILE).exists()  # what it was cannot be known any more
    with pytest.raises(BadInput, match=r"data was 'images:.*photos', now 'images:.*moved'"):
        learn(config_of(folder.rename(tmp_path / "moved")), tmp_path / "run", resume=True)


DAMAGES = {
    "cut short": lambda text: text[:-30], "empty": lambda text: "", "a list": lambda text: "[1, 2]",
    "no text": lambda text: "\x00\x01", "nested too deep": lambda text: "[" * 100_000,
    "another kind": lambda text: text.replace("sparsine-data", "sparsine-codes"),
    "a later version": lambda text: text.replace('"record_version": 1', '"record_version": 2'),
    "no place": lambda text: text.replace('"place"', '"plaice"'),
    "no splits": lambda text: text.replace('"splits"', '"split"'),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_of_signals_is_named(tmp_path, folder, damage):
    path = begin(config_of(folder), tmp_path / "run") / FILE
    path.write_text(DAMAGES[damage](path.read_text()))
    with pytest.raises(BadInput, match=r"data\.json"):
        learn(config_of(folder), tmp_path / "run", resume=True)


# The start that a run began with


def from_file(folder, tmp_path, seed=0):
    given = tmp_path / "given.safetensors"
    if not given.exists():
        start, _ = learn(config_of(folder, dense_steps=3), tmp_path / "first")
        save_start(given, start)
    return config_of(folder, start_from=str(given))


def test_a_start_that_was_replaced_before_a_run_goes_on_is_noticed(tmp_path, folder):
    config = from_file(folder, tmp_path)
    begin(config, tmp_path / "run")
    begun = json.loads((tmp_path / "run" / FILE).read_text())["start"]
    given = load_start(tmp_path / "given.safetensors")
    others = (
        replace(given, theta=given.theta * 1.01),
        replace(given, domain=CONFIG.grid.grid((9, 9))),  # the weights of one, the grid of another
        replace(given, kind=Kind()),
    )
    for other in others:
        save_start(tmp_path / "given.safetensors", other)
        before = contents(tmp_path / "run")
        with pytest.raises(BadInput, match=f"began with start {begun[:12]}, but now there is start"):
            learn(config, tmp_path / "run", resume=True)
        assert contents(tmp_path / "run") == before
    save_start(tmp_path / "given.safetensors", replace(given, info={"told": "otherwise"}))
    learn(config, tmp_path / "run", resume=True)


def test_a_start_that_was_moved_is_the_same_start(tmp_path, folder):
    config = from_file(folder, tmp_path)
    learn(config, tmp_path / "whole")
    begin(config, tmp_path / "run")
    (tmp_path / "given.safetensors").rename(tmp_path / "moved.safetensors")
    with pytest.raises(BadInput, match=r"cannot read .*given"):
        learn(config, tmp_path / "run", resume=True)
    learn(config_of(folder, start_from=str(tmp_path / "moved.safetensors")), tmp_path / "run", resume=True)
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")


def test_a_run_from_random_numbers_does_not_go_on_from_a_start(tmp_path, folder):
    config = from_file(folder, tmp_path)
    begin(config_of(folder), tmp_path / "run")
    with pytest.raises(BadInput, match=r"outer\.start_from was '', now '.*given"):
        learn(config, tmp_path / "run", resume=True)

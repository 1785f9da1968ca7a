"""Going on with a run: what must stay as it is, what is noticed, and what is refused."""

import json
import os
import re
from dataclasses import replace

import pytest
import torch
from small_runs import CONFIG, begin, config_of, contents, copied, digests, learn, opened, photos

import sparsine.meta.learner as learner
import sparsine.meta.sparse as sparse
from sparsine.errors import BadInput, WorkFailed
from sparsine.meta.changes import FILE as CHANGES
from sparsine.meta.changes import is_allowed, keep_changes, read_changes
from sparsine.meta.checkpoint import load_checkpoint
from sparsine.meta.metrics import read_metrics
from sparsine.meta.outer import NotFinite
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import read_config, start_path, starts_of
from sparsine.meta.usual_loss import UsualLoss
from sparsine.starts.start import load_start, read_vectors, write_vectors


@pytest.fixture
def folder(tmp_path):
    return photos(tmp_path / "photos")


@pytest.fixture
def config(folder):
    return config_of(folder)


@pytest.fixture
def whole(tmp_path, config):
    """A run that was never stopped."""
    learn(config, tmp_path / "whole")
    return tmp_path / "whole"


# A finished run


def test_going_on_with_a_finished_run_changes_nothing_at_all(tmp_path, config, whole):
    before = contents(whole)
    watched = replace(config, watch=replace(config.watch, log_every=5, val_signals=0))
    for again in (config, watched):
        start, notes = learn(again, whole, resume=True)
        assert (start.digest, notes) == (digests(whole)[-1], [])
    assert contents(whole) == before
    # also where pictures were added since
    photos(tmp_path / "photos", 5, first=40)
    assert "5 new signals" in learn(config, whole, resume=True)[1][0]
    assert contents(whole) == before


@pytest.mark.parametrize("last", ["missing", "damaged", "another"])
def test_a_run_whose_last_start_is_not_as_it_should_be_is_not_finished(config, whole, last):
    expected, path = digests(whole), starts_of(whole)[-1]
    if last == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9] if last == "damaged" else starts_of(whole)[0].read_bytes())
    learn(config, whole, resume=True)
    assert digests(whole) == expected


def test_a_finished_run_takes_no_smaller_steps(config, whole):
    before = contents(whole)
    smaller = replace(config, outer=replace(config.outer, outer_step_size=1e-4))
    with pytest.raises(BadInput, match="is finished; learn with smaller steps in another folder"):
        learn(smaller, whole, resume=True)
    assert contents(whole) == before


# Signals that cannot be read


def test_signals_that_could_not_be_read_are_remembered_by_a_run_that_goes_on(tmp_path, folder, config):
    train = opened(config).train
    broken = {train.name(i) for i in (2, 5, 11)}
    for name in broken:
        (folder / name).write_bytes(b"no picture")
    config = replace(config, outer=replace(config.outer, dense_steps=30, steps_per_round=1))
    begin(config, tmp_path / "run", until=20)  # all were met by then, and few are met again
    with open_run(config, tmp_path / "run", opened(config), resume=True) as learning:
        learning.begin()
        assert set(learning.unreadable) == broken
    start, _ = learn(config, tmp_path / "run", resume=True)
    assert set(start.info["unreadable"]) == broken
    learn(config, tmp_path / "whole")
    assert digests(tmp_path / "run") == digests(tmp_path / "whole")


# metrics.jsonl


def without_the_clock(run):
    return [{key: value for key, value in line.items() if key != "seconds"} for line in read_metrics(run)]


@pytest.mark.parametrize("left", [0, 1, 150, 400])
def test_metrics_that_are_shorter_than_they_were_are_never_padded(tmp_path, config, whole, left):
    path = begin(config, tmp_path / "run") / "metrics.jsonl"
    os.truncate(path, left)
    _, notes = learn(config, tmp_path / "run", resume=True)
    assert notes == [f"{path} is shorter than the checkpoint says: some of its lines are lost"]
    assert b"\0" not in path.read_bytes()
    lines = [json.loads(line) for line in path.read_text().splitlines()]  # every line is whole
    assert [line["step"] for line in lines if "loss" in line][-8:] == list(range(10, 18))
    assert without_the_clock(tmp_path / "run")[-5:] == without_the_clock(whole)[-5:]


def test_lines_after_the_checkpoint_are_written_again(tmp_path, config, whole):
    path = begin(config, tmp_path / "run") / "metrics.jsonl"
    with path.open("a") as file:
        file.write('{"step": 10, "loss": 1, "round"')
    assert learn(config, tmp_path / "run", resume=True)[1] == []
    assert without_the_clock(tmp_path / "run") == without_the_clock(whole)


@pytest.mark.parametrize("what", ["link", "link to nothing", "pipe"])
def test_what_is_no_file_of_the_run_is_not_written_through(tmp_path, config, what):
    path = begin(config, tmp_path / "run") / "metrics.jsonl"
    other = tmp_path / "other"
    path.rename(other)
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(other if what == "link" else tmp_path / "nothing")
    kept = other.read_bytes()
    with pytest.raises(BadInput, match=r"metrics\.jsonl is no regular file but a link or a device; move it away"):
        learn(config, tmp_path / "run", resume=True)
    assert other.read_bytes() == kept
    assert not (tmp_path / "nothing").exists()
    if what != "link":
        assert read_metrics(tmp_path / "run") == []


def test_damaged_lines_of_metrics_are_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(
        b'{"step": 1}\n[2]\n3\nnull\n{"step": \xff\n' + b"[" * 100_000 + b'\n{"step": 4}\n{"st'
    )
    assert read_metrics(tmp_path) == [{"step": 1}, {"step": 4}]
    assert read_metrics(tmp_path / "nowhere") == []


# Earlier starts


@pytest.mark.parametrize("what", ["missing", "damaged", "of another run"])
def test_an_earlier_start_that_is_lost_is_noticed(tmp_path, config, whole, what):
    begin(config, tmp_path / "run", until=14)
    path = start_path(tmp_path / "run", 0)
    if what == "missing":
        path.unlink()
    elif what == "damaged":
        path.write_bytes(path.read_bytes()[:-3])
    else:
        learn(replace(config, field=replace(config.field, width=8)), tmp_path / "other")
        path.write_bytes(start_path(tmp_path / "other", 0).read_bytes())
    _, notes = learn(config, tmp_path / "run", resume=True)
    assert len(notes) == 1
    assert notes[0].startswith("the start of round 0 is lost, and going on does not make it again: ")
    assert "round-00.safetensors" in notes[0]
    assert [load_start(path).digest for path in starts_of(tmp_path / "run")[-2:]] == digests(whole)[-2:]


def test_a_run_that_lost_its_checkpoint_says_that_it_begins_anew(tmp_path, config, whole):
    before = digests(whole)
    (whole / "checkpoint.safetensors").unlink()
    _, notes = learn(config, whole, resume=True)
    assert notes == [f"{whole} has starts but no checkpoint.safetensors to go on from: it learns from the beginning, "
                     "and writes them again"]  # fmt: skip
    assert digests(whole) == before
    begin(config, tmp_path / "new", until=3)
    (tmp_path / "new" / "checkpoint.safetensors").unlink()  # nothing is lost where no round was finished
    assert learn(config, tmp_path / "new", resume=True)[1] == []


# Smaller steps


def overflowing(monkeypatch, at, loss=None):
    """The gradient of outer step `at` (from 0) is not finite; `loss` is told instead of what it is at that step."""
    real = learner.meta_gradient
    calls = iter(range(10**6))

    def gradient(*args):
        value, grad = real(*args)
        call = next(calls)
        if call == at:
            return (value if loss is None else torch.tensor(loss)), grad * torch.inf
        return value, grad

    monkeypatch.setattr(learner, "meta_gradient", gradient)
    return lambda: monkeypatch.setattr(learner, "meta_gradient", real)


@pytest.mark.parametrize("option", ["outer_step_size", "inner_step_size"])
def test_after_an_overflow_a_run_goes_on_with_smaller_steps_and_tells_of_it(tmp_path, config, monkeypatch, option):
    mend = overflowing(monkeypatch, 9)
    with pytest.raises(NotFinite, match="the checkpoint is that of outer step 9, the last good one"):
        learn(config, tmp_path / "run")
    mend()
    part = "outer" if option == "outer_step_size" else "inner"
    was = getattr(getattr(config, part), option)
    smaller = replace(config, **{part: replace(getattr(config, part), **{option: was / 5})})
    copied(tmp_path / "run", tmp_path / "as it was")
    start, notes = learn(smaller, tmp_path / "run", resume=True)
    change = {"step": 9, "round": 1, "option": f"{part}.{option}", "was": was, "now": was / 5}
    assert read_changes(tmp_path / "run") == start.info["changes"] == [change]
    assert load_start(start_path(tmp_path / "run", 0)).info["changes"] == []
    assert notes == []
    assert read_config(tmp_path / "run") == smaller
    # going on as before gives other numbers, and the same way twice the same
    learn(config, tmp_path / "as it was", resume=True)
    assert digests(tmp_path / "as it was")[-1] != start.digest
    learn(smaller, tmp_path / "run", resume=True)
    assert digests(tmp_path / "run")[-1] == start.digest


@pytest.mark.parametrize(
    "change", [{"outer_step_size": 2e-3}, {"tasks_per_step": 1}, {"outer_step_size": 1e-4, "dense_steps": 8}]
)
def test_nothing_but_smaller_steps_may_change(tmp_path, config, change):
    begin(config, tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(BadInput, match=f"another configuration .*{list(change)[-1]} was"):
        learn(replace(config, outer=replace(config.outer, **change)), tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


def test_a_run_goes_back_to_where_the_loss_was_usual_not_to_the_last_finite_numbers(tmp_path, config, monkeypatch):
    """With steps far too large, the first of them spoils the start, and some later one overflows."""
    spoilt = replace(config, outer=replace(config.outer, outer_step_size=300.0, dense_steps=50))
    with pytest.raises(NotFinite) as raised:
        learn(spoilt, tmp_path / "run")
    assert "outer step 0, the last good one" in str(raised.value)
    assert raised.value.good_step == 0
    assert load_checkpoint(tmp_path / "run" / "checkpoint.safetensors", "cpu").state.step == 0
    sound = replace(spoilt, outer=replace(spoilt.outer, outer_step_size=1e-3))
    start, _ = learn(sound, tmp_path / "run", resume=True)
    learn(sound, tmp_path / "never spoilt")
    assert start.digest == digests(tmp_path / "never spoilt")[-1]
    assert without_the_clock(tmp_path / "run") == without_the_clock(tmp_path / "never spoilt")


def test_a_run_that_was_stopped_when_it_was_lost_already_says_so(tmp_path, config, monkeypatch):
    begin(config, tmp_path / "run", until=3)
    path = tmp_path / "run" / "checkpoint.safetensors"
    vectors, pattern, about = read_vectors(path, "sparsine-checkpoint")
    vectors["theta"] *= 1e4  # as steps that were too large leave it
    write_vectors(
        path, vectors, pattern, {k: v for k, v in about.items() if k not in ("format", "sha256")}, "sparsine-checkpoint"
    )
    overflowing(monkeypatch, 1)
    with pytest.raises(NotFinite, match="was no better already: learn with smaller steps in another folder") as raised:
        learn(config, tmp_path / "run", resume=True)
    assert raised.value.good_step is None
    assert load_checkpoint(path, "cpu").state.step == 3


def test_a_change_that_never_took_effect_is_replaced(tmp_path):
    name = "outer.outer_step_size"
    keep_changes(tmp_path, 5, 1, [(name, 1.0, 0.5)])
    keep_changes(tmp_path, 5, 1, [(name, 1.0, 0.25)])
    keep_changes(tmp_path, 5, 1, [(name, 0.25, 0.125)])
    keep_changes(tmp_path, 7, 1, [])
    assert [(change["was"], change["now"]) for change in read_changes(tmp_path)] == [(1.0, 0.25), (0.25, 0.125)]
    assert is_allowed((name, 1, 0.5))
    assert not is_allowed((name, 1.0, 0.0))
    assert not is_allowed((name, None, 0.5))
    for damage in ("{}", "[1]", "[{}]", "x"):
        (tmp_path / CHANGES).write_text(damage)
        with pytest.raises(BadInput, match=r"changes\.json"):
            read_changes(tmp_path)


def test_a_loss_is_usual_within_ten_decibels_of_the_best_of_its_round():
    usual = UsualLoss()
    assert usual.sees(0.2)
    assert usual.sees(1.9)
    assert not usual.sees(2.5)
    for _ in range(200):
        assert usual.sees(0.01)
    assert not usual.sees(0.2)
    assert not usual.sees(float("inf"))
    assert not usual.sees(float("nan"))
    assert usual.sees(0.0)


def test_a_loss_that_rises_slowly_is_not_usual_for_ever():
    usual = UsualLoss()
    losses = [0.01 * 1.005**step for step in range(2000)]
    seen = [usual.sees(loss) for loss in losses]
    assert seen == sorted(seen, reverse=True)
    assert 0.08 < losses[seen.index(False)] < 0.12


# Learning that makes the start worse


def too_large(config, **outer):
    return replace(config, outer=replace(config.outer, outer_step_size=0.3, **outer))


def test_a_round_that_ends_above_where_it_began_is_named(tmp_path, config):
    _, notes = learn(too_large(config), tmp_path / "run")
    assert len(notes) >= 1
    assert re.fullmatch(
        r"the loss of round 0 ended above where it began: from -?[\d.]+ dB on validation signals to -?[\d.]+ dB; lower "
        r"--outer-step-size \(now 0\.3\) or --inner-step-size \(now 0\.01\), or take more steps",
        notes[0],
    )
    began, ended = (float(number) for number in re.findall(r"(-?[\d.]+) dB", notes[0]))
    assert ended < began
    measured = [line["val_psnr_db"][-1] for line in read_metrics(tmp_path / "run") if "val_psnr_db" in line]
    assert ended == pytest.approx(measured[2], abs=0.01)  # steps 3, 6 and 7, the last of round 0


def test_it_is_named_too_when_the_run_was_stopped_in_that_round(tmp_path, config):
    begin(too_large(config), tmp_path / "run", until=4)
    expected = learn(too_large(config), tmp_path / "whole")[1]
    assert learn(too_large(config), tmp_path / "run", resume=True)[1] == expected


def test_learning_that_learns_is_not_blamed_nor_are_rounds_without_steps_or_signals(tmp_path, config):
    longer = replace(config, outer=replace(config.outer, dense_steps=60, outer_step_size=2e-3))
    assert learn(longer, tmp_path / "learns")[1] == []
    assert learn(too_large(config, dense_steps=0, steps_per_round=0), tmp_path / "without steps")[1] == []
    unwatched = replace(too_large(config), watch=replace(config.watch, val_signals=0))
    assert learn(unwatched, tmp_path / "unwatched")[1] == []


# Damaged folders


def test_a_checkpoint_of_another_run_is_refused(tmp_path, config, whole):
    begin(config, tmp_path / "run")
    for other in (
        replace(config, field=replace(config.field, width=8)),
        replace(config, pruning=replace(config.pruning, rounds=4)),
        replace(config, outer=replace(config.outer, steps_per_round=50)),
    ):
        name = tmp_path / f"{other.field.width}-{other.pruning.rounds}-{other.outer.steps_per_round}"
        begin(other, name, until=20 if other.outer.steps_per_round == 5 and other.pruning.rounds > 2 else 15)
        (tmp_path / "run" / "checkpoint.safetensors").write_bytes((name / "checkpoint.safetensors").read_bytes())
        with pytest.raises(BadInput, match=r"checkpoint\.safetensors is not of this run"):
            learn(config, tmp_path / "run", resume=True)


HEADERS = {
    "no step": lambda h: h.pop("step"), "text for a step": lambda h: h.update(step="many"),
    "no number": lambda h: h.update(round=None), "negative": lambda h: h.update(metrics_bytes=-4),
    "infinite": lambda h: h.update(seconds="x"), "unreadable": lambda h: h.update(unreadable=[1]),
    "usual": lambda h: h.update(usual_loss=3), "usual, one number": lambda h: h.update(usual_loss=[1.0]),
    "usual, text": lambda h: h.update(usual_loss=["a", "b"]),
}  # fmt: skip


@pytest.mark.parametrize("damage", HEADERS)
def test_a_checkpoint_whose_header_makes_no_sense_is_named(tmp_path, config, damage):
    path = begin(config, tmp_path / "run") / "checkpoint.safetensors"
    vectors, pattern, about = read_vectors(path, "sparsine-checkpoint")
    HEADERS[damage](about)
    about = {key: value for key, value in about.items() if key not in ("format", "sha256")}
    write_vectors(path, vectors, pattern, about, "sparsine-checkpoint")
    with pytest.raises(BadInput, match=r"checkpoint\.safetensors is not a whole checkpoint .* or remove it"):
        learn(config, tmp_path / "run", resume=True)


@pytest.mark.parametrize("name", ["theta", "adam_mean"])
@pytest.mark.parametrize("damage", ["short", "nan", "missing"])
def test_a_checkpoint_whose_vectors_make_no_sense_is_named(tmp_path, config, name, damage):
    path = begin(config, tmp_path / "run") / "checkpoint.safetensors"
    vectors, pattern, about = read_vectors(path, "sparsine-checkpoint")
    if damage == "missing":
        del vectors[name]
    else:
        vectors[name] = vectors[name][:-1] if damage == "short" else vectors[name] * torch.nan
    about = {key: value for key, value in about.items() if key not in ("format", "sha256")}
    write_vectors(path, vectors, pattern, about, "sparsine-checkpoint")
    with pytest.raises(BadInput, match=r"checkpoint\.safetensors is not a whole checkpoint"):
        learn(config, tmp_path / "run", resume=True)


def test_a_full_disk_while_metrics_are_opened_is_a_failure_of_the_work(tmp_path, config, monkeypatch):
    begin(config, tmp_path / "run")

    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sparsine.meta.metrics.os.truncate", refuse)
    with pytest.raises(WorkFailed, match=r"cannot write .*metrics\.jsonl: No space left"):
        learn(config, tmp_path / "run", resume=True)


def test_the_loop_asks_a_finished_run_for_nothing(config, whole, monkeypatch):
    monkeypatch.setattr(sparse, "meta_train", None)
    learn(config, whole, resume=True)
    assert CONFIG.watch.checkpoint_seconds == 0.0

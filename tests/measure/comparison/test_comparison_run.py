"""Comparisons worked off by processes: done once, asked for more, killed, crowded, damaged and failing."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from sparsine import plugins
from sparsine.errors import BadInput
from sparsine.folders import locked
from sparsine.measure.comparison.comparison import Comparison
from sparsine.measure.comparison.records import read_cells
from sparsine.measure.comparison.run import collect, run_comparison
from sparsine.starts.start import load_start

METHODS = ("meta-sparse", "maml-imp", "scratch")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison that was never stopped: (folder, outcome, what was told on the way)."""
    root, told = tmp_path_factory.mktemp("whole") / "compared", []
    made = tiny.comparison(root, methods=METHODS)
    outcome = run_comparison(made, workers=1, on_progress=lambda fraction, what: told.append((fraction, what)))
    return root, outcome, told


def copied(whole, tmp_path):
    root = tmp_path / "copy"
    subprocess.run(["cp", "-r", whole[0], root], check=True)
    return root


def values(root):
    """All that must come out the same: PSNR and SSIM of every signal at every step, whatever the clock said."""
    return {
        str(path.relative_to(root)): {
            name: [(s["input"], s["status"], s["metrics"]) for s in protocol["signals"]]
            for name, protocol in json.loads(path.read_text())["protocols"].items()
        }
        for path in sorted((root / "cells").rglob("*.json"))
    }


def starts(root):
    return {str(path.relative_to(root)): load_start(path).digest for path in root.rglob("round-*.safetensors")}


def files(root):
    """Every file with its bytes, but the locks that are opened anew each time."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != ".lock"}


def test_every_cell_is_measured_and_collected(whole):
    root, outcome, _ = whole
    assert (outcome.num_cells, outcome.num_measured, outcome.failed) == (6, 6, {})
    assert len(values(root)) == 6
    lines = read_cells(root)
    assert {(line["method"], line["level"]) for line in lines} == {(m, f"round-0{k}") for m in METHODS for k in (1, 3)}
    assert read_cells(root / "cells.jsonl") == lines
    assert set(starts(root)) == {
        "learning/curves/seed-0/dense/starts/round-00.safetensors",
        *(f"learning/curves/seed-0/magnitude/starts/round-0{k}.safetensors" for k in range(4)),
    }


def test_the_fraction_done_rises_to_one_and_what_goes_on_is_named(whole):
    _, _, told = whole
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    said = {what for _, what in told if what}
    assert said <= {"curves 0: dense", "curves 0: magnitude", *(f"curves 0: {m} round-0{k}" for m in METHODS
                                                               for k in (1, 3))}  # fmt: skip
    assert said


def test_first_results_come_before_all_is_learned(tmp_path):
    """The cells of the first seed are measured before the second seed is learned."""
    run_comparison(tiny.comparison(tmp_path, methods=("dense-maml",), seeds=(3, 4)), workers=1)
    measured = (tmp_path / "cells/curves/seed-3/dense-maml/dense.json").stat().st_mtime
    learned = (tmp_path / "learning/curves/seed-4/dense/done.json").stat().st_mtime
    assert measured < learned


def test_what_is_done_is_not_done_again(whole, tmp_path):
    root = copied(whole, tmp_path)
    before = files(root)
    times = {path: path.stat().st_mtime_ns for path in before if path.name not in ("comparison.json", "cells.jsonl")}
    told = []
    made = tiny.comparison(root, methods=METHODS)
    outcome = run_comparison(made, workers=2, on_progress=lambda *progress: told.append(progress))
    assert (outcome.num_cells, outcome.num_measured, outcome.failed) == (6, 6, {})
    assert told == []
    assert files(root) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_more_methods_seeds_levels_and_data_can_be_asked_for_later(whole, tmp_path):
    root = copied(whole, tmp_path)
    kept = {path: content for path, content in files(root).items()
            if path.name not in ("comparison.json", "cells.jsonl")}  # fmt: skip
    more = tiny.comparison(root, {"curves": "curves", "others": "curves:5"}, methods=("scratch", "dense-maml"),
                           levels=(2,), seeds=(1, 0))  # fmt: skip
    outcome = run_comparison(more, workers=1)
    assert (outcome.num_cells, outcome.num_measured, outcome.failed) == (8, 8, {})
    assert {path: path.read_bytes() for path in kept} == kept
    # the collection holds what was asked for earlier, too
    found = {(line["data"]["label"], line["seed"], line["method"], line["level"]) for line in read_cells(root)}
    assert len(found) == 6 + 8
    assert ("curves", 0, "meta-sparse", "round-03") in found
    assert ("others", 1, "dense-maml", "dense") in found
    # and the first request can be repeated
    again = run_comparison(tiny.comparison(root, methods=METHODS), workers=1)
    assert (again.num_cells, again.num_measured) == (6, 6)


def test_only_the_first_seeds_signals_are_drawn(tmp_path):
    run_comparison(tiny.comparison(tmp_path, methods=("scratch",), levels=(2,), seeds=(5, 1)), workers=1)
    pictures = {line["seed"]: line["pictures"] for line in read_cells(tmp_path)}
    assert pictures == {5: 1, 1: 0}


def test_one_worker_and_two_come_to_the_same(whole, tmp_path):
    run_comparison(tiny.comparison(tmp_path, methods=METHODS), workers=2)
    assert values(tmp_path) == values(whole[0])
    assert starts(tmp_path) == starts(whole[0])


# Killed


def command(folder, *more):
    """The real command, slow enough to be killed in the middle: a few seconds of learning."""
    return [
        sys.executable, "-m", "sparsine", "compare", "quick", "--data", "curves", "--out", str(folder),
        "--methods", "meta-sparse", "maml-imp", "scratch", "--levels", "1", "2", "--limit", "2", "--pictures", "1",
        "--width", "7", "--hidden-layers", "2", "--resolution", "13x11", "--points", "60", "--tasks-per-step", "2",
        "--dense-steps", "250", "--steps-per-round", "120", "--rounds", "2", "--val-signals", "0",
        "--checkpoint-seconds", "0.02", "--workers", "2", *more,
    ]  # fmt: skip


def descendants(pid):
    """Of the process, by (pid, moment of birth): a number may be given to another process later."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry.name)] = (int(after_name[1]), after_name[19])
    found, grown = {pid}, True
    while grown:
        grown = {child for child, (parent, _) in parents.items() if parent in found} - found
        found |= grown
    return {(child, parents[child][1]) for child in found - {pid}}


def alive(process):
    pid, born = process
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return stat[19] == born and stat[0] != "Z"


def wait_until(what, seconds=60.0):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.005)


def killed_when(folder, moment, *more, patience=20.0):
    """kill -9 as soon as `moment` has come; nothing that it started may be left."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    # what it says goes nowhere: at the end of a pipe, we would wait for all that it started
    process = subprocess.Popen(command(folder, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment)  # fmt: skip
    try:
        wait_until(lambda: moment() or process.poll() is not None)
        assert process.poll() is None, "it ended before it could be killed"
        started = descendants(process.pid)
        assert len(started) >= 2  # the process that forks, and a job at least
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not any(map(alive, started)), seconds=patience)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


@needs_proc
def test_killed_and_killed_again_it_ends_with_the_same_values_and_leaves_no_process(tmp_path):
    killed, folder = tmp_path / "killed", tmp_path / "never stopped"
    dense, chain = (killed / f"learning/curves/seed-0/{name}" for name in ("dense", "magnitude"))
    killed_when(killed, lambda: (dense / "checkpoint.safetensors").exists())
    assert not (dense / "done.json").exists()
    killed_when(killed, lambda: (chain / "starts/round-00.safetensors").exists()
                and (chain / "checkpoint.safetensors").exists())  # fmt: skip
    assert (dense / "done.json").exists()
    assert not (chain / "done.json").exists()
    early = killed / "cells/curves/seed-0/scratch/round-01.json"  # needs nothing, and was measured meanwhile
    content = early.read_bytes()
    done = subprocess.run(command(killed), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert early.read_bytes() == content
    made = Comparison.read(killed)
    assert run_comparison(Comparison(made.config, made.data, folder), workers=1).failed == {}
    assert len(values(folder)) == 6
    assert values(killed) == values(folder)
    assert starts(killed) == starts(folder)
    assert list(killed.rglob("*.tmp")) == []
    # the record knows the outer steps that were needed, not those that were thrown away
    learning = {line["method"] + line["level"]: line["learning"]["outer_steps"] for line in read_cells(killed)}
    assert learning["meta-sparseround-02"] == 250 + 2 * 120


@needs_proc
def test_a_job_that_says_nothing_for_long_ends_with_the_command_that_began_it(tmp_path):
    begun = tmp_path / "begun"
    (tmp_path / "sleeps.py").write_text(f"""
import time
from pathlib import Path
from sparsine.measure.comparison.methods import METHODS, Method

class Sleeps(Method):
    name, label, family = "sleeps", "sleeps", "other"
    def needs(self, plan, level):
        return []
    def fitted_model(self, context):
        Path({str(begun)!r}).touch()
        time.sleep(60)

METHODS["sleeps"] = Sleeps()
""")
    more = ("--load", str(tmp_path / "sleeps.py"), "--methods", "sleeps")
    killed_when(tmp_path / "out", begun.exists, *more, patience=10.0)
    out = tmp_path / "out"
    assert set(out.rglob("*.json")) == {out / "comparison.json", out / "data" / "curves.json"}  # nothing was measured


def test_a_half_written_record_of_a_killed_process_is_swept_away(whole, tmp_path):
    root = copied(whole, tmp_path)
    folder = root / "cells/curves/seed-0/scratch"
    (folder / "round-03.json").rename(folder / ".round-03.json.12345.tmp")
    outcome = run_comparison(tiny.comparison(root, methods=METHODS), workers=1)
    assert outcome.num_measured == 6
    assert values(root) == values(whole[0])
    assert list(root.rglob("*.tmp")) == []


@pytest.mark.parametrize("folder", ["pictures/curves", "pictures/curves/scratch"])
def test_a_half_written_picture_of_a_killed_process_is_swept_away(whole, tmp_path, folder):
    root = copied(whole, tmp_path)
    (root / "cells/curves/seed-0/scratch/round-03.json").unlink()
    (root / folder / ".300-0.tmp").write_bytes(b"half of a PNG")
    assert run_comparison(tiny.comparison(root, methods=METHODS), workers=1).num_measured == 6
    assert list(root.rglob("*.tmp")) == []


# Refused


def refused(root, match, **changes):
    """Refused with these words, and not a byte of the folder is another one."""
    before = files(root)
    with pytest.raises(BadInput, match=match):
        run_comparison(tiny.comparison(root, **{"methods": METHODS, **changes}), workers=1)
    assert files(root) == before


def test_two_processes_cannot_work_in_one_folder(whole, tmp_path):
    root = copied(whole, tmp_path)
    with locked(root):
        refused(root, "another process is writing to .*copy")
    run_comparison(tiny.comparison(root, methods=METHODS), workers=1)


def test_another_configuration_is_refused_and_says_what_was_and_what_is_now(whole, tmp_path):
    root = copied(whole, tmp_path)
    outer = replace(tiny.LEARN.outer, outer_step_size=1e-4)
    refused(root, r"learn\.outer\.outer_step_size was 0\.001, now 0\.0001", learn=replace(tiny.LEARN, outer=outer))
    refused(root, "signals was 3, now 2", signals=2)
    refused(root, "latent_steps was 4, now 5", latent_steps=5)
    refused(root, r"adam\.steps was 7, now 8", adam=replace(tiny.CONFIG.adam, steps=8))


def test_a_label_cannot_come_to_mean_another_data_set(whole, tmp_path):
    root = copied(whole, tmp_path)
    before = files(root)
    with pytest.raises(BadInput, match="knows curves as curves, but it is curves:9 now"):
        run_comparison(tiny.comparison(root, {"curves": "curves:9"}, methods=METHODS), workers=1)
    assert files(root) == before


def test_what_is_watched_may_change(whole, tmp_path):
    root = copied(whole, tmp_path)
    watch = replace(tiny.LEARN.watch, log_every=3)
    changed = tiny.comparison(root, methods=METHODS, learn=replace(tiny.LEARN, watch=watch))
    assert run_comparison(changed, workers=1).num_measured == 6


CELL = "cells/curves/seed-0/maml-imp/round-03.json"


def edited(change):
    def damage(path):
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))

    return damage


DAMAGES = {
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-50]), "round-03.json is not valid JSON"),
    "empty": (lambda path: path.write_bytes(b""), "round-03.json is not valid JSON"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "round-03.json is not valid JSON"),
    "a list": (lambda path: path.write_text("[3]"), r"round-03.json is not a record of a cell \(found 'list'\)"),
    "something else": (edited(lambda r: r.update(kind="bench")), r"not a record of a cell \(found 'bench'\)"),
    "a later version": (edited(lambda r: r.update(record_version=3)), "round-03.json is of record version 3"),
    "without protocols": (edited(lambda r: r.pop("protocols")), "round-03.json is damaged: protocols is missing"),
    "of fewer signals": (edited(lambda r: r["made_from"].update(signals=2)), "round-03.json was made from"),
    "of other data": (edited(lambda r: r["made_from"].update(data="curves:4")), "round-03.json was made from"),
    "of another grid": (edited(lambda r: r["made_from"].update(shape=[11, 13])), "round-03.json was made from"),
    "of another protocol": (
        edited(lambda r: r["made_from"]["protocols"].update(adam=["adam", 1e-3, [0, 3, 7]])),
        "round-03.json was made from",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_named_and_nothing_is_lost(whole, tmp_path, damage):
    root = copied(whole, tmp_path)
    change, match = DAMAGES[damage]
    change(root / CELL)
    refused(root, match)


def test_a_damaged_record_that_was_moved_away_is_measured_again(whole, tmp_path):
    root = copied(whole, tmp_path)
    (root / CELL).rename(tmp_path / "away.json")
    assert run_comparison(tiny.comparison(root, methods=METHODS), workers=1).num_measured == 6
    assert values(root) == values(whole[0])


def test_a_damaged_record_of_another_request_stops_the_collecting_and_is_named(whole, tmp_path):
    root = copied(whole, tmp_path)
    (root / CELL).write_text("{")
    with pytest.raises(BadInput, match=r"maml-imp/round-03\.json"):
        collect(tiny.comparison(root, methods=("scratch",)))


def test_a_folder_from_before_an_option_was_there_can_be_gone_on_with(whole, tmp_path):
    root = copied(whole, tmp_path)
    path = root / "comparison.json"
    saved = json.loads(path.read_text())
    del saved["config"]["learn"]["outer"]["decay"], saved["config"]["learn"]["inner"]["sampling"]
    path.write_text(json.dumps(saved))
    assert run_comparison(tiny.comparison(root, methods=METHODS), workers=1).num_measured == 6
    assert values(root) == values(whole[0])


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"config": {}}', '{"data": {"curves": "curves"}}', "\u0000"])
def test_a_damaged_comparison_file_is_named(whole, tmp_path, content):
    root = copied(whole, tmp_path)
    (root / "comparison.json").write_text(content)
    refused(root, "comparison.json|holds a comparison with another configuration")
    with pytest.raises(BadInput, match=r"comparison\.json"):
        Comparison.read(root)


def test_a_comparison_comes_back_from_its_folder(whole):
    made = Comparison.read(whole[0])
    assert made.config == replace(tiny.CONFIG, methods=METHODS)
    assert made.data == {"curves": "curves"}
    with pytest.raises(BadInput, match=r"not the folder of a comparison: it has no comparison\.json"):
        Comparison.read(whole[0] / "cells")


def test_damaged_collections_are_named_by_their_line(whole, tmp_path):
    lines = (whole[0] / "cells.jsonl").read_text().splitlines()
    path = tmp_path / "cells.jsonl"
    for damaged, match in ((lines[2][:-9], "line 3, is damaged"), ('{"kind": "bench"}', "line 3, is not a record"),
                           (lines[2].replace('"record_version":2', '"record_version":7'), "version 7")):  # fmt: skip
        path.write_text("\n".join([*lines[:2], damaged, *lines[3:]]) + "\n")
        with pytest.raises(BadInput, match=match):
            read_cells(tmp_path)
    path.write_text("")
    with pytest.raises(BadInput, match="holds no record"):
        read_cells(path)
    with pytest.raises(BadInput, match="cannot read"):
        read_cells(tmp_path / "nowhere.jsonl")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="is a file"):
        run_comparison(tiny.comparison(tmp_path / "file"), workers=1)
    with pytest.raises(BadInput, match="cannot use"):
        run_comparison(tiny.comparison(tmp_path / "file" / "below"), workers=1)
    assert (tmp_path / "file").read_text() == "x"


# Failing

OWN = """
import os
from sparsine.measure.comparison.fitted_models import FromStart
from sparsine.measure.comparison.methods import METHODS, Method

class Own(Method):
    family = "other"
    def __init__(self, name, ending):
        self.name, self.label, self.ending = name, "my own " + name, ending
    def levels(self, plan):
        return [plan.level(0)]
    def needs(self, plan, level):
        return [plan.dense().at()]
    def fitted_model(self, context):
        self.ending()
        return FromStart(context.starts[0])

for method in (Own("fine", lambda: None), Own("dies", lambda: os._exit(9)), Own("stumbles", lambda: 1 / 0)):
    METHODS[method.name] = method
"""


@pytest.fixture
def own(tmp_path):
    from sparsine.measure.comparison.methods import METHODS as known

    (tmp_path / "own.py").write_text(OWN)
    plugins.load_files([tmp_path / "own.py"])
    yield
    for name in ("fine", "dies", "stumbles"):
        del known[name]


def test_loaded_methods_are_measured_and_a_job_that_fails_takes_nothing_with_it(own, tmp_path):
    made = tiny.comparison(tmp_path / "out", methods=("dies", "stumbles", "fine", "scratch"))
    outcome = run_comparison(made, workers=2)
    assert outcome.failed == {
        "cells/curves/seed-0/dies/dense.json": "its process ended with exit code 9",
        "cells/curves/seed-0/stumbles/dense.json": "unexpected ZeroDivisionError: division by zero",
    }
    assert (outcome.num_cells, outcome.num_measured) == (5, 3)
    labels = {line["method"]: line["label"] for line in read_cells(tmp_path / "out")}
    assert labels == {"fine": "my own fine", "scratch": "Scratch"}


def test_a_stage_that_diverges_is_reported_and_the_others_go_on(tmp_path):
    inner = replace(tiny.LEARN.inner, inner_step_size=1_000.0, inner_steps=60)
    made = tiny.comparison(tmp_path, methods=("meta-sparse", "scratch"), learn=replace(tiny.LEARN, inner=inner))
    outcome = run_comparison(made, workers=2)
    assert list(outcome.failed) == ["learning/curves/seed-0/dense"]
    assert "finite" in outcome.failed["learning/curves/seed-0/dense"]
    assert (outcome.num_cells, outcome.num_measured) == (4, 2)
    assert {line["method"] for line in read_cells(tmp_path)} == {"scratch"}
    assert not (tmp_path / "learning/curves/seed-0/dense/done.json").exists()
    # and is tried again the next time
    again = run_comparison(made, workers=1)
    assert list(again.failed) == ["learning/curves/seed-0/dense"]
    assert again.num_measured == 2

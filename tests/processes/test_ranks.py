"""Several processes learn one start together: the bits of one, and one line when something ends one of them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from sparsine.engines import make_engine
from sparsine.errors import WorkFailed
from sparsine.fields import Pattern, Siren
from sparsine.meta.ranks import ALONE, STAMP_BYTES, Ranks, Share
from sparsine.meta.run_folder import starts_of
from sparsine.meta.shared_engine import SharedEngine
from sparsine.starts.start import load_start

dist = pytest.importorskip("torch.distributed")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.skipif(not dist.is_available() or not dist.is_gloo_available(), reason="this torch has no gloo"),
]
SCRIPT = Path(__file__).with_name("several_ranks.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
GROUPS = (
    ("two", "three", "damaged", "begun_alone", "folder_of_the_first"),
    ("killed_at_once", "killed_in_a_step", "killed_in_a_score", "first_killed", "first_killed_with_its_store"),
    ("frozen", "full_disk", "interrupted", "told_to_end", "overflowed", "other_numbers"),
    ("planned", "told_while_planning", "reported", "restarted"),
    ("other_data", "missing_data", "other_options", "other_version", "too_many", "no_gpu", "one_gpu_for_all",
     "bad_option", "other_command"),
)  # fmt: skip


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What a case led to."""

    @cache
    def outcomes(group):
        folder = tmp_path_factory.mktemp("ranks")
        command = [sys.executable, str(SCRIPT), str(folder), *group]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return lambda case: next(outcomes(group)[case] for group in GROUPS if case in group)


def codes(ends):
    return [end["code"] for end in ends]


def lines(ends):
    """What all ranks said of the end."""
    return [line for end in ends for line in end["said"] if re.match("error|interrupted|Traceback", line)]


@pytest.mark.parametrize("case", ["two", "three"])
def test_ranks_learn_the_bits_of_one_process(outcome, case):
    found = outcome(case)
    assert set(codes(found["ends"])) == {0}
    assert found["same"]


def test_only_the_first_rank_speaks(outcome):
    first, *others = outcome("three")["ends"]
    assert any(line.startswith("done") for line in first["said"])
    assert [end["said"] for end in others] == [[], []]


def test_a_start_says_how_many_ranks_learned_it(outcome):
    assert outcome("three")["info"] == 3


def test_tasks_that_cannot_be_shared_evenly_are_told(outcome):
    assert any("3 tasks of a step on 2 ranks" in line for line in outcome("two")["ends"][0]["said"])
    assert not any("tasks of a step" in line for line in outcome("three")["ends"][0]["said"])


@pytest.mark.parametrize("count", [2, 3])
def test_signals_that_cannot_be_read_are_replaced_by_those_that_one_process_takes(outcome, count):
    found = outcome("damaged")
    assert set(codes(found[f"ends-{count}"])) == {0}
    assert found[f"same-{count}"]


def test_the_first_rank_knows_what_others_could_not_read(outcome):
    assert outcome("damaged")["told"] == [["0.png", "3.png", "5.png"]] * 3


@pytest.mark.parametrize(
    ("case", "ends", "who", "step"),
    [
        ("killed_at_once", [1, -9], "rank 1", None),
        ("killed_in_a_step", [1, -9], "rank 1", 3),
        ("killed_in_a_score", [1, 1, -9], "rank 2", 5),
        ("first_killed", [-9, 1, 1], "rank 0", 2),
        ("first_killed_with_its_store", [-9, 1], "rank 0", 3),
    ],
)
def test_a_rank_that_is_killed_ends_all_with_a_checkpoint_and_one_line(outcome, case, ends, who, step):
    found = outcome(case)
    assert codes(found["ends"]) == ends
    (line,) = lines(found["ends"])
    assert line.startswith(f"error: {who} ended without a word")
    assert found["step"] == step
    assert ("--resume" in line) == (step is not None)


@pytest.mark.parametrize("case", [*GROUPS[1], "begun_alone", "frozen", "full_disk", "interrupted", "told_to_end",
                                  "restarted"])  # fmt: skip
def test_another_number_of_ranks_goes_on_to_the_same_bits(outcome, case):
    found = outcome(case)
    assert set(codes(found["then"])) == {0}
    assert found["same"]


def test_what_one_process_began_was_begun(outcome):
    assert outcome("begun_alone")["step"] == 3


def test_only_the_first_rank_needs_the_folder_of_the_run(outcome):
    found = outcome("folder_of_the_first")
    assert codes(found["ends"]) == [1, -9]
    assert codes(found["then"]) == [0, 0]
    assert found["same"]
    assert not found["elsewhere"]


def test_a_rank_that_does_not_answer_is_waited_for_so_long_and_no_longer(outcome):
    found = outcome("frozen")
    assert codes(found["ends"]) == [1, "frozen"]
    (line,) = lines(found["ends"])
    assert "rank 1 does not answer: waited for 2 s (--rank-timeout)" in line
    assert found["step"] == 3


def test_a_full_disk_of_the_first_rank_ends_all_and_keeps_the_checkpoint_before(outcome):
    found = outcome("full_disk")
    assert codes(found["ends"]) == [1, 1]
    (line,) = lines(found["ends"])
    assert "No space left on device" in line
    assert found["step"] is not None


@pytest.mark.parametrize("case", ["interrupted", "told_to_end"])
def test_ranks_that_are_interrupted_end_with_a_checkpoint_and_how_to_go_on(outcome, case):
    found = outcome(case)
    assert codes(found["ends"]) == [130, 130]
    (line,) = lines(found["ends"])
    assert re.search("^interrupted; go on with: torchrun --nproc-per-node 2 -m sparsine learn .*--resume$", line)
    assert found["step"] == 3


def test_ranks_that_only_prune_may_be_more_than_tasks_and_find_the_plans_of_one_process(outcome):
    found = outcome("planned")
    assert codes(found["ends"]) == [0] * 5
    assert found["same"]


def test_ranks_that_have_ended_well_are_not_blamed(outcome):
    found = outcome("told_while_planning")
    assert codes(found["ends"]) == [130, 0]
    (line,) = lines(found["ends"])
    assert line.startswith("interrupted; go on with")


def test_the_result_is_reported_by_the_first_rank_alone(outcome):
    found = outcome("reported")
    assert found["ends"][1]["said"] == []
    assert found["told"] == "learn-summary"


def test_an_overflow_is_told_once_with_how_to_go_on(outcome):
    found = outcome("overflowed")
    assert codes(found["ends"]) == [1, 1]
    (line,) = lines(found["ends"])
    assert "go on with: torchrun --nproc-per-node 2 -m sparsine learn" in line
    assert found["step"] == 3


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("other_data", "rank 1: .* is not what rank 0 learns from: 3 train signals .* of other content"),
        ("missing_data", "rank 1: /nowhere does not exist"),
        ("other_options", "rank 2: .*outer.outer_step_size is 0.002, not 0.001; seed is 5, not 0"),
        ("other_version", "rank 2 has sparsine 0.0.1, not [^ ]+ as rank 0 has"),
        ("too_many", "4 ranks cannot share 3 tasks of an outer step: start 3 of them at most"),
        ("one_gpu_for_all", "'cuda:1', but each rank takes the GPU of its own number"),
        ("bad_option", "--tasks-per-step: got 'many'"),
        ("other_command", "fit works in one process, but torchrun started 2 of it"),
    ],
)
def test_ranks_that_cannot_work_together_say_so_once_and_learn_nothing(outcome, case, said):
    found = outcome(case)
    assert set(codes(found["ends"])) == {2}
    (line,) = lines(found["ends"])
    assert re.match(f"error: .*{said}", line)
    assert found.get("step") is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_ranks_without_a_gpu_each_are_refused(outcome):
    found = outcome("no_gpu")
    assert codes(found["ends"]) == [2, 2]
    (line,) = lines(found["ends"])
    assert "this machine has 0 GPUs that can be used, but 2 ranks on it need one each" in line


def test_ranks_that_come_to_other_numbers_stop(outcome):
    found = outcome("other_numbers")
    assert codes(found["ends"]) == [1, 1, 1]
    (line,) = lines(found["ends"])
    assert "rank 2 has other numbers than rank 0" in line


class Recorded(Ranks):
    """One of several: hears what was said before, and of ranks that said nothing yet that they have zeros."""

    def __init__(self, number, count, messages):
        self.number, self.count, self.messages = number, count, messages

    def gathered(self, mine, sizes):
        self.messages[self.number] = mine
        silent = [torch.cat([mine[:STAMP_BYTES], torch.zeros(size - STAMP_BYTES, dtype=torch.uint8)]) for size in sizes]
        return [self.messages.get(rank, said) for rank, said in enumerate(silent)]


def together(count, total, *whole, same=None):
    """What the last rank hears when each hands in its part of `whole`."""
    messages = {}
    for rank in range(count):
        share = Recorded(rank, count, messages).share(total)
        numbers = torch.tensor([1.5, -2.0]) if same is None else same[rank]
        found = share.gathered(numbers, *(each[share.part] for each in whole))
    return found


@pytest.mark.parametrize(("count", "total"), [(1, 5), (2, 5), (3, 7), (5, 5)])
def test_shares_are_put_together_in_the_order_of_the_tasks(count, total):
    losses, rows = torch.randn(total), torch.randn(total, 3, 2, dtype=torch.float64)
    found = together(count, total, losses, rows)
    assert torch.equal(found[0], losses)
    assert torch.equal(found[1], rows)


def test_every_task_is_of_one_rank_and_the_first_has_the_fewest():
    parts = [Share(Recorded(rank, 3, {}), 8).part for rank in range(3)]
    assert [list(range(8))[part] for part in parts] == [[0, 1], [2, 3, 4], [5, 6, 7]]


def test_a_single_other_number_is_noticed():
    same = [torch.tensor([0.25, 3.0]), torch.tensor([0.25, np.nextafter(np.float32(3), np.float32(4))])]
    with pytest.raises(WorkFailed, match="rank 1 has other numbers"):
        together(2, 4, torch.zeros(4), same=same)


def test_one_process_shares_with_nobody():
    assert ALONE.share(5).is_all
    assert ALONE.share(5).part == slice(0, 5)
    assert ALONE.from_all(b"word") == [b"word"]
    assert ALONE.from_first(b"word") == b"word"


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("what", ["loss_and_grad", "hvp"])
def test_a_shared_engine_answers_to_the_bit(what, own):
    pattern = Pattern.full(Siren(sizes=(2, 9, 8, 3)))
    engine, messages = make_engine(pattern, "dense"), {}
    theta = torch.stack([pattern.field.initial_theta(seed) for seed in range(5)])
    each = (5,) if own else ()
    vectors = (theta, torch.randn_like(theta)) if what == "hvp" else (theta,)
    given = (*vectors, torch.rand(*each, 17, 2), torch.rand(5, 17, 3), torch.rand(*each, 17))
    for rank in range(2):
        found = getattr(SharedEngine(engine, Recorded(rank, 2, messages)), what)(*given)
    expected = getattr(engine, what)(*given)
    pairs = [(found, expected)] if what == "hvp" else zip(found, expected, strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert len(messages) == 2


def torchrun(count, *args):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count), "-m", "sparsine", *args]
    return subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


LONG = ("learn", "curves:0/9", "--recipe", "quick", "--resolution", "5x7", "--width", "7", "--points", "11",
        "--tasks-per-step", "2", "--rounds", "1", "--val-signals", "0", "--log-every", "1")  # fmt: skip


def test_torchrun_starts_ranks_that_learn_what_one_process_learns(tmp_path):
    few = (*LONG, "--dense-steps", "4", "--steps-per-round", "2", "--out")
    ranks = torchrun(2, *few, str(tmp_path / "two"))
    said = ranks.communicate(timeout=120)[0]
    assert ranks.returncode == 0, said
    done = subprocess.run([sys.executable, "-m", "sparsine", *few, str(tmp_path / "one")], env=ENVIRONMENT,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "done" in done.stdout
    digests = [[load_start(path).digest for path in starts_of(tmp_path / name)] for name in ("one", "two")]
    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


@pytest.mark.parametrize("way", ["kill", "ctrl-c"])
def test_torchrun_ends_all_ranks_when_one_is_killed_or_it_is_interrupted(tmp_path, way):
    ranks = torchrun(2, *LONG, "--dense-steps", "100000", "--out", str(tmp_path / "run"))
    metrics, until = tmp_path / "run/metrics.jsonl", time.monotonic() + 90
    while not metrics.exists() or metrics.read_text().count("\n") < 3:
        assert ranks.poll() is None, ranks.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.05)
    if way == "kill":
        *_, last = Path(f"/proc/{ranks.pid}/task/{ranks.pid}/children").read_text().split()
        os.kill(int(last), signal.SIGKILL)
    else:
        ranks.send_signal(signal.SIGINT)
    said = ranks.communicate(timeout=60)[0]
    assert ranks.returncode != 0
    (line,) = [line for line in said.splitlines() if re.match("error: |interrupted", line)]
    assert line.startswith(
        "error: rank 1 ended without a word" if way == "kill" else "interrupted; go on with: torchrun"
    )
    assert (tmp_path / "run/checkpoint.safetensors").exists()

"""Started by test_ranks.py in a process of its own: runs of several ranks, forked as torchrun would start them.

Prints, as JSON, what each case led to: exit status and words of every rank, and whether the bits are those of one
process.
"""

import errno
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.utils.tensorboard
from PIL import Image

import sparsine.meta.learner as learner
import sparsine.meta.outer as outer
import sparsine.meta.rank_agreement as rank_agreement
import sparsine.meta.rank_group as rank_group
import sparsine.meta.run_starts as run_starts
import sparsine.storage as storage
from sparsine.cli.main import main
from sparsine.meta.checkpoint import load_checkpoint
from sparsine.meta.metrics import read_metrics
from sparsine.meta.rank_group import RankGroup
from sparsine.meta.run_folder import starts_of
from sparsine.starts.start import load_start

SMALL = ("--recipe", "quick", "--resolution", "5x7", "--width", "7", "--hidden-layers", "2", "--points", "11",
         "--tasks-per-step", "3", "--dense-steps", "5", "--steps-per-round", "3", "--rounds", "2", "--fraction", "0.3",
         "--score", "saliency", "--score.signals", "4", "--score.steps", "3", "--val-signals", "2", "--val-every", "2",
         "--log-every", "1", "--checkpoint-seconds", "0", "--plan-signals", "0")  # fmt: skip
LIMIT = 60.0
"""Seconds until a rank counts as one that hangs."""


def store_of_torchrun():
    """(store, port)."""
    port = free_port()
    return dist.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False), port


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(count, args, *, prepare=None, own=None, agent=True, store=None, attempt=0):
    """[exit status and words of every rank].

    Args:
        prepare: by rank, what it does first.
        own: by rank, arguments instead of `args`.
        agent: whether torchrun keeps the store; else the first rank does.
        store: that of an earlier attempt.
        attempt: of torchrun to start them, from 0.
    """
    store, port = store or (store_of_torchrun() if agent and count > 1 else (None, free_port()))
    own_store = {"TORCHELASTIC_USE_AGENT_STORE": True} if store else {}
    environment = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                   "TORCHELASTIC_RESTART_COUNT": attempt, **own_store}  # fmt: skip
    children = []
    for rank in range(count):
        words = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by its end)
        child = os.fork()
        if child == 0:
            os.environ |= {
                name: str(value) for name, value in (environment | {"RANK": rank, "LOCAL_RANK": rank}).items()
            }
            os._exit(in_child(words, (prepare or {}).get(rank), (own or {}).get(rank, args)))
        children.append((child, words))
    codes = ends_of([child for child, _ in children])
    del store
    return [{"code": codes[child], "said": read(words)} for child, words in children]


def in_child(words, prepare, args):
    for stream in (1, 2):
        os.dup2(words.fileno(), stream)
    try:
        if prepare:
            prepare()
        return main(args)
    except SystemExit as end:
        return end.code


def ends_of(children):
    """Exit status by child: minus a signal, 'frozen' where it was stopped by one, 'hung' where it did not end."""
    until, codes = time.monotonic() + LIMIT, {}
    while len(codes) < len(children):
        for child in set(children) - codes.keys():
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                codes[child] = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        waiting = set(children) - codes.keys()
        if waiting and (time.monotonic() > until or all(map(is_frozen, waiting))):
            for child in waiting:
                codes[child] = "frozen" if is_frozen(child) else "hung"
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        time.sleep(0.02)
    return codes


def is_frozen(child):
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def read(words):
    words.seek(0)
    return words.read().splitlines()


def instead(module, name, number, act):
    """When it is prepared, `act` comes before the `number`-th call of a function."""

    def prepare():
        calls, real = iter(range(1, 10**6)), getattr(module, name)

        def function(*given, **named):
            if next(calls) == number:
                act()
            return real(*given, **named)

        setattr(module, name, function)

    return prepare


def at_message(number, act):
    """Of the messages with numbers: 1 and 2 are versions, 3 and 4 agreement, then come steps and fits of scores."""
    return instead(RankGroup, "gathered", number, act)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def freeze():
    os.kill(os.getpid(), signal.SIGSTOP)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def be_told_to_end():
    os.kill(os.getpid(), signal.SIGTERM)


def run_out_of_space():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def have_another_version():
    rank_agreement.__version__ = "0.0.1"


def drift():
    real = outer.adam_step
    outer.adam_step = lambda theta, *given: (lambda new, state: (new + 1e-6, state))(*real(theta, *given))


def overflow():
    real = learner.meta_gradient
    calls = iter(range(1, 10**6))
    learner.meta_gradient = lambda *given: (real(*given)[0], real(*given)[1] * (float("inf") if next(calls) > 3 else 1))


def bits(folder):
    """All that must come out the same."""
    metrics = [{k: v for k, v in line.items() if k != "seconds"} for line in read_metrics(folder)]
    return {path.name: load_start(path).digest for path in starts_of(folder)}, metrics


def pictures(folder, damaged=()):
    folder.mkdir()
    for i in range(9):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    for i in damaged:
        (folder / f"{i}.png").write_bytes(b"no picture")
    return f"images:{folder}"


class Cases:
    """Each method is one; what it returns is printed under its name."""

    def __init__(self, folder):
        self.folder = folder
        self.data = pictures(folder / "pictures")
        self.expected = self.learned_alone("whole")

    def learn(self, name, *more, data=None):
        return ["learn", data or self.data, "--out", str(self.folder / name), *SMALL, *more]

    def learned_alone(self, name, data=None):
        (end,) = start(1, self.learn(name, data=data))
        assert end["code"] == 0, end
        return bits(self.folder / name)

    def outcome(self, name, count, *more, then=None, **given):
        """Of a run that may end early, and goes on with `then` ranks."""
        path = self.folder / name / "checkpoint.safetensors"
        found = {"ends": start(count, self.learn(name, *more), **given)}
        found["step"] = load_checkpoint(path, "cpu").state.step if path.exists() else None
        if then:
            found["then"] = start(then, self.learn(name, "--resume"))
        return found | {"same": bits(self.folder / name) == self.expected}

    def two(self):
        return self.outcome("two", 2)

    def three(self):
        last = self.outcome("three", 3)
        return last | {"info": load_start(starts_of(self.folder / "three")[-1]).info["ranks"]}

    def damaged(self):
        """Pictures that cannot be read are replaced by those that one process takes."""
        data, found = pictures(self.folder / "damaged", damaged=(0, 3, 5)), {}
        expected = self.learned_alone("damaged-1", data)
        for count in (2, 3):
            found[f"ends-{count}"] = start(count, self.learn(f"damaged-{count}", data=data))
            found[f"same-{count}"] = bits(self.folder / f"damaged-{count}") == expected
        told = [load_start(starts_of(self.folder / f"damaged-{n}")[-1]).info["unreadable"] for n in (1, 2, 3)]
        return found | {"told": [sorted(each) for each in told]}

    def killed_at_once(self):
        return self.outcome("killed-at-once", 2, prepare={1: at_message(1, die)}, then=1)

    def killed_in_a_step(self):
        return self.outcome("killed-in-a-step", 2, prepare={1: at_message(8, die)}, then=3)

    def killed_in_a_score(self):
        return self.outcome("killed-in-a-score", 3, prepare={2: at_message(11, die)}, then=2)

    def restarted(self):
        """As by torchrun --max-restarts."""
        store, args = store_of_torchrun(), self.learn("restarted", "--resume")
        ends = start(2, args, prepare={1: at_message(8, die)}, store=store)
        then = start(2, args, store=store, attempt=1)
        return {"ends": ends, "then": then, "same": bits(self.folder / "restarted") == self.expected}

    def first_killed(self):
        return self.outcome("first-killed", 3, prepare={0: at_message(7, die)}, then=1)

    def first_killed_with_its_store(self):
        return self.outcome("store", 2, prepare={0: at_message(8, die)}, agent=False, then=2)

    def begun_alone(self):
        return self.outcome("begun-alone", 1, prepare={0: instead(learner, "meta_gradient", 4, die)}, then=3)

    def frozen(self):
        return self.outcome("frozen", 2, "--rank-timeout", "2", prepare={1: at_message(8, freeze)}, then=2)

    def full_disk(self):
        return self.outcome("full", 2, prepare={0: instead(storage, "replace", 6, run_out_of_space)}, then=3)

    def interrupted(self):
        return self.outcome("interrupted", 2, prepare={1: at_message(8, interrupt)}, then=2)

    def planned(self):
        """Without a single outer step there may be more ranks than tasks; plans are looked for by the first alone."""
        few = ("--dense-steps", "0", "--steps-per-round", "0", "--plan-signals", "1", "--rounds", "1")
        ends = [start(1, self.learn("plans-1", *few)), start(4, self.learn("plans-4", *few))]
        starts = [load_start(starts_of(self.folder / name)[-1]) for name in ("plans-1", "plans-4")]
        return {
            "ends": [*ends[0], *ends[1]],
            "same": (starts[0].digest, starts[0].plans) == (starts[1].digest, starts[1].plans),
        }

    def told_while_planning(self):
        """The others have ended well, and are not to blame."""
        plan = {0: instead(run_starts, "find_plans", 1, be_told_to_end)}
        return self.outcome("told-late", 2, "--plan-signals", "1", prepare=plan)

    def told_to_end(self):
        return self.outcome("told", 2, prepare=dict.fromkeys((0, 1), at_message(8, be_told_to_end)), then=1)

    def overflowed(self):
        return self.outcome("overflowed", 2, prepare=dict.fromkeys((0, 1), overflow))

    def other_data(self):
        data = pictures(self.folder / "others", damaged=range(4))
        return self.outcome("other-data", 2, own={1: self.learn("other-data", data=data)})

    def missing_data(self):
        return self.outcome("missing-data", 2, own={1: self.learn("missing-data", data="images:/nowhere")})

    def other_options(self):
        return self.outcome("options", 3, own={2: self.learn("options", "--outer-step-size", "2e-3", "--seed", "5")})

    def other_version(self):
        return self.outcome("version", 3, prepare={2: have_another_version})

    def other_numbers(self):
        return self.outcome("numbers", 3, prepare={2: drift})

    def too_many(self):
        return self.outcome("too-many", 4)

    def no_gpu(self):
        return self.outcome("no-gpu", 2, "--device", "cuda")

    def one_gpu_for_all(self):
        return self.outcome("one-gpu", 2, "--device", "cuda:1")

    def reported(self):
        path = self.folder / "told.json"
        ends = start(2, self.learn("reported", "--json", str(path), "--quiet"))
        return {"ends": ends, "told": json.loads(path.read_text())["kind"]}

    def bad_option(self):
        return self.outcome("bad-option", 2, "--tasks-per-step", "many")

    def other_command(self):
        return {"ends": start(2, ["fit", "photos-2k", self.data, "--out", str(self.folder / "fits")])}

    def folder_of_the_first(self):
        """Ranks on other machines do not see the folder of the run."""
        elsewhere = str(self.folder / "elsewhere")
        found = self.outcome("here", 2, prepare={1: at_message(8, die)}, own={1: self.learn("elsewhere")})
        args = ["learn", self.data, "--resume", "--out"]
        ends = start(2, [*args, str(self.folder / "here")], own={1: [*args, elsewhere]})
        same = bits(self.folder / "here") == self.expected
        return found | {"then": ends, "same": same, "elsewhere": Path(elsewhere).exists()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    rank_group.LAST_WORDS_SECONDS = 0.5
    cases = Cases(Path(sys.argv[1]))
    print(json.dumps({name: getattr(cases, name)() for name in sys.argv[2:]}))

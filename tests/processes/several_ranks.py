"""Started by test_ranks.py in a process of its own: runs of several ranks, which are forked as torchrun would start them.

Prints, as JSON, what each case led to: exit status and last lines of every rank, and the bits that were learned.
"""

import errno
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.utils.tensorboard
from PIL import Image

import sparsine.meta.outer as outer
import sparsine.meta.rank_agreement as rank_agreement
import sparsine.meta.rank_group as rank_group
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


def on_disk(data, out, *more):
    return ["learn", data, "--out", str(out), *SMALL, *more]


def start_ranks(count, args, prepare=None, *, own=None, store=True):
    """Exit status and what was said, by rank. `prepare[rank]()` comes first in that rank; `own[rank]` are its args.
    `store`: kept by another process, as torchrun does it; else by the first rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agent = dist.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False) if store else None
    children = []
    for rank in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(write, 1)
            os.dup2(write, 2)
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1",
                           "LOCAL_WORLD_SIZE": str(count), "MASTER_PORT": str(port)}  # fmt: skip
            if store:
                os.environ["TORCHELASTIC_USE_AGENT_STORE"] = "True"
            code = 99
            try:
                (prepare or {}).get(rank, lambda: None)()
                code = main((own or {}).get(rank, args))
            except SystemExit as end:
                code = end.code
            finally:
                os._exit(code)
        os.close(write)
        children.append((child, read))
    found = _ends(children)
    del agent
    return found


def _ends(children):
    until, codes = time.monotonic() + LIMIT, {}
    while len(codes) < len(children):
        for child, _ in children:
            if child in codes:
                continue
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                codes[child] = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            elif time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
                codes[child] = "hung"
        frozen = [child for child, _ in children if child not in codes and _is_stopped(child)]
        if frozen and len(frozen) + len(codes) == len(children):
            for child in frozen:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                codes[child] = "frozen"
        time.sleep(0.02)
    return [{"code": codes[child], "said": _all(read)} for child, read in children]


def _is_stopped(child):
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _all(read):
    with open(read, errors="replace") as pipe:
        return pipe.read().splitlines()


def alone(args):
    return start_ranks(1, args, store=False)


def at(number, act):
    """`act` in the place of the `number`-th message of a rank."""

    def prepare():
        calls, real = iter(range(1, 10**6)), RankGroup.gathered

        def gathered(self, *given):
            if next(calls) == number:
                act()
            return real(self, *given)

        RankGroup.gathered = gathered

    return prepare


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def freeze():
    os.kill(os.getpid(), signal.SIGSTOP)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def full_disk_at(number):
    def prepare():
        calls, real = iter(range(1, 10**6)), storage.replace

        def replace(path, *given):
            if next(calls) >= number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(path, *given)

        storage.replace = replace

    return prepare


def other_version():
    rank_agreement.__version__ = "0.0.1"


def drifts():
    real = outer.adam_step
    outer.adam_step = lambda theta, *given: (lambda new, state: (new + 1e-6, state))(*real(theta, *given))


def bits(folder):
    """All that must come out the same."""
    starts = {path.name: load_start(path) for path in starts_of(folder)}
    metrics = [{k: v for k, v in line.items() if k != "seconds"} for line in read_metrics(folder)]
    return {"digests": {name: start.digest for name, start in starts.items()}, "metrics": metrics}


def step_of(folder):
    path = folder / "checkpoint.safetensors"
    return load_checkpoint(path, "cpu").state.step if path.exists() else None


def pictures(folder, count=9, damaged=()):
    folder.mkdir()
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    for i in damaged:
        (folder / f"{i}.png").write_bytes(b"no picture")
    return f"images:{folder}"


class Cases:
    """Each method is a case; its result is printed under its name."""

    def __init__(self, folder):
        self.folder = folder
        self.data = pictures(folder / "pictures")
        self.expected = self.learned_alone(self.data, "whole")

    def learned_alone(self, data, name):
        (end,) = alone(on_disk(data, self.folder / name))
        assert end["code"] == 0, end
        return bits(self.folder / name)

    def resumed(self, name, count, data=None):
        ends = start_ranks(count, on_disk(data or self.data, self.folder / name, "--resume"), store=count > 1)
        return {"codes": [end["code"] for end in ends], "same": bits(self.folder / name) == self.expected, "ends": ends}

    def same_bits(self):
        found = {}
        for count in (2, 3):
            out = self.folder / f"of-{count}"
            ends = start_ranks(count, on_disk(self.data, out))
            found[count] = {"ends": ends, "same": bits(out) == self.expected, "info": load_start(starts_of(out)[-1]).info["ranks"]}
        return found

    def damaged(self):
        """Signals that cannot be read are replaced by the same ones."""
        data = pictures(self.folder / "damaged-pictures", damaged=(0, 3, 5))
        expected = self.learned_alone(data, "damaged-alone")
        found = {}
        for count in (2, 3):
            out = self.folder / f"damaged-{count}"
            ends = start_ranks(count, on_disk(data, out))
            unreadable = load_start(starts_of(out)[-1]).info["unreadable"]
            found[count] = {"ends": ends, "same": bits(out) == expected, "unreadable": sorted(unreadable)}
        return found | {"alone": sorted(load_start(starts_of(self.folder / "damaged-alone")[-1]).info["unreadable"])}

    def killed(self):
        """(who, of how many, at which of its messages, goes on with)."""
        found = []
        for rank, count, number, after in [(1, 2, 1, 1), (1, 2, 9, 3), (2, 3, 6, 1), (0, 2, 8, 2), (1, 2, 13, 1), (0, 3, 17, 2)]:
            name = f"killed-{rank}-{count}-{number}"
            ends = start_ranks(count, on_disk(self.data, self.folder / name), {rank: at(number, die)})
            found.append({"who": rank, "ends": ends, "step": step_of(self.folder / name), "after": self.resumed(name, after)})
        return found

    def store_lost(self):
        """The first rank keeps the store, and is killed."""
        ends = start_ranks(2, on_disk(self.data, self.folder / "store"), {0: at(9, die)}, store=False)
        return {"ends": ends, "after": self.resumed("store", 2)}

    def begun_alone(self):
        out = self.folder / "begun"
        start_ranks(1, on_disk(self.data, out), {0: dies_in_gradient(4)}, store=False)
        return {"step": step_of(out), "after": self.resumed("begun", 3)}


def dies_in_gradient(number):
    def prepare():
        calls, real = iter(range(1, 10**6)), outer.meta_gradient
        outer.meta_gradient = lambda *given: die() if next(calls) == number else real(*given)

    return prepare


def _refused(self, name, count, prepare=None, own=None, more=()):
    out = self.folder / name
    ends = start_ranks(count, on_disk(self.data, out, *more), prepare, own=own)
    return {"ends": ends, "left": sorted(path.name for path in out.glob("*")) if out.exists() else []}


class Refusals(Cases):
    def other_data(self):
        data = pictures(self.folder / "other-pictures", damaged=range(4))
        return _refused(self, "other-data", 2, own={1: on_disk(data, self.folder / "other-data")})

    def missing_data(self):
        return _refused(self, "missing-data", 2, own={1: on_disk("images:/nowhere", self.folder / "missing-data")})

    def other_options(self):
        own = {2: on_disk(self.data, self.folder / "other-options", "--outer-step-size", "2e-3", "--seed", "5")}
        return _refused(self, "other-options", 3, own=own)

    def other_version(self):
        return _refused(self, "other-version", 3, {2: other_version})

    def too_many(self):
        return _refused(self, "too-many", 4)

    def no_gpu(self):
        return _refused(self, "no-gpu", 2, more=("--device", "cuda"))

    def own_gpu(self):
        return _refused(self, "own-gpu", 2, more=("--device", "cuda:1"))

    def bad_option(self):
        return _refused(self, "bad-option", 2, more=("--tasks-per-step", "many"))


class Ends(Refusals):
    def frozen(self):
        out = self.folder / "frozen"
        ends = start_ranks(2, on_disk(self.data, out, "--rank-timeout", "2"), {1: at(8, freeze)})
        return {"ends": ends, "step": step_of(out), "after": self.resumed("frozen", 1)}

    def full_disk(self):
        out = self.folder / "full"
        ends = start_ranks(2, on_disk(self.data, out), {0: full_disk_at(6)})
        return {"ends": ends, "step": step_of(out), "after": self.resumed("full", 3)}

    def interrupted(self):
        out = self.folder / "interrupted"
        ends = start_ranks(2, on_disk(self.data, out), {1: at(9, interrupt)})
        return {"ends": ends, "step": step_of(out), "after": self.resumed("interrupted", 2)}

    def drifted(self):
        return _refused(self, "drifted", 3, {2: drifts})

    def folder_elsewhere(self):
        """Ranks on other machines do not see the folder of the run."""
        out, other = self.folder / "here", on_disk(self.data, self.folder / "nowhere", "--resume")
        first = start_ranks(2, on_disk(self.data, out), {1: at(9, die)}, own={1: on_disk(self.data, self.folder / "nowhere")})
        ends = start_ranks(2, ["learn", self.data, "--out", str(out), "--resume"], own={1: ["learn", self.data, "--out", other[3], "--resume"]})
        return {"first": first, "ends": ends, "same": bits(out) == self.expected, "nowhere": (self.folder / "nowhere").exists()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    rank_group.LAST_WORDS_SECONDS = 0.5
    cases = Ends(Path(sys.argv[1]))
    names = sys.argv[2:]
    print(json.dumps({name: getattr(cases, name)() for name in names}))

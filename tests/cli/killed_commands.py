"""Started by test_codec_commands.py in a process of its own: the command that is really killed, and given again.

Each time a forked child runs `sparsine encode ...` (or decode) and gets SIGKILL at a chosen call. Prints, as JSON, what
each way of dying led to.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch

import sparsine.cli.decode  # so that no child has to load what the parent has
import sparsine.cli.encode  # noqa: F401
import sparsine.storage as storage
from sparsine.cli.main import main


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def while_writing(number):
    """Half of what was written last is on disk when the end comes: of a file under its temporary name, of a journal."""
    calls, real = iter(range(1, 10**6)), os.fsync

    def fsync(descriptor):
        if next(calls) == number:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 9)
            die()
        real(descriptor)

    storage.os.fsync = fsync


def before_rename(number):
    calls, real = iter(range(1, 10**6)), os.replace
    storage.os.replace = lambda *names: die() if next(calls) == number else real(*names)


def in_child(work):
    """The signal that ended the child; 0 where it ended well by itself."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(work())
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def results(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".spn", ".png")}


def run(args, folder, way=None, number=0):
    def work():
        if way:
            way(number)
        return main([*args, "--out", str(folder)])

    return in_child(work)


def outcomes(args, folder, cases):
    assert run(args, folder / "whole") == 0
    whole = results(folder / "whole")
    for way, number in cases:
        out = folder / f"{way.__name__}-{number}"
        killed = run(args, out, way, number)
        left = results(out)
        sound = all(data == whole[name] for name, data in left.items())
        resumed = run(args, out)
        yield {"case": out.name, "killed": killed == signal.SIGKILL, "left": len(left), "of": len(whole),
               "sound": sound, "resumed": resumed == 0, "same": results(out) == whole,
               "leftovers": len(list(out.glob(".*.tmp")))}  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    start, folder = sys.argv[1], Path(sys.argv[2])
    encoding = ["encode", start, "curves", "--limit", "7", "--steps", "3", "--batch", "2"]
    # of the calls to fsync: 2 is the request, 4 a code, 5 and 11 are the journal
    cases = [(way, n) for way, ns in ((while_writing, (2, 4, 5, 11)), (before_rename, (2, 6))) for n in ns]
    found = list(outcomes(encoding, folder / "codes", cases))
    decoding = ["decode", str(folder / "codes" / "whole"), "--start", start, "--scale", "3"]
    found += outcomes(decoding, folder / "pictures", [(while_writing, 5), (before_rename, 5)])
    print(json.dumps(found))

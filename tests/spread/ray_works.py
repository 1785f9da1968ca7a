"""Work of which something goes wrong, for tests; workers get these classes as their code."""

import errno
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from sparsine.codec.files.encode_work import EncodeWork
from sparsine.errors import BadInput, NotEnoughMemory
from sparsine.spread import Work


@dataclass
class Doubled(Work):
    """Twice a number; of a list, of each. What happens to a number before that is told by `fate`."""

    folder: Path
    """A file here for each call: 'NUMBER-CALL'."""
    fates: dict
    """number: what happens at each of its calls, the last one from then on."""

    def __call__(self, item):
        return [self.one(number) for number in item]

    def one(self, number):
        fates = self.fates.get(number, [""])
        calls = len(list(self.folder.glob(f"{number}-*")))
        (self.folder / f"{number}-{calls}").touch()
        return FATES[fates[min(calls, len(fates) - 1)]](number)

    def parts(self, item):
        return [[number] for number in item] if len(item) > 1 else ()

    def give_up(self, item, why):
        return [f"{number}: {why}" for number in item]

    def calls(self, number):
        return len(list(self.folder.glob(f"{number}-*")))


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def fill_the_disk(number):
    raise OSError(errno.ENOSPC, "No space left on device")


def need_too_much(number):
    raise NotEnoughMemory(f"{number} would need 9 GiB")


def refuse(number):
    raise BadInput(f"{number} is not wanted")


def break_down(number):
    raise ZeroDivisionError(f"{number} / 0")


FATES = {"": lambda number: 2 * number, "dies": die, "disk": fill_the_disk, "memory": need_too_much, "refused": refuse,
         "breaks": break_down, "slow": lambda number: time.sleep(0.5) or 2 * number}  # fmt: skip


@dataclass(frozen=True)
class WaitsToBeKilled(EncodeWork):
    """The first batch that comes to a worker stays there until somebody kills it."""

    def __call__(self, item):
        place = Path(os.environ["SPARSINE_TEST_PLACE"])
        try:
            (place / "taken").touch(exist_ok=False)
        except FileExistsError:
            return super().__call__(item)
        (place / "pid.part").write_text(str(os.getpid()))
        os.rename(place / "pid.part", place / "pid")
        time.sleep(600)

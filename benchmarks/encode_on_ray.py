"""Many small pictures on a local Ray cluster, of which one worker is killed in the middle: are all codes made, are they
those of one process, and how many a second?

Squares are cut out of the pictures in FOLDER, as many as asked for, and written as PNG files into a temporary folder;
`sparsine encode` makes codes of all of them with `--ray local:N`, and of every so-many-th in one process with as many
threads. Both are timed from their first code to their last, so without starting anything.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

from PIL import Image

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.environment import environment
from sparsine.errors import BadInput, WorkFailed
from sparsine.signals.listing import list_images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--start", default="photos-2k")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=32, help="pixels along each edge of a square")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=20, help="of the squares are made codes of in one process, too")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut_squares(args, folder)
        on_ray = encode(args, folder / "all", folder / "ray", ["--ray", f"local:{args.workers}"], kill=True)
        print(on_ray, flush=True)
        here = encode(args, folder / "some", folder / "here", [])
        print(here, flush=True)
        same = [path.read_bytes() == (folder / "ray" / path.name).read_bytes()
                for path in sorted((folder / "here").glob("*.spn"))]  # fmt: skip
        told = {"kind": "benchmark", "name": "encode_on_ray", **environment(), "start": args.start, "size": args.size,
                "steps": args.steps, "workers": args.workers, "rows": [on_ray, here], "compared": len(same),
                "same": sum(same)}  # fmt: skip
    print(f"{sum(same)} of {len(same)} codes are the same bytes")
    json.write_json(told)
    if not all(same) or on_ray["codes"] != args.count:
        raise WorkFailed("not all codes were made, or not the same")


def cut_squares(args: argparse.Namespace, folder: Path) -> None:
    """`all` of them, and links to `some`."""
    (folder / "all").mkdir(), (folder / "some").mkdir()
    for number, square in zip(range(args.count), squares(args.folder, args.size, args.count), strict=False):
        square.save(place := folder / "all" / f"{number:06d}.png")
        if number % args.every == 0:
            os.link(place, folder / "some" / place.name)


def squares(folder: Path, size: int, count: int) -> Iterator[Image.Image]:
    """Without end: each picture cut into squares that do not overlap, a few of each in turn."""
    names = list_images(folder).names
    if not names:
        raise BadInput(f"{folder} holds no image; name a folder of photographs")
    per_picture = -(-count // len(names))
    for name in cycle(names):
        with Image.open(folder / name) as opened:
            picture = opened.convert("RGB")
        across = max(1, picture.width // size)
        for place in range(per_picture):
            row, column = divmod(place, across)
            yield picture.crop((column * size, row * size, (column + 1) * size, (row + 1) * size))


def encode(args: argparse.Namespace, pictures: Path, out: Path, more: list[str], kill: bool = False) -> dict[str, Any]:
    """What a command did, in numbers; a worker of its is killed in the middle."""
    number, killed, first, had = len(list(pictures.iterdir())), None, 0.0, 0
    threads = {} if more else {"OMP_NUM_THREADS": str(args.workers)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sparsine", "encode", args.start, str(pictures), "--steps", str(args.steps), "--out",
         str(out), *more],
        stdout=subprocess.DEVNULL, env={**os.environ, **threads},
    )  # fmt: skip
    while process.poll() is None:
        time.sleep(0.2)
        done = len(list(out.glob("*.spn"))) if out.is_dir() else 0
        if done and not first:
            first, had = time.monotonic(), done
        if kill and killed is None and done >= number / 2:
            killed = kill_a_worker(process.pid)
            print(f"killed worker {killed} after {done} codes", flush=True)
    seconds, codes = time.monotonic() - first, len(list(out.glob("*.spn")))
    return {"on": "Ray" if more else "one process", "signals": number, "codes": codes, "status": process.returncode,
            "killed": int(killed is not None), "seconds": round(seconds, 2),
            "signals_per_second": round((codes - had) / seconds, 3)}  # fmt: skip


def kill_a_worker(ancestor: int) -> int:
    """Of the cluster that a process has started: one that has a task."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if (folder / "cmdline").read_bytes().startswith(b"ray::sparsine") and descends(int(folder.name), ancestor):
                os.kill(int(folder.name), signal.SIGKILL)
                return int(folder.name)
    raise WorkFailed("no worker is at work")


def descends(process: int, ancestor: int) -> bool:
    while process > 1 and process != ancestor:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process == ancestor


if __name__ == "__main__":
    main()

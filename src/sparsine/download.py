"""A file from the network: goes on where it ended, is held against its hash, and is unpacked into its folder alone."""

import errno
import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from sparsine.errors import BadInput, WorkFailed

CHUNK = 1 << 18
TRIES = 4
"""In a row that bring nothing new."""
PATIENCE_SECONDS = 30.0
AGAIN = "the same command goes on where this one ended"
Progress = Callable[[int, int], None]
"""Called with (bytes that are there, bytes of all; 0 where the server does not say)."""


def download(url: str, path: Path, digest: str, on_progress: Progress = lambda done, total: None) -> None:
    """Put what is at `url` at `path`; what was there of it (PATH.part) is not fetched again.

    Args:
        digest: 'md5:...' or 'sha256:...' of the file.

    Raises:
        BadInput: the disk has no room for it.
        WorkFailed: no network, no such file, a disk that fills up, or another file than it should be, which is removed.
    """
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    left = TRIES
    while True:
        had = part.stat().st_size if part.exists() else 0
        try:
            if _go_on(url, part, had, on_progress):
                break
            left = TRIES if part.exists() and part.stat().st_size > had else left - 1
            reason = "the connection ended early"
        except urllib.error.HTTPError as error:
            raise WorkFailed(f"cannot fetch {url}: {error.code} {error.reason}; it may have moved") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            left -= 1 if part.exists() and part.stat().st_size > had else left  # a host that is not there stays away
            reason = str(getattr(error, "reason", error) or error)
        except OSError as error:
            raise WorkFailed(f"cannot write {part}: {error.strerror or error}; make room, and {AGAIN}") from error
        if left <= 0:
            raise WorkFailed(f"cannot fetch {url}: {reason}; is there a network? What is there is kept: {AGAIN}")
    _check(part, digest, url)
    part.replace(path)


def _go_on(url: str, part: Path, had: int, on_progress: Progress) -> bool:
    """Append what is missing; whether all is there now."""
    request = urllib.request.Request(
        url, headers={"User-Agent": "sparsine", **({"Range": f"bytes={had}-"} if had else {})}
    )
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416 and had:  # nothing is missing, or what is there is of something else: the hash tells
            return True
        raise
    with answer:
        goes_on = answer.status == 206
        begin = had if goes_on else 0
        total = begin + int(answer.headers.get("Content-Length") or 0)
        _check_room(part, total - begin if total else 0)
        with open(part, "ab" if goes_on else "wb") as file:
            done = _copied(answer, file, begin, total, on_progress)
    return done >= total


def _copied(answer: IO[bytes], file: IO[bytes], done: int, total: int, on_progress: Progress) -> int:
    on_progress(done, total)
    while chunk := answer.read(CHUNK):
        file.write(chunk)
        done += len(chunk)
        on_progress(done, total)
    return done


def _check_room(part: Path, wanted: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if wanted > free:
        raise BadInput(
            f"{part.parent} has room for {free / 2**20:,.0f} MiB, but {wanted / 2**20:,.0f} are to come; name another "
            "folder with --out"
        )


def _check(part: Path, digest: str, url: str) -> None:
    """Raises WorkFailed unless it is what it should be; then it is removed."""
    kind, _, wanted = digest.partition(":")
    with open(part, "rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != wanted:
        part.unlink()
        raise WorkFailed(
            f"what came from {url} is not what it should be ({kind} {found}, not {wanted}); it was removed"
        )


def unpack(archive: Path, inside: str, folder: Path) -> None:
    """The folder `inside` of a tar archive as `folder`, whole or not at all. Only plain files and folders are taken.

    Raises:
        WorkFailed: the archive is damaged or wants to write elsewhere; or the disk is full.
    """
    temporary = folder.with_name(f"{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                _take(tar, member, inside, temporary, archive)
        if not temporary.is_dir():
            raise WorkFailed(f"{archive} holds no {inside}")
        temporary.replace(folder)
    except (OSError, tarfile.TarError, EOFError) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        raise WorkFailed(f"cannot unpack {archive}: {error}" + ("; make room, and say it again" * full)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, inside: str, to: Path, archive: Path) -> None:
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts or (os.sep != "/" and os.sep in member.name):
        raise WorkFailed(f"{archive} wants to write to {member.name!r}, outside of its folder; nothing was unpacked")
    if not place.is_relative_to(inside) or not member.isfile():  # folders are made for what is in them; no links
        return
    target = to / place.relative_to(inside)
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None
    with source, open(target, "wb") as file:
        shutil.copyfileobj(source, file)

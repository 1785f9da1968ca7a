"""A folder of results, a file for each input, that goes on where it ended, however it ended.

request.json     what was asked for: only the same request goes on in this folder
journal.jsonl    a line for each result, appended once its file is whole: made from which values, and what is in it

A result counts as done if its file is still, byte for byte, what the journal says, and was made from the same values.
docs/formats.md describes both files.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from sparsine.addresses import Place
from sparsine.codec.files.stores import JOURNAL as JOURNAL
from sparsine.codec.files.stores import Store, store_at
from sparsine.errors import BadInput
from sparsine.signals.file_names import FileNames
from sparsine.storage import json_bytes, json_value, parse_json

REQUEST = "request.json"
Entry = dict[str, Any]
"""`input` and `input_sha256`: the name of a signal and its values; `file` and `file_sha256`: the result; and more."""
_TEXTS = ("input", "input_sha256", "file", "file_sha256")


class Journal:
    """What is done in a folder that this process holds."""

    def __init__(self, store: Store, suffix: str, entries: Sequence[Entry], left_out: Iterable[str] = ()) -> None:
        self.store, self.suffix = store, suffix
        self._entries = {entry["input"]: entry for entry in entries}
        self._names = FileNames(taken=[Path(entry["file"]).stem for entry in entries], suffixes=left_out)
        self._lock = Lock()

    def file_of(self, name: str, like: str = "") -> str:
        """The file name for an input: the one that it has already, or a new one, like its name or `like`. Not for two
        threads at a time."""
        known = self._entries.get(name)
        return str(known["file"]) if known else self._names.of(like or name) + self.suffix

    def done(self, name: str) -> Entry | None:
        """The entry of an input whose result is there and whole."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        try:
            data = self.store.read(entry["file"])
        except BadInput:
            return None
        return entry if sha256(data) == entry["file_sha256"] else None

    def add(self, results: Sequence[tuple[Entry, bytes]]) -> None:
        """Write files, then the entries that say that they are there.

        Raises:
            WorkFailed: the system refused. Files that are whole stay; what has no entry is made again.
        """
        for entry, data in results:
            self.store.write(entry["file"], data)
        text = "".join(_text_of(entry) for entry, _ in results)
        with self._lock:
            self.store.note(text.encode())


@contextlib.contextmanager
def opened(
    folder: Place | str, request: dict[str, Any], *, suffix: str, overwrite: bool, left_out: Iterable[str] = ()
) -> Iterator[Journal]:
    """Hold `folder`, a path or an address, for this process and this request. Files have the `suffix`, and inputs lose
    theirs if it is one of `left_out`, or of an image.

    Raises:
        BadInput: another process holds it, or it belongs to another request or holds other files (unless `overwrite`,
            which forgets what is there; files are replaced one by one, and those of other names are left).
        WorkFailed: the system refused to write, or the folder was moved or removed meanwhile.
    """
    store = store_at(folder)
    _check(store, request, overwrite)  # before a lock is laid into a folder that is not ours
    with store.held():
        known = _check(store, request, overwrite)
        entries = _read_journal(store, suffix) if known else []
        store.begin_journal("".join(map(_text_of, entries)).encode())
        if not known:
            store.write(REQUEST, json_bytes(request))
        yield Journal(store, suffix, entries, left_out)


def entry_of(name: str, input_sha256: str, file: str, data: bytes) -> Entry:
    """The entry of a result, but for what is in it."""
    return {"input": name, "input_sha256": input_sha256, "file": file, "file_sha256": sha256(data)}


def sha256(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _check(store: Store, request: dict[str, Any], overwrite: bool) -> bool:
    """Whether this request was begun here already. A folder in which nothing came of another may be used."""
    names = store.names()
    before = parse_json(store.read(REQUEST), f"{store}/{REQUEST}") if REQUEST in names else None
    if before is not None and before == json_value(request):
        return True
    if overwrite or names <= {REQUEST, JOURNAL}:
        return False
    if not isinstance(before, dict):
        raise BadInput(f"{store} holds files already; choose another folder, or say --overwrite")
    raise BadInput(
        f"{store} belongs to another request ({_difference(before, request)}); choose another folder, ask for the "
        "same, or say --overwrite"
    )


def _difference(before: dict[str, Any], request: dict[str, Any]) -> str:
    """The first entries that differ, in words."""
    keys = [key for key in {**before, **request} if before.get(key) != request.get(key)]
    changed = (f"{key} was {_short(before.get(key))}, now {_short(request.get(key))}" for key in keys[:3])
    return "; ".join(changed)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _text_of(entry: Entry) -> str:
    return json.dumps(json_value(entry), allow_nan=False) + "\n"


def _read_journal(store: Store, suffix: str) -> list[Entry]:
    """Its sound entries, the last of each input: one that was cut short or damaged is forgotten, and its result made
    again. A entry whose file is not one of ours, or that of another entry, is not sound."""
    last = {entry["input"]: entry for entry in map(_sound, store.journal().splitlines()) if entry is not None}
    of_file = {entry["file"].lower(): entry for entry in last.values() if entry["file"].endswith(suffix)}
    return list(of_file.values())


def _sound(text: bytes) -> Entry | None:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in _TEXTS):
        return None
    file = entry["file"]
    return entry if file == Path(file).name and not file.startswith(".") and "\0" not in file else None

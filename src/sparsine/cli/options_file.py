"""Options in a file: `--print-config` prints those of a command, `--config FILE` takes them. --target-bytes is

    {"kind": "sparsine-options", "record_version": 1, "command": "encode", "target-bytes": 3000}

in the file; `null` is None. Options of the command line come before those of the file. (`learn` has recipe files: the
configuration of a run, `meta/recipe_file.py`.)
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tyro

from sparsine.cli.described import Leaf, leaves_of
from sparsine.cli.early import values_of
from sparsine.cli.options import names_now
from sparsine.errors import BadInput
from sparsine.signals.paths import expanded
from sparsine.storage import json_bytes, read_json

KIND, VERSION = "sparsine-options", 1
NOT_IN_FILES = ("config", "print-config", "load", "json", "quiet")
UNSAID = "\0unsaid"
"""Stands for what must be given, where the options are only printed."""
Defaults = Callable[[list[str]], Any]


def with_file(options: type, command: str, args: Sequence[str], defaults: Defaults | None) -> Defaults | None:
    """`defaults`, and over them what the file says that `args` name with --config.

    Raises:
        BadInput: the file is missing, of another command or version, or says what cannot be; named by its key.
    """
    prints, paths = "--print-config" in args, values_of(args, "config")
    if not prints and not paths:
        return defaults
    path = expanded(paths[-1]) if paths else None
    said = _read(path, command) if path else {}

    def over(given: list[str]) -> Any:
        words = [*_places(said, given), *(word for name, value in said.items() for word in _as_given(name, value))]
        usual = defaults([*words, *given]) if defaults else _blank(options)
        return _laid_over(usual, options, said, path, prints)

    return over


def options_bytes(options: Any, command: str) -> bytes:
    """A file that says all of `options`."""
    said = {}
    for leaf in leaves_of(type(options), options):
        value = _at(options, leaf.path)
        if leaf.option.name not in NOT_IN_FILES and not _is_unsaid(value):
            said[leaf.option.name] = _to_json(leaf, value)
    return json_bytes({"kind": KIND, "record_version": VERSION, "command": command, **said})


def _read(path: Path, command: str) -> dict[str, Any]:
    said = read_json(path)
    kind = said.pop("kind", None) if isinstance(said, dict) else None
    if kind != KIND:
        raise BadInput(f"{path} holds no options: its kind is {kind!r:.60}, but should be {KIND!r}; "
                       f"sparsine {command} ... --print-config writes such a file")  # fmt: skip
    if (version := said.pop("record_version", None)) != VERSION:
        raise BadInput(f"{path} has record_version {version!r:.20}, but this version of sparsine reads {VERSION}; use "
                       f"the sparsine that wrote it, or write it anew by --print-config")  # fmt: skip
    if (of := said.pop("command", None)) != command:
        raise BadInput(f"{path} holds options of {of!r:.40}, but the command is {command}")
    return dict(said)


def _laid_over(usual: Any, options: type, said: Mapping[str, Any], path: Path | None, prints: bool) -> Any:
    leaves = {leaf.option.name: leaf for leaf in leaves_of(options, usual)}
    before = names_now(options)
    for key, value in said.items():
        name = before.get(key, key)
        if name in NOT_IN_FILES:
            raise BadInput(f"{path}: {name} is said on the command line, never in a file")
        if name not in leaves:
            near = get_close_matches(name, leaves, 1)
            raise BadInput(f"{path}: there is no option {key}" + (f"; did you mean {near[0]}?" if near else ""))
        try:
            usual = _with(usual, leaves[name].path, _from_json(leaves[name], value))
        except ValueError as error:
            raise BadInput(f"{path}: {name}: {error}") from error
    for leaf in leaves.values() if prints else ():
        if _at(usual, leaf.path) is tyro.MISSING and (stand_in := _stand_in(leaf)) is not None:
            usual = _with(usual, leaf.path, stand_in)
    return usual


def _from_json(leaf: Leaf, value: Any) -> Any:
    """Raises ValueError, with what it should be."""
    if not leaf.option.metavar:
        if not isinstance(value, bool):
            raise ValueError(f"got {json.dumps(value)[:40]}, but it must be true or false")
        return value
    if isinstance(value, dict) or (isinstance(value, list) and not leaf.option.several):
        raise ValueError(f"got {json.dumps(value)[:40]}, but it must be {leaf.option.metavar}")
    return leaf.spec.instance_from_str(_words(value))


def _words(value: Any) -> list[str]:
    """As it would be written on the command line."""
    return [str(one) for one in value] if isinstance(value, list) else ["None" if value is None else str(value)]


def _to_json(leaf: Leaf, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    words = leaf.spec.str_from_instance(value)
    if not leaf.option.several:
        return " ".join(words)
    return [one if isinstance(one, int | float) else word for one, word in zip(value, words, strict=True)]


def _places(said: Mapping[str, Any], given: Sequence[str]) -> list[str]:
    """The recipe of `compare`, which comes first, where only the file says it."""
    return [str(said["recipe"])] if "recipe" in said and not (given and not given[0].startswith("-")) else []


def _as_given(name: str, value: Any) -> list[str]:
    """For choices that bring options: which is chosen must be known before."""
    return [f"--{name}", value] if isinstance(value, str) else []


def _blank(options: type) -> Any:
    """Its defaults, and MISSING for what must be given. Not made by its class, which would refuse that."""
    made: Any = object.__new__(options)
    for field in dataclasses.fields(options):
        factory = field.default_factory
        usual = field.default if factory is dataclasses.MISSING else factory()
        object.__setattr__(made, field.name, tyro.MISSING if usual is dataclasses.MISSING else usual)
    return made


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        what, dot, option = name.partition(".")
        value = getattr(value, f"{what}_options")[option] if dot else getattr(value, name)
    return value


def _with(whole: Any, path: Sequence[str], value: Any) -> Any:
    """`whole` with another value at `path`; it may lack what must be given, so its class does not make it anew."""
    name, *inner = path
    if inner:
        value = dataclasses.replace(getattr(whole, name), **_changed(getattr(whole, name), inner, value))
    copied = object.__new__(type(whole))
    copied.__dict__.update(whole.__dict__)
    object.__setattr__(copied, name, value)
    return copied


def _changed(part: Any, path: Sequence[str], value: Any) -> dict[str, Any]:
    name, *inner = path
    what, dot, option = name.partition(".")
    if dot:
        return {f"{what}_options": {**getattr(part, f"{what}_options"), option: value}}
    if inner:
        value = dataclasses.replace(getattr(part, name), **_changed(getattr(part, name), inner, value))
    return {name: value}


def _stand_in(leaf: Leaf) -> Any:
    candidates = (Path(UNSAID), UNSAID, (UNSAID,), (Path(UNSAID),))
    return next((one for one in candidates if leaf.spec.is_instance(one) is True), None)


def _is_unsaid(value: Any) -> bool:
    return UNSAID in map(str, value if isinstance(value, tuple) else [value])

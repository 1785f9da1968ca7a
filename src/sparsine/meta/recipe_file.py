"""A recipe file: a configuration of `learn`, whole or in part, as JSON.

What `config.json` of a run says is one already; a file that says what it is begins with its kind and version:

    {"kind": "sparsine-recipe", "record_version": 1, "recipe": "best", "field": {"omega_0": 30.0}}

What a file leaves out has the value of the recipe that it names.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.meta.config import CHOICES, LearnConfig, with_todays_names
from sparsine.parts import fault_in_fields
from sparsine.plugins import made_with, read_loaded
from sparsine.storage import json_bytes, read_json

KIND, VERSION = "sparsine-recipe", 1
Said = dict[str, Any]
"""What a file says: values of `LearnConfig`, those of its parts in dicts."""


def read_recipe_file(path: Path) -> Said:
    """What the file at `path` says, in today's words.

    Raises:
        BadInput: it is missing, no recipe file, of another version, or has a key that no configuration has or a value
            of the wrong type.
    """
    said = read_json(path)
    if not isinstance(said, dict):
        raise BadInput(f"{path} is no recipe file: it holds {type(said).__name__}, but should hold an object")
    kind, version = said.pop("kind", KIND), said.pop("record_version", VERSION)
    if kind != KIND:
        raise BadInput(f"{path} is no recipe file: its kind is {kind!r:.60}, but should be {KIND!r}")
    if version != VERSION:
        raise BadInput(
            f"{path} is a recipe file with record_version {version!r:.20}, but this version of sparsine reads "
            f"{VERSION}; use the sparsine that wrote it, or write it anew by learn --print-config"
        )
    said = with_todays_names(said)
    known = LearnConfig().to_dict()
    for name, value in _leaves(said, known):
        _check(path, name, value, known)
    if wrong := fault_in_fields(said, LearnConfig):
        usual = _at(known, wrong.partition(" ")[0])
        raise BadInput(f"{path}: {wrong}, which is of the wrong type; it is written as in {usual!r}")
    return said


def laid_over(base: LearnConfig, said: Said, path: Path) -> LearnConfig:
    """`base` with what the file at `path` says. Options of a choice go with it: of another score, `base` says nothing.

    Raises:
        BadInput: values that cannot be, named by their keys.
    """
    whole = base.to_dict()
    for key, value in said.items():
        whole[key] = _part(whole[key], value) if isinstance(value, dict) else value
    with made_with(read_loaded(path.parent), str(path)):  # a run says beside its configuration what it was made with
        try:
            return LearnConfig.from_dict(whole)
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error


def recipe_bytes(config: LearnConfig) -> bytes:
    """A file that says all of `config`."""
    return json_bytes({"kind": KIND, "record_version": VERSION, **config.to_dict()})


def _part(base: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    whole = {**base, **said}
    for choice in CHOICES:
        if choice.options in base:
            same = said.get(choice.what, base[choice.what]) == base[choice.what]
            whole[choice.options] = {**(base[choice.options] if same else {}), **said.get(choice.options, {})}
    return whole


def _leaves(said: Mapping[str, Any], known: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of all that a file says; options of choices are told by these."""
    for key, value in said.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and isinstance(known.get(key), dict) and not key.endswith("_options"):
            yield from _leaves(value, known[key], f"{name}.")
        else:
            yield name, value


def _check(path: Path, name: str, value: Any, known: dict[str, Any]) -> None:
    names = [found for found, _ in _leaves(known, known)]
    parts = {found.partition(".")[0] for found in names if "." in found}
    if name in parts:
        raise BadInput(f"{path}: {name} is {value!r:.40}, but should be an object with one value or several")
    if name not in names:
        ends = {found.rpartition(".")[2]: found for found in names}
        near = get_close_matches(name, names, 1) or [ends[end] for end in get_close_matches(name, ends, 1)]
        advice = f"; did you mean {near[0]}?" if near else "; sparsine learn DATASET --print-config shows all that are"
        raise BadInput(f"{path}: there is no {name} in a configuration{advice}")


def _at(known: Mapping[str, Any], name: str) -> Any:
    """The value with a dotted name, as far as it leads."""
    value: Any = known
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) and key in value else value
    return value

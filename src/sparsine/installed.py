"""What this package needs and does not have: the first thing to know about an error that nobody expected."""

import re
from importlib import metadata

_NEEDED = re.compile(r"([\w.-]+)\s*>=\s*([0-9.]+)")


def unmet() -> list[str]:
    """What is missing or too old, a sentence each; of optional packages only those that are there are looked at."""
    try:
        needed = metadata.requires("sparsine") or []
    except metadata.PackageNotFoundError:  # run from its sources
        return []
    said = (_unmet(requirement) for requirement in needed if "dev" not in requirement.partition(";")[2])
    return [sentence for sentence in said if sentence]


def _unmet(requirement: str) -> str:
    name_and_version, _, condition = requirement.partition(";")
    found = _NEEDED.match(name_and_version)
    if found is None:
        return ""
    name, lowest = found.groups()
    cure = f"python -m pip install '{name}>={lowest}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return "" if condition else f"{name} is not installed: {cure}"
    return f"{name} {version} is installed, but {lowest} or later is needed: {cure}" * (_key(version) < _key(lowest))


def _key(version: str) -> list[int]:
    """Of a release; what follows its numbers is left out."""
    found = re.match(r"[0-9.]*", version)
    numbers = [int(part) for part in (found[0] if found else "").split(".") if part]
    return [*numbers, 0, 0, 0][:3]

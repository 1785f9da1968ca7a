"""The lowest versions that pyproject.toml allows, extras included, as constraints for pip.

python scripts/lowest_versions.py [NAME=VERSION ...]     (other versions for some)
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
BOUND = re.compile(r"([\w.-]+)>=([\w.]+)")


def lowest(project: dict) -> dict[str, str]:
    """Name to version, of everything but the project itself."""
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    others = [one for one in wanted if not one.startswith(f"{project['name']}[")]
    found = {one: BOUND.match(one) for one in others}
    without = [one for one, bound in found.items() if bound is None]
    if without:
        sys.exit(f"error: no lower bound is given for {', '.join(without)}; write NAME>=VERSION in {PROJECT}")
    return {bound[1]: bound[2] for bound in found.values() if bound}


def main() -> None:
    versions = lowest(tomllib.loads(PROJECT.read_text())["project"])
    for other in sys.argv[1:]:
        name, _, version = other.partition("=")
        if name not in versions or not version:
            sys.exit(f"error: {other!r} is no NAME=VERSION of: {', '.join(versions)}")
        versions[name] = version
    print(*(f"{name}=={version}" for name, version in versions.items()), sep="\n")


if __name__ == "__main__":
    main()

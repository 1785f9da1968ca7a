"""Starts that come with the package, by name: nobody has to learn before the first code."""

from pathlib import Path

FOLDER = Path(__file__).with_name("built_in")
SUFFIX = ".safetensors"


def built_in_starts() -> dict[str, Path]:
    """Name to file, the smallest first. `scripts/make_starts.py` made them."""
    files = sorted(FOLDER.glob(f"*{SUFFIX}"), key=lambda path: (path.stat().st_size, path.name))
    return {path.name.removesuffix(SUFFIX): path for path in files}


def built_in_named() -> str:
    """'photos-2k, photos-4k, ...', for people."""
    return ", ".join(built_in_starts())


def families() -> dict[str, list[Path]]:
    """Starts for the same signals with more and more numbers, by what their names have in common: 'photos'."""
    found: dict[str, list[Path]] = {}
    for name, path in built_in_starts().items():
        found.setdefault(name.rpartition("-")[0], []).append(path)
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def where_is(path: Path) -> Path:
    """`path` itself if something is there, otherwise the built-in start of that name, if there is one."""
    return built_in_starts().get(path.name, path) if could_be_a_name(path) else path


def could_be_a_name(path: Path) -> bool:
    """Whether it may be meant as the name of a start: nothing is there, and it is a word without a suffix."""
    return path.name == str(path) and not path.suffix and ":" not in path.name and not path.exists()

"""A start named on the command line: a file, or a run folder with the wanted sparsity."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sparsine.addresses import Place
from sparsine.checks import check_range
from sparsine.codec.files.code_files import read_bounded
from sparsine.codec.format.header import read_header
from sparsine.codec.format.identity import start_hash
from sparsine.errors import BadInput
from sparsine.fitting import fitted_files
from sparsine.meta.config import OuterConfig
from sparsine.meta.run_folder import start_files
from sparsine.signals.paths import expanded
from sparsine.starts.built_in import built_in_named, could_be_a_name, families, where_is
from sparsine.starts.start import Start, load_start

MOST_CODE_BYTES = 1 << 28
"""A tenth of what the format allows, and a thousand times any code that makes sense."""


def find_start(path: Path, sparsity: float | None) -> tuple[Path, Start]:
    """The start at `path`, or the built-in one of that name; of a run folder the one whose sparsity is nearest, or the
    sparsest.

    Raises:
        BadInput: nothing there, or `sparsity` with a file.
    """
    path = there(path)
    if path.is_file():
        if sparsity is not None:
            raise BadInput(f"--sparsity chooses among the starts of a run folder, but {path} is a file")
        return path, load_start(path)
    paths = start_files(path)
    if sparsity is None:
        return paths[-1], load_start(paths[-1])
    check_range("sparsity", sparsity, 0.0, 1.0)
    starts = [(p, load_start(p)) for p in paths]
    return min(starts, key=lambda found: abs(found[1].pattern.sparsity - sparsity))


def starts_at(path: Path) -> list[Path]:
    """The starts that `path` leaves to choose from: a family of built-in ones by its name, all of a run folder, or one.

    Raises:
        BadInput: as `find_start` does.
    """
    family = families().get(path.name) if could_be_a_name(path) else None
    return family or start_files(there(path))


def with_home(outer: OuterConfig) -> OuterConfig:
    """`--start-from=~/x` leads home."""
    return replace(outer, start_from=str(expanded(outer.start_from)) if outer.start_from else "")


def there(path: Path) -> Path:
    """`path`, or the file of the built-in start of that name. Raises BadInput where there is nothing."""
    path = where_is(path)
    if could_be_a_name(path) and path.name in families():
        names = ", ".join(each.stem for each in families()[path.name])
        raise BadInput(f"{path} is a family of starts: {names}; name one of them (encode chooses one by a target)")
    if not path.exists():
        raise BadInput(
            f"there is no {path}; give a start file, the folder of a run with --sparsity, or a built-in start: "
            f"{built_in_named()}"
        )
    return path


def find_start_of(codes: Sequence[Place], path: Path, sparsity: float | None) -> tuple[Path, Start]:
    """As `find_start`; but of a run folder or a family, where no sparsity is given, the start that the first sound code
    names.

    Raises:
        BadInput: as `find_start` does.
    """
    if sparsity is None and len(given := starts_at(path)) > 1:
        belongs = _first_sound(codes)
        for each in given:
            start = load_start(each)
            if belongs(start):
                return each, start
    return find_start(path, sparsity)


def _first_sound(codes: Sequence[Place]) -> Callable[[Start], bool]:
    """Whether a start is that of the first code or fitted vector which can be read."""
    for code in codes:
        with suppress(BadInput):
            if code.suffix == fitted_files.SUFFIX:
                data = read_bounded(code, MOST_CODE_BYTES)
                return fitted_files.read_fitted_file(Path(str(code)), data).belongs_to
            wanted = read_header(read_bounded(code, MOST_CODE_BYTES)).start_hash
            return lambda start, wanted=wanted: start_hash(start) == wanted  # type: ignore[misc]
    return lambda _: False

"""A start named on the command line: a file, or a run folder with the wanted sparsity."""

from pathlib import Path

from sparsine.checks import check_range
from sparsine.errors import BadInput
from sparsine.meta.run import starts_of
from sparsine.meta.start import Start, load_start


def find_start(path: Path, sparsity: float | None) -> tuple[Path, Start]:
    """The start at `path`; of a run folder the one whose sparsity is nearest, or the sparsest.

    Raises:
        BadInput: nothing there, or `sparsity` with a file.
    """
    if not path.exists():
        raise BadInput(f"there is no {path}; give a start file, or the folder of a run with --sparsity")
    if path.is_file():
        if sparsity is not None:
            raise BadInput(f"--sparsity chooses among the starts of a run folder, but {path} is a file")
        return path, load_start(path)
    paths = starts_of(path)
    if not paths:
        raise BadInput(f"{path} has no finished round; give a start file, or the folder of a run")
    if sparsity is None:
        return paths[-1], load_start(paths[-1])
    check_range("sparsity", sparsity, 0.0, 1.0)
    starts = [(p, load_start(p)) for p in paths]
    return min(starts, key=lambda found: abs(found[1].pattern.sparsity - sparsity))

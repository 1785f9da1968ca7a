"""Every notebook of examples/ runs from its first cell to its last, and is kept without outputs."""

import ast
import json
import re
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from sparsine.measure.comparison.methods import METHODS
from sparsine.pruning import SCORES

FOLDER = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_cells(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def run_cell(text, path, number, names):
    """As a notebook does it: a last expression is shown."""
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    where = f"{path.name}, code cell {number}"
    exec(compile(tree, where, "exec"), names)
    if last is not None:
        return repr(eval(compile(ast.Expression(last.value), where, "eval"), names))


@pytest.fixture(autouse=True)
def nothing_stays_registered():
    before = dict(SCORES), dict(METHODS)
    yield
    for registry, entries in zip((SCORES, METHODS), before, strict=True):
        for name in set(registry) - set(entries):
            del registry[name]
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_run_in_order(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for number, text in enumerate(code_cells(path), 1):
        run_cell(text, path, number, names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_begins_with_what_it_is(path):
    notebook = json.loads(path.read_text())
    first, *_ = notebook["cells"]
    assert first["cell_type"] == "markdown"
    assert first["source"][0].startswith("# ")
    assert all(not cell["outputs"] and cell["execution_count"] is None
               for cell in notebook["cells"] if cell["cell_type"] == "code")  # fmt: skip
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)


def test_the_page_of_examples_names_every_notebook_and_no_other():
    named = re.findall(r"\]\(([\w.]+\.ipynb)\)", (FOLDER / "README.md").read_text())
    assert sorted(named) == [path.name for path in NOTEBOOKS]
    assert len(named) > 2

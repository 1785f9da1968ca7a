"""Who imports whom, read from the sources: the order that docs/architecture.md states, and no circles."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import sparsine

PACKAGE = Path(sparsine.__file__).parent
PAGE = PACKAGE.parents[1] / "docs" / "architecture.md"
DOORS = ("sparsine", "__main__")
"""What is called from outside: the public names, and `python -m sparsine`. Nothing inside goes through them."""


class Import(NamedTuple):
    """One statement; `at_once` unless it waits for a call or is there for type checkers only."""

    importer: str
    imported: str
    line: int
    at_once: bool

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def modules_of(package: Path) -> dict[str, Path]:
    names = {path: (package.name, *path.relative_to(package).with_suffix("").parts) for path in package.rglob("*.py")}
    return {".".join(p for p in parts if p != "__init__"): path for path, parts in names.items()}


def imports_of(modules: dict[str, Path]) -> list[Import]:
    return [found for name, path in modules.items() for found in _statements(name, path, modules)]


def _statements(name: str, path: Path, modules: dict[str, Path]) -> Iterator[Import]:
    tree = ast.parse(path.read_text())
    later = {id(inner) for node in ast.walk(tree) if _waits(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        for imported in _imported(node, path, modules):
            yield Import(name, imported, node.lineno, id(node) not in later)  # type: ignore[attr-defined]


def _waits(node: ast.AST) -> bool:
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    return typing_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _imported(node: ast.AST, path: Path, modules: dict[str, Path]) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"{path}, line {node.lineno}: modules of the package are imported by their whole names"
        whole = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in modules else str(node.module) for name in whole]
    else:
        return []
    return [name for name in names if name.split(".")[0] == PACKAGE.name]


def room_of(module: str) -> str:
    """The folder of the package, or the single module, that a module stands in."""
    return (*module.split("."), PACKAGE.name)[1]


def stated_order() -> list[str]:
    """The parts in the order that the page says, lowest first."""
    sentence = re.search(r"Each part imports only from parts that stand before it: (.*?)\.\s", PAGE.read_text(), re.S)
    assert sentence, f"{PAGE} no longer says in which order parts stand"
    return re.findall(r"`(\w+)`", sentence[1])


def stated_rooms() -> dict[str, list[str]]:
    """For parts with rooms of their own: these, lowest first. The part's own name stands for modules beside them."""
    sentences = re.findall(r"In `(\w+)`: ((?:`\w+`(?:, )?)+)\.\s", PAGE.read_text())
    return {part: re.findall(r"`(\w+)`", rooms) for part, rooms in sentences}


def upward_within(part: str, imports: list[Import], order: list[str]) -> list[str]:
    """Imports against the order of the rooms of a part. Its door, the `__init__`, stands above all."""

    def height(module: str) -> int:
        inside = module.split(".")[2:]
        return len(order) if not inside else order.index(inside[0] if inside[0] in order else part)

    own = [found for found in imports if room_of(found.importer) == room_of(found.imported) == part]
    return [str(found) for found in own if height(found.importer) < height(found.imported)]


def upward(imports: list[Import], order: list[str]) -> list[str]:
    """Imports against the order; single modules that it does not name stand below all, `DOORS` above."""
    height = {room: number for number, room in enumerate([*order, *DOORS])}
    levels = [(found, room_of(found.importer), room_of(found.imported)) for found in imports]
    return [str(found) for found, low, high in levels if low != high and height.get(low, -1) < height.get(high, -1)]


def circle(edges: list[tuple[str, str]]) -> list[str]:
    """Names along a circle of edges; none where there is no circle."""
    graph: dict[str, set[str]] = {}
    for one, other in edges:
        if one != other:
            graph.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


MODULES = modules_of(PACKAGE)
IMPORTS = imports_of(MODULES)


def test_each_part_imports_only_from_parts_that_stand_before_it() -> None:
    assert upward(IMPORTS, stated_order()) == []


def test_rooms_of_a_part_import_only_from_those_that_stand_before_them() -> None:
    rooms = stated_rooms()
    assert rooms["codec"] == ["format", "codec", "files"]
    for part, order in rooms.items():
        assert {p.name for p in (PACKAGE / part).iterdir() if (p / "__init__.py").is_file()} | {part} == set(order)
        assert upward_within(part, IMPORTS, order) == []


def test_what_is_frozen_may_not_take_from_what_an_encoder_is_free_to_choose() -> None:
    found = [Import("sparsine.codec.format.models", "sparsine.codec.scales", 7, True),
             Import("sparsine.codec.rate_control", "sparsine.codec.files.journal", 8, True),
             Import("sparsine.codec.files.drawings", "sparsine.codec.coder", 9, True)]  # fmt: skip
    assert upward_within("codec", found, stated_rooms()["codec"]) == [str(found[0]), str(found[1])]


def test_the_stated_order_names_every_folder_of_the_package_once() -> None:
    folders = {room_of(name) for name, path in MODULES.items() if path.parent != PACKAGE}
    order = stated_order()
    assert len(set(order)) == len(order)
    assert folders <= set(order)
    assert set(order) <= {room_of(name) for name in MODULES}


def test_parts_and_single_modules_import_each_other_in_no_circle_even_inside_functions() -> None:
    assert circle([(room_of(i.importer), room_of(i.imported)) for i in IMPORTS]) == []


def test_no_module_needs_itself_while_it_is_imported() -> None:
    assert circle([(i.importer, i.imported) for i in IMPORTS if i.at_once]) == []


DRAWING = ("sparsine.report", "matplotlib", "plotly", "jinja2")
"""What draws, and what it draws with: nothing that measures waits for it, or can be changed by it."""


def drawing(modules: dict[str, Path]) -> list[str]:
    """Where a module that measures imports one that draws, inside functions too."""
    measuring = [(name, ast.parse(path.read_text())) for name, path in modules.items() if room_of(name) == "measure"]
    imports = [
        (name, imported) for name, tree in measuring for node in ast.walk(tree) for imported in _any_imported(node)
    ]
    return [f"{name} imports {imported}" for name, imported in imports if imported.startswith(DRAWING)]


def _any_imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [str(node.module)] if isinstance(node, ast.ImportFrom) else []


def test_nothing_that_measures_imports_what_draws() -> None:
    assert sum(room_of(name) == "measure" for name in MODULES) > 30
    assert drawing(MODULES) == []


def test_reports_of_one_kind_of_record_know_nothing_of_those_of_another() -> None:
    folders = set(stated_rooms()["report"]) - {"report", "tables"}
    assert len(folders) > 3

    def kind_of(module: str) -> str:
        """Of what a module of `report` says something; nothing where all share it."""
        place = (*module.split("."), "", "")[1:3]
        return place[1] if place[0] == "report" and place[1] in folders else ""

    shown = [i for i in IMPORTS if room_of(i.importer) == "report" and i.importer.split(".")[2:3] != ["tables"]]
    found = [(kind_of(i.importer), kind_of(i.imported), str(i)) for i in shown]
    assert [said for importer, imported, said in found if imported and importer != imported] == []


@pytest.mark.parametrize(
    "line",
    ["from sparsine.report.table import Table", "def late():\n    import matplotlib.figure", "import plotly.offline"],
)
def test_a_measuring_module_that_draws_is_found(tmp_path: Path, line: str) -> None:
    path = tmp_path / "score.py"
    path.write_text(line)
    assert drawing({"sparsine.measure.score": path})


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fields/mlp.py", "from sparsine.meta.maml import InnerConfig"),
        ("checks.py", "from sparsine.signals import grid"),
        ("fitting/fit.py", "def late():\n    import sparsine.viewer.app"),
        ("fitting/view.py", "from sparsine import fit_collection"),
    ],
)
def test_an_import_of_something_higher_is_found_and_named(tmp_path: Path, module: str, line: str) -> None:
    path = tmp_path / "sparsine" / module
    path.parent.mkdir(parents=True)
    path.write_text(line)
    (named,) = upward(imports_of({**MODULES, **modules_of(tmp_path / "sparsine")}), stated_order())
    assert named.startswith(
        f"sparsine.{module[:-3].replace('/', '.')}, line {line.count(chr(10)) + 1}, imports sparsine"
    )

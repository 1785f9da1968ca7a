"""What documents and docstrings say of registries, options, modules and files is what there is."""

import ast
import re
import weakref
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import torch

from sparsine.cli.main import COMMANDS, main
from sparsine.cli.options import named_fields
from sparsine.engines import ENGINES, DenseEngine
from sparsine.fields import ACTIVATIONS, Pattern, Siren
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.methods.registry import TRANSFER
from sparsine.measure.timing.config import What
from sparsine.meta import maml
from sparsine.meta.maml import Algorithm, InnerConfig, Samples, Tasks, meta_gradient
from sparsine.optim import sgd_step
from sparsine.pruning.distributions import DISTRIBUTIONS
from sparsine.pruning.schedules import SCHEDULES
from sparsine.pruning.scores import SCORES
from sparsine.recipes import COMPARISONS, RECIPES, recipe
from sparsine.signals.open import dataset_kinds
from sparsine.starts.plan import Optimizer

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "sparsine"
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def text_of(name):
    return (ROOT / name).read_text()


def table(document, head):
    """The rows of the table whose first line begins with `head`, as lists of cells, the first line among them."""
    lines = text_of(document).splitlines()
    (first,) = [number for number, line in enumerate(lines) if line.startswith(head)]
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return [rows[0], *rows[2:]]


@pytest.mark.parametrize(
    ("document", "head", "names"),
    [
        ("docs/engines.md", "| engine | what it is", ENGINES),
        ("docs/how-to-choose.md", "| `--engine` |", ["auto", *ENGINES]),
        ("docs/how-to-choose.md", "| `--algorithm` |", get_args(Algorithm)),
        ("docs/how-to-choose.md", "| `--optimizer` |", get_args(Optimizer)),
        ("docs/comparisons/methods.md", "| name | what | stored for a signal", [*METHODS, TRANSFER]),
        ("docs/benchmarks.md", "| `sparsine bench` |", get_args(What)),
        ("docs/formats.md", "| `activation` |", ACTIVATIONS),
        (
            "docs/getting-started.md",
            "| spec |",
            dataset_kinds().keys()
            - {"images", "audio", "video", "sphere", "mesh", "array", "curves", "leaves", "noise"},
        ),
    ],
)
def test_a_table_has_a_row_for_every_member_of_its_registry_and_no_other(document, head, names):
    rows = [re.findall(r"`([\w-]+)", row[0]) for row in table(document, head)[1:]]
    assert sorted(name for found in rows for name in found) == sorted(names)


def test_the_table_of_recipes_is_what_they_are():
    (_, *heads), *rows = table("docs/how-to-choose.md", "| | `best`")
    assert [re.findall(r"`(\w+)`", head) for head in heads] == [[name] for name in RECIPES]
    told = {row[0]: row[1:] for row in rows}
    assert told["grid"] == [grid_of(recipe(name)) or "the data set's own" for name in RECIPES]
    for place, name in enumerate(RECIPES):
        config = recipe(name)
        weights = config.field.field(2, 3).num_weights
        survivors = config.pruning.survivors(weights, weights)
        outer, shape = config.outer, config.grid.resolution
        assert told["field"][place] == f"{config.field.hidden_layers} layers of {config.field.width}"
        assert told["`--omega-0`"][place] == f"{config.field.omega_0:g}"
        assert told["`--points`"][place] == (f"{config.inner.points:,} of {shape[0] * shape[1]:,}" if shape else "all")
        assert told["outer steps, dense + each round"][place] == (
            f"{outer.dense_steps:,} + {len(survivors)} x {outer.steps_per_round:,}"
        )
        assert float(told["`--outer-step-size`"][place]) == outer.outer_step_size
        assert told["removed each round"][place] == f"{config.pruning.fraction:.0%}".replace("%", " %")
        assert float(told["survivors at the end"][place].removesuffix(" %")) == pytest.approx(
            100 * survivors[-1] / weights, abs=0.05
        )


def grid_of(config):
    return config.grid.resolution and " x ".join(map(str, config.grid.resolution))


def test_documents_name_every_score_and_no_other():
    own = {"first_order"}  # added on the page about extending
    named = {name for path in DOCUMENTS for name in re.findall(r"--score (\w+)", path.read_text())}
    assert named - own == set(SCORES)


def test_documents_name_every_comparison():
    named = set(re.findall(r"sparsine compare ([a-z-]+)", text_of("docs/comparisons.md")))
    assert named == set(COMPARISONS)


def test_documents_name_every_kind_of_data_and_no_other():
    specs = re.findall(r"\b([a-z0-9]+):(?:DIR|FILE)", "\n".join(path.read_text() for path in DOCUMENTS))
    assert {*specs, "curves", "leaves", "noise"} == set(dataset_kinds())


def test_commands_and_options_in_running_text_exist(capsys):
    """Those in blocks are parsed elsewhere."""
    options = {"--version", "--help", "--debug", *options_of_all_commands(capsys), *earlier_names()}
    others = {
        "--no-deps",
        "--logdir",
        "--max-restarts",
        "--schedule.power",
    }  # of pip, TensorBoard, torchrun, and extending.md
    wrong = []
    for path in DOCUMENTS:
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        for code in re.findall(r"`([^`\n]+)`", text):
            found = [word for word in re.findall(r"--[a-z][a-z0-9.-]*[a-z0-9]", code) if word not in options | others]
            found += [word for word in re.findall(r"^sparsine ([a-z-]+)", code) if word not in COMMANDS]
            wrong += [(path.name, word) for word in found]
    assert wrong == []


def earlier_names():
    """Which are understood still."""
    modules = [import_module(f"sparsine.cli.{command.replace('-', '_')}") for command in COMMANDS]
    return {f"--{before}" for module in modules for _, named in named_fields(module.Options) for before in named.before}


def options_of_all_commands(capsys):
    """Those too that only some scores, distributions and schedules bring."""
    tables = (("--score", SCORES), ("--distribution", DISTRIBUTIONS), ("--schedule", SCHEDULES))
    brought = [["learn", option, name] for option, registry in tables for name in registry]
    for args in [*([command] for command in COMMANDS), *brought]:
        capsys.readouterr()
        assert main([*args, "--help"]) == 0
        yield from re.findall(r"^[│ ] (?:-\w, )?(--[a-z0-9.-]+)", capsys.readouterr().out, re.MULTILINE)


def test_the_parts_of_rate_and_distortion_are_its_modules():
    told = ast.get_docstring(ast.parse((SOURCE / "measure" / "rate_distortion" / "__init__.py").read_text()))
    lists = re.findall(r"^(\w+(?:, \w+)*) {2,}\S", told, re.MULTILINE)
    modules = {path.stem for path in (SOURCE / "measure" / "rate_distortion").iterdir()} - {"__init__", "__pycache__"}
    assert sorted(name for names in lists for name in names.split(", ")) == sorted(modules)


@pytest.mark.parametrize("package", ["codec", "viewer"])
def test_modules_that_a_package_lists_exist(package):
    told = ast.get_docstring(ast.parse((SOURCE / package / "__init__.py").read_text()))
    (inside,) = re.findall(r"Inside, downwards: ([^.]*)\.", told)
    names = re.findall(r"\w+", re.sub(r"\([^)]*\)", "", inside).replace(" and ", " "))
    homes = {path.stem for path in (SOURCE / package).iterdir()}
    assert set(names) - homes == set()


def test_files_that_documents_and_sources_name_exist():
    """With the function or class that is named with it, as in `meta/sparse.py: learn_sparse_start`."""
    homes = [ROOT, SOURCE, ROOT / "docs", SOURCE / "engines" / "csrc"]
    missing = []
    for path in DOCUMENTS:
        for name, what in re.findall(r"`([\w/]+\.(?:py|cpp|hpp|inl|js))(?:: ([\w.]+))?`", path.read_text()):
            found = [home / name for home in homes if (home / name).is_file()]
            if not found or (what and what.rpartition(".")[2] not in found[0].read_text()):
                missing.append((path.name, name, what))
    for path in (SOURCE / "engines" / "csrc").iterdir():
        for name in re.findall(r"\b([\w*]+\.(?:cpp|hpp|inl))\b", path.read_text()):
            if not any((SOURCE / "engines" / "csrc").glob(name)):
                missing.append((path.name, name, ""))
    assert missing == []


def test_every_format_of_a_file_is_described():
    written = {
        name for path in SOURCE.rglob("*.py") for name in re.findall(r'"(sparsine-[a-z-]+)"', path.read_text())
    }  # fmt: skip
    assert {name for name in written if not re.search(rf"`\"?{name}\"?`", text_of("docs/formats.md"))} == set()
    assert len(written) > 4


def test_memory_and_gradients_of_many_inner_steps_are_what_the_document_says(monkeypatch):
    said = " ".join(text_of("docs/how-to-choose.md").split())
    assert "K + 1 vectors up to K = 4 and as about log2(K) + 2 beyond" in said
    assert "8 vectors for K = 64, which then takes 241 gradients instead of 65" in said
    assert [cost_of(steps, monkeypatch) for steps in (2, 4, 64)] == [(3, 3), (5, 5), (8, 241)]


def cost_of(num_steps, monkeypatch):
    """(vectors held at a time, gradients) of an exact meta-gradient."""
    born, most, gradients = [], 0, 0

    class Counting(DenseEngine):
        def _loss_and_grad(self, theta, coords, values):
            nonlocal gradients
            gradients += 1
            return super()._loss_and_grad(theta, coords, values)

    def step(theta, grad, step_size):
        nonlocal most
        new = sgd_step(theta, grad, step_size)
        born.append(weakref.ref(new))
        most = max(most, sum(ref() is not None for ref in born))
        return new

    monkeypatch.setattr(maml, "sgd_step", step)
    engine = Counting(Pattern.full(Siren(sizes=(2, 3, 1))))
    samples = Samples(torch.rand(5, 2), torch.rand(2, 5, 1))
    start = engine.field.initial_theta(0)
    meta_gradient(engine, start, Tasks(samples, samples), InnerConfig(inner_steps=num_steps))
    return most + 1, gradients  # the start is held too

"""How many files something new takes in the package itself: they are added to a copy of it, and none is edited."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sparsine

PLUGIN = Path(__file__).with_name("plugin.py").read_text()
KIND = {
    "signals/kinds/tide.py": """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from sparsine.signals.kind import KINDS, Kind, Metric
{worst}
{Tide}
KINDS[Tide.name] = Tide
""",
    "signals/sources/tides.py": """
import numpy as np
from sparsine.signals.dataset import Dataset, SignalSet, check_index
from sparsine.signals.kinds.tide import Tide
from sparsine.signals.source import SOURCES, Source
{Tides}
{open_tides}
SOURCES["tides"] = Source("tides, made-up gauges of two", open_tides, has_files=False, num_axes=1)
""",
}
ACTIVATION = {
    "fields/activations/bump.py": """
from dataclasses import dataclass
from typing import ClassVar
import torch
from sparsine.fields.activations.contract import Activation
from sparsine.fields.activations.registry import ACTIVATIONS
{Bump}
ACTIVATIONS[Bump.name] = Bump
"""
}
PLAINLY = "import sys; sys.meta_path[:] = [one for one in sys.meta_path if 'editable' not in type(one).__module__]"
"""An editable installation looks for the package before any path does."""
TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "9", "--dense-steps", "6",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2"]  # fmt: skip


def pieces():
    """Classes and functions of the plugin, by name."""
    found = [node for node in ast.parse(PLUGIN).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return {node.name: ast.unparse(node) for node in found}


@pytest.fixture
def package(tmp_path):
    """A function that adds files to a copy of the package, and runs a command of it."""
    folder = shutil.copytree(Path(sparsine.__file__).parent, tmp_path / "copy" / "sparsine")

    def add(files):
        for name, text in files.items():
            assert not (folder / name).exists()
            (folder / name).write_text(text.format(**pieces()))

    def run(*words):
        command = f"{PLAINLY}; from sparsine.cli.main import main; sys.exit(main(sys.argv[1:]))"
        environment = {**os.environ, "PYTHONPATH": str(folder.parent)}
        done = subprocess.run([sys.executable, "-c", command, *map(str, words)], env=environment, cwd=tmp_path,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr

    where = subprocess.run([sys.executable, "-c", f"{PLAINLY}; import sparsine; print(sparsine.__file__)"], text=True,
                           env={**os.environ, "PYTHONPATH": str(folder.parent)}, capture_output=True)  # fmt: skip
    assert Path(where.stdout.strip()).parent == folder
    return add, run


def test_a_new_kind_with_its_source_is_two_files(package, tmp_path):
    add, run = package
    add(KIND)
    assert len(KIND) == 2
    run("learn", "tides", "--out", "run", *TINY)
    run("report", "run", "--limit", "2", "--steps", "2", "--pictures", "1")
    assert "largest error (m)" in (tmp_path / "run" / "report.html").read_text()
    run("encode", "run", "tides", "--out", "codes", "--limit", "2", "--steps", "2")
    run("decode", "codes", "--start", "run", "--out", "drawn")
    assert len(list((tmp_path / "drawn").glob("*.npy"))) == 2


def test_a_new_activation_is_one_file(package, tmp_path):
    add, run = package
    add(ACTIVATION)
    assert len(ACTIVATION) == 1
    run("learn", "curves", "--out", "run", *TINY, "--resolution", "9", "--activation", "bump")
    run("encode", "run", "curves", "--out", "codes", "--limit", "2", "--steps", "2")
    run("decode", "codes", "--start", "run", "--out", "drawn")
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 2


def test_a_fast_activation_is_named_in_one_file_of_the_engine_and_in_no_other():
    engines = Path(sparsine.__file__).parent / "engines"
    sources = [path for path in engines.rglob("*") if path.suffix in (".cpp", ".hpp", ".inl", ".py", ".pyi")]
    naming = {path.name for path in sources if "gauss" in path.read_text().lower()}
    of_triton = {"fused.py", "triton_kernels.py"}  # an engine of its own: which it knows, and how they are computed
    assert naming - of_triton == {"activations.inl"}
    assert naming & of_triton == of_triton

"""The compiled part when a program ends, and when its modules are dropped and imported again."""

import subprocess
import sys
import textwrap

import pytest

from sparsine.engines.native import is_built

pytestmark = pytest.mark.skipif(not is_built(), reason="no compiled extension")

BEGIN = """
import sys, threading
import torch
from sparsine import Pattern, Siren, make_engine
field = Siren(sizes=(2, 5, 3))
theta, coords = field.initial_theta(0)[None], torch.zeros(7, 2)
engine = make_engine(Pattern.full(field), "sparse")
expected = engine.predict(theta, coords)
"""


def said(program):
    """All that a program prints, on both of its outputs; warnings are errors there too."""
    command = [sys.executable, "-W", "error", "-c", BEGIN + textwrap.dedent(program)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("program", [
    "pass",
    "import builtins; builtins.kept = engine",
    "threading.Thread(target=lambda engine: threading.Event().wait(), args=(engine,), daemon=True).start()",
    "loop = [engine]; loop.append(loop); torch.kept = loop",
    "import atexit; atexit.register(engine.predict, theta, coords)",
    "sys.exit(0)",
], ids=["alive", "builtins", "thread", "cycle", "atexit", "exit"])  # fmt: skip
def test_a_program_that_ends_while_an_engine_is_alive_prints_nothing(program):
    assert said(program) == ""


@pytest.mark.parametrize("dropped", [
    "sparsine", "sparsine.engines", "sparsine.engines._native", "sparsine.engines.native"
])  # fmt: skip
@pytest.mark.parametrize("kept", [True, False], ids=["an engine is kept", "nothing is kept"])
def test_modules_that_are_dropped_and_imported_again_compute_the_same(dropped, kept):
    program = f"""
        import gc
        for _ in range(2):
            old = engine if {kept} else None
            del engine, make_engine, Pattern, Siren
            for name in [name for name in sys.modules if name.startswith("{dropped}")]:
                del sys.modules[name]
            gc.collect()
            from sparsine import Pattern, Siren, make_engine
            engine = make_engine(Pattern.full(Siren(sizes=(2, 5, 3))), "sparse")
            assert torch.equal(engine.predict(theta, coords), expected)
            assert old is None or torch.equal(old.predict(theta, coords), expected)
    """
    assert said(program) == ""


def test_modules_that_are_reloaded_in_place_compute_the_same():
    program = """
        import importlib
        for name in [name for name in sys.modules if name.startswith("sparsine")]:
            importlib.reload(sys.modules[name])
        from sparsine import make_engine, Pattern, Siren
        engine = make_engine(Pattern.full(Siren(sizes=(2, 5, 3))), "sparse")
        assert torch.equal(engine.predict(theta, coords), expected)
    """
    assert said(program) == ""

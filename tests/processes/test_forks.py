"""A child that is forked while its parent has threads at work can compute. Each parent is a program of its own."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import sparsine

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

BEGIN = """
import multiprocessing, os, sys, threading, warnings
import numpy as np, torch
from sparsine import EncodeConfig, FitConfig, Grid, Pattern, Siren, Start, encode, make_engine
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on says that threads are lost
torch.set_num_threads(2)
field = Siren(sizes=(2, 256, 256, 3), omega_0=30.0)  # wide enough for torch to share its work out
start = Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(16, 17)))
values = np.random.default_rng(0).random((16, 17, 3), dtype=np.float32)
def code():
    return encode(start, values, EncodeConfig(fit=FitConfig(steps=2)))
def numbers(engine):
    theta, coords = torch.stack([start.theta, 0.9 * start.theta]), start.domain.coords()
    given = torch.from_numpy(values.reshape(1, -1, 3)).expand(2, -1, -1)
    return [*engine.loss_and_grad(theta, coords, given), engine.predict(theta, coords)]
def all_in_time(process):
    process.join(20)
    alive = process.is_alive()
    process.kill() if alive else None
    return "hung" if alive else process.exitcode
fork = multiprocessing.get_context("fork")
"""


def said(program):
    """What a program prints. It ends by itself: no child is waited for without end."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(program)],
        capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_forked_child_encodes_after_its_parent_did():
    program = """
        expected = code()
        from sparsine.engines import forks
        threads = 2 if hasattr(forks._openmp(), "omp_pause_resource_all") else 1
        def child():
            assert torch.get_num_threads() == threads and code() == expected
        for _ in range(2):
            process = fork.Process(target=child); process.start(); print(all_in_time(process))
        assert code() == expected
    """
    assert said(program) == ["0", "0"]


@pytest.mark.parametrize("engine", ["reference", "dense", "sparse"])
def test_a_forked_child_gets_the_numbers_of_its_parent_from_the_parents_engine(engine):
    program = f"""
        engine = make_engine(start.pattern, "{engine}")
        expected = numbers(engine)
        def child():
            same = torch.equal if "{engine}" == "sparse" else torch.allclose  # matrix libraries look at addresses too
            assert all(map(same, numbers(engine), expected))
        process = fork.Process(target=child); process.start(); print(all_in_time(process))
    """
    assert said(program) == ["0"]


def test_a_child_of_a_child_and_a_child_of_another_thread_can_compute():
    program = """
        expected = code()
        def grandchild():
            assert code() == expected
        def child():
            assert code() == expected
            process = fork.Process(target=grandchild); process.start(); print(all_in_time(process), flush=True)
        process = fork.Process(target=child, daemon=False); process.start(); print(all_in_time(process))
        def from_a_thread():
            assert code() == expected
            process = fork.Process(target=grandchild); process.start(); print(all_in_time(process))
        thread = threading.Thread(target=from_a_thread); thread.start(); thread.join()
    """
    assert said(program) == ["0", "0", "0"]


def test_a_child_can_compute_that_is_forked_while_another_thread_computes():
    program = """
        expected, end = code(), threading.Event()
        def work():
            while not end.is_set():
                assert code() == expected
        def child():
            assert code() == expected
        thread = threading.Thread(target=work); thread.start()
        for _ in range(3):
            process = fork.Process(target=child); process.start(); print(all_in_time(process))
        end.set(); thread.join()
    """
    assert said(program) == ["0"] * 3


def test_a_pool_of_forked_workers_encodes():
    program = """
        expected = code()
        def work(_):
            return code() == expected
        with fork.Pool(2) as pool:
            print(*pool.map_async(work, range(4)).get(60))
    """
    assert said(program) == ["True"] * 4


def test_a_child_can_read_a_set_that_another_thread_of_its_parent_was_reading():
    program = """
        from sparsine.signals import SignalSet, cache
        class Plain(SignalSet):
            def __len__(self): return 3
            def name(self, index): return str(index)
            def load(self, index): return values
        cached, inside, go_on = cache.Cached(Plain()), threading.Event(), threading.Event()
        class Slow(cache.LRUCache):
            def get(self, *key):
                inside.set(); go_on.wait(60)
                return super().get(*key)
        cached._held = Slow(1 << 20, getsizeof=lambda held: held.nbytes)
        thread = threading.Thread(target=cached.load, args=(1,)); thread.start(); inside.wait(60)
        threading.Timer(0.5, go_on.set).start()
        def child():
            assert cached.load(1).shape == (16, 17, 3)
        process = fork.Process(target=child); process.start(); print(all_in_time(process))
    """
    assert said(program) == ["0"]


def test_a_child_can_make_what_another_thread_of_its_parent_was_making():
    """functools.cached_property has a lock for all objects of a class before Python 3.12."""
    program = """
        from sparsine.lazy import cached_property
        inside, go_on = threading.Event(), threading.Event()
        class Slow:
            @cached_property
            def value(self):
                if threading.current_thread() is not threading.main_thread():
                    inside.set(); go_on.wait(100)
                return 3
        slow = Slow()
        thread = threading.Thread(target=lambda: slow.value); thread.start(); inside.wait(60)
        def child():
            assert slow.value == 3 and Slow().value == 3
        process = fork.Process(target=child); process.start(); print(all_in_time(process)); go_on.set(); thread.join()
    """
    assert said(program) == ["0"]


def test_nothing_is_made_behind_a_lock_that_a_whole_class_shares():
    """What is lazy takes sparsine.lazy, wherever it stands."""
    sources = Path(sparsine.__file__).parent.rglob("*.py")
    guilty = [path.name for path in sources if re.search(r"functools import .*cached_property", path.read_text())]
    assert guilty == []


def test_a_child_can_ask_a_table_that_another_thread_of_its_parent_was_asking():
    program = """
        import importlib.metadata as metadata
        from sparsine.registry import Registry
        inside = threading.Event()
        table = Registry("score", "sparsine.none", {"a": 1}, wanted="one", suits=lambda name, value: True)
        def slow(**given):
            inside.set(); threading.Event().wait(0.5)
            return []
        metadata.entry_points = slow
        thread = threading.Thread(target=lambda: list(table)); thread.start(); inside.wait(60)
        def child():
            assert list(table) == ["a"]
        process = fork.Process(target=child); process.start(); print(all_in_time(process)); thread.join()
    """
    assert said(program) == ["0"]


def test_a_runtime_that_cannot_be_told_leaves_the_child_one_thread():
    program = """
        from sparsine.engines import forks
        class Old:
            GOMP_parallel = None
        # a program that never told the real one: the hooks of the import are not there
        forks._openmp = Old
        forks.make_forks_safe()
        def child():
            assert torch.get_num_threads() == 1
        process = fork.Process(target=child); process.start(); print(all_in_time(process), torch.get_num_threads())
    """
    assert said(program) == ["0", "2"]

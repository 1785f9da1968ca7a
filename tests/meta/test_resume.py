"""kill -9 at any moment, then --resume: the same bits as a run that was never stopped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    script = Path(__file__).with_name("killed_runs.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_run_was_really_killed(outcomes):
    assert [o["case"] for o in outcomes if o["killed_by"] != 9] == []
    assert len(outcomes) == 23


def test_every_killed_run_can_be_resumed_to_its_end(outcomes):
    assert [o["case"] for o in outcomes if o["resumed"] != 0] == []


def test_a_resumed_run_has_the_same_bits_as_one_that_never_stopped(outcomes):
    assert [o["case"] for o in outcomes if not o["same"]] == []

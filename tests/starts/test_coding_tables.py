"""Coding tables of a start: checked when they are made, and when they come from a file."""

from dataclasses import replace

import pytest
import torch
from small_problems import field_of, random_pattern

from sparsine.errors import BadInput
from sparsine.signals.grid import Grid
from sparsine.starts.coding import SURVIVAL_POINTS, WHOLE, CodingTables
from sparsine.starts.start import Start, load_start, read_vectors, save_start, write_vectors


def tables(count, **changes):
    survival = torch.linspace(WHOLE, 3, SURVIVAL_POINTS, dtype=torch.float64).int()
    step = torch.arange(count).short() - 200
    return CodingTables(
        **{"centre": torch.rand(count), "step": step, "scale": step + 40, "survival": survival, **changes}
    )


def make_start(coding=True):
    pattern = random_pattern(field_of(2, 5, 4, 1))
    theta = pattern.gather(pattern.field.initial_theta(0)[None])[0]
    return Start(pattern, theta, Grid(shape=(3, 4)), {}, tables(len(theta)) if coding else None)


def test_tables_come_back_from_a_file_with_the_same_bits(tmp_path):
    start = make_start()
    save_start(tmp_path / "a.safetensors", start)
    again = load_start(tmp_path / "a.safetensors").coding
    for name in ("centre", "step", "scale", "survival"):
        assert torch.equal(getattr(again, name), getattr(start.coding, name))


def test_a_centre_that_is_theta_itself_or_a_part_of_one_memory_can_be_written(tmp_path):
    start = make_start()
    for centre in (start.theta, torch.cat([start.theta, start.theta])[: len(start.theta)]):
        coding = replace(start.coding, centre=centre)
        save_start(tmp_path / "a.safetensors", replace(start, theta=centre, coding=coding))
        again = load_start(tmp_path / "a.safetensors")
        assert torch.equal(again.theta, start.theta)
        assert torch.equal(again.coding.centre, start.theta)


def test_a_start_without_tables_is_written_as_before(tmp_path):
    save_start(tmp_path / "a.safetensors", make_start(coding=False))
    tensors, _, header = read_vectors(tmp_path / "a.safetensors", "sparsine-start")
    assert list(tensors) == ["theta"]
    assert "coding_version" not in header
    assert load_start(tmp_path / "a.safetensors").coding is None


def rewritten(path, start, version=1, drop=None):
    vectors = {"theta": start.theta, **start.coding.to_tensors()}
    vectors.pop(drop, None)
    write_vectors(path, vectors, start.pattern, {"grid": start.domain.to_dict(), "info": {}, "coding_version": version},
                  "sparsine-start")  # fmt: skip
    return path


def test_tables_of_another_version_are_refused_by_its_number(tmp_path):
    with pytest.raises(BadInput, match="coding tables of version 2, but this version of sparsine reads 1"):
        load_start(rewritten(tmp_path / "a.safetensors", make_start(), version=2))


def test_tables_that_are_not_whole_are_refused(tmp_path):
    with pytest.raises(BadInput, match="coding_step"):
        load_start(rewritten(tmp_path / "a.safetensors", make_start(), drop="coding_step"))


RISING = torch.full((SURVIVAL_POINTS,), WHOLE, dtype=torch.int32)
RISING[3] -= 1
MADE_WRONG = [
    dict(step=torch.zeros(8).short()),
    dict(step=torch.zeros(9).int()),
    dict(step=torch.full((9,), 1025).short()),
    dict(scale=torch.full((9,), -1025).short()),
    dict(centre=torch.full((9,), float("nan"))),
    dict(survival=torch.zeros(SURVIVAL_POINTS).int()),
    dict(survival=torch.zeros(3).int()),
    dict(survival=RISING),
]


@pytest.mark.parametrize("changes", MADE_WRONG)
def test_tables_that_make_no_sense_are_refused(changes):
    tables(9)
    with pytest.raises((BadInput, TypeError)):
        tables(9, **changes)


def test_tables_of_another_length_do_not_belong_to_a_start():
    start = make_start()
    with pytest.raises(BadInput, match="do not belong"):
        replace(start, coding=tables(len(start.theta) + 1))

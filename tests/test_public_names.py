"""The package as one meets it in a Python session: its names, help, what values look like, paths as they are typed."""

import ast
import pydoc
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import small_runs
from PIL import Image
from small_problems import field_of, random_pattern

import sparsine
from sparsine import (
    Comparison,
    Dataset,
    EvaluationConfig,
    FitConfig,
    FittedField,
    Grid,
    Start,
    decode_collection,
    encode_collection,
    evaluate_run,
    fit_array,
    fit_collection,
    import_learnit,
    learn_sparse_start,
    load_start,
    open_run,
    save_start,
    write_report,
)  # fmt: skip
from sparsine.errors import BadInput
from sparsine.fitting.config import FitConfig as SameFitConfig
from sparsine.signals.kinds import Rgb


def start_of(shape=(5, 7)):
    field = field_of(2, 7, 5, 3, omega_0=6.5, output_offset=0.5)
    pattern = random_pattern(field, 0.7, 1)
    return Start(pattern, pattern.gather(field.initial_theta(1)[None])[0], Grid(shape=shape), kind=Rgb())


def picture_of(shape=(5, 7)):
    return np.random.default_rng(3).random((*shape, 3), dtype=np.float32)


def test_every_public_name_is_listed_and_is_what_its_home_holds():
    assert dir(sparsine) == sorted(sparsine.__all__)
    assert len(set(sparsine.__all__)) == len(sparsine.__all__) > 50
    for name in sparsine.__all__:
        assert getattr(sparsine, name) is not None
    assert sparsine.FitConfig is SameFitConfig


def test_type_checkers_read_the_names_that_are_loaded_later():
    stub = Path(sparsine.__file__).with_suffix(".pyi").read_text()
    assert {node.names[0].asname for node in ast.parse(stub).body[1:]} == set(sparsine.__all__)


def test_help_shows_functions_and_classes_with_what_they_do():
    text = pydoc.plain(pydoc.render_doc(sparsine))
    for shown in ("fit_array(", "class Start", "class FittedField", "encode(", "load_start("):
        assert shown in text


def test_listing_the_names_loads_no_torch():
    code = "import sys, sparsine; dir(sparsine); sparsine.__all__; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_star_brings_the_public_names_and_no_other():
    names = {}
    exec("from sparsine import *", names)
    assert set(names) - {"__builtins__"} == set(sparsine.__all__)


def test_the_package_says_that_it_is_typed():
    assert files("sparsine").joinpath("py.typed").is_file()


def test_values_show_their_sizes_and_counts_and_not_their_numbers():
    start = start_of()
    weights = "SIREN 2-7-5-3, omega_0 6.5, output offset 0.5, 42 weights + 15 biases = 57, 65.6 % of the weights"
    assert repr(start.pattern) == f"Pattern({weights})"
    assert repr(start) == f"Start({weights}, rgb, 5 x 7)"
    assert repr(FittedField(start, start.theta, (4, 9))) == f"FittedField(4 x 9, 3 channels, {weights})"
    assert repr(load_start("photos-2k")).endswith(
        "rgb, 178 x 178, calibrated, plans for instant, fast, balanced, best)"
    )
    arrays = np.zeros((10, 8, 6, 1), np.float32)
    assert repr(Dataset.from_arrays(arrays, "grey", spec="mine")) == (
        "Dataset(mine: grey, 8 x 6, 1 channel; 8 train, 1 val, 1 test)"
    )


def test_an_array_is_fitted_as_one_of_a_collection_is():
    start, picture, config = start_of(), picture_of(), FitConfig(steps=9, lr=3e-3)
    field = fit_array(start, picture, config)
    arrays = Dataset.from_arrays([picture], Rgb(), val=[picture], test=[picture]).test
    (fitted,) = fit_collection(start, arrays, config)
    assert field.theta.tolist() == fitted.theta.tolist() != start.theta.tolist()
    assert field.render().shape == (5, 7, 3)


def test_an_array_is_fitted_by_the_plan_of_its_start():
    start, picture = load_start("photos-2k"), picture_of((9, 11))
    field = fit_array(start, picture, FitConfig(effort="instant"))
    steps = start.plans["instant"].steps
    by_hand = fit_array(start, picture, FitConfig(effort="instant", steps=steps))
    assert field.theta.tolist() == by_hand.theta.tolist()
    assert field.theta.tolist() != fit_array(start, picture, FitConfig(effort="instant", steps=3)).theta.tolist()


def test_an_array_may_have_another_size_than_the_start_and_be_a_picture_of_pil():
    field = fit_array(start_of(), Image.new("RGB", (6, 4), "teal"), FitConfig(steps=2))
    assert field.shape == (4, 6)


@pytest.mark.parametrize(
    ("array", "config", "said"),
    [
        (np.full((5, 7, 3), 200.0), FitConfig(steps=2), "200"),
        (np.full((5, 7, 3), np.nan), FitConfig(steps=2), "finite"),
        (np.zeros((5, 7, 1), np.float32), FitConfig(steps=2), "channel"),
        (np.zeros((5, 3), np.float32), FitConfig(steps=2), "axes"),
        (picture_of(), FitConfig(steps=30, lr=1e3), "could not be fitted: the loss overflowed"),
    ],
)
def test_an_array_that_cannot_be_fitted_is_refused_with_what_was_received(array, config, said):
    with pytest.raises(BadInput, match=said):
        fit_array(start_of(), array, config)


def test_coordinates_are_refused_where_samples_lie_on_a_grid():
    with pytest.raises(BadInput, match="scattered points"):
        fit_array(start_of(), picture_of(), coords=np.zeros((35, 2), np.float32))


def test_paths_may_be_texts_wherever_a_public_function_takes_one(tmp_path):
    folder = small_runs.photos(tmp_path / "photos")
    config = small_runs.config_of(folder)
    dataset = small_runs.opened(config)
    with open_run(config, f"{tmp_path}/run", dataset) as run:
        start = learn_sparse_start(config, run)
    record = evaluate_run(f"{tmp_path}/run", dataset, EvaluationConfig(signals=1, pictures=0, fit=FitConfig(steps=1)))
    assert write_report(f"{tmp_path}/run", record, []) == tmp_path / "run" / "report.html"
    save_start(f"{tmp_path}/start.safetensors", start)
    assert load_start(f"{tmp_path}/start.safetensors").theta.tolist() == start.theta.tolist()
    (code,) = encode_collection(start, dataset.test, f"{tmp_path}/codes", indices=[0])
    codes = {"one": f"{tmp_path}/codes/{code.code}"}
    (drawn,) = decode_collection(start, codes, f"{tmp_path}/drawn")
    assert (tmp_path / "drawn" / drawn.picture).is_file()
    with pytest.raises(BadInput, match="nowhere"):
        Comparison.read(f"{tmp_path}/nowhere")
    with pytest.raises(BadInput, match=r"nowhere\.npz"):
        import_learnit(f"{tmp_path}/nowhere.npz")

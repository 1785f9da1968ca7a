import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problems import repeatable

from sparsine.engines import make_engine
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig, fit_collection
from sparsine.signals import open_dataset
from sparsine.signals.kinds import Rgb
from sparsine.starts.learnit import import_learnit
from sparsine.starts.start import load_start, save_start

DATA = Path(os.environ.get("SPARSINE_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data")
PUBLISHED = DATA / "learnit" / "celeba_maml_150k.npz"

# 2 - 5 - 4 - 3
SHAPES = {
    "layers.0.weight": (5, 2), "layers.0.bias": (5,),
    "layers.1.weight": (4, 5), "layers.1.bias": (4,),
    "layers.2.weight": (3, 4), "layers.2.bias": (3,),
}  # fmt: skip


def made_up():
    rng = np.random.default_rng(3)
    return {name: rng.uniform(-1, 1, shape).astype(np.float32) for name, shape in SHAPES.items()}


def put(path, arrays, save=np.savez):
    save(path, **arrays)
    return path


def refused(path, *words):
    with pytest.raises(BadInput) as error:
        import_learnit(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_small_published_start_draws_as_its_own_formula_says(tmp_path, save):
    arrays = made_up()
    start = import_learnit(put(tmp_path / "a.npz", arrays, save), omega_0=7.0, shape=(5, 3))
    assert start.field.sizes == (2, 5, 4, 3)
    assert start.pattern.sparsity == 0
    rows, columns = np.meshgrid(np.arange(5) / 5, np.arange(3) / 3, indexing="ij")
    h = np.stack([rows.ravel(), columns.ravel()], axis=1)
    for layer in range(2):
        h = np.sin(7.0 * (h @ arrays[f"layers.{layer}.weight"].T + arrays[f"layers.{layer}.bias"]))
    values = h @ arrays["layers.2.weight"].T + arrays["layers.2.bias"] + 0.5
    found = make_engine(start.pattern).predict(start.theta[None], start.domain.coords())[0]
    torch.testing.assert_close(found.double(), torch.from_numpy(values), rtol=1e-5, atol=1e-5)


def test_it_says_where_it_comes_from_and_survives_a_file(tmp_path):
    start = import_learnit(put(tmp_path / "a.npz", made_up()))
    assert (start.field.omega_0, start.field.output_offset) == (200.0, 0.5)
    domain = start.domain
    assert (domain.shape, domain.alignment, domain.axis_extents) == ((178, 178), "lower", ((0, 1), (0, 1)))
    assert start.info["recipe"] == "learnit"
    assert start.kind == Rgb()
    save_start(tmp_path / "a.safetensors", start)
    again = load_start(tmp_path / "a.safetensors")
    assert torch.equal(again.theta, start.theta)
    assert (again.field, again.domain, again.info) == (start.field, start.domain, start.info)


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int32])
def test_other_kinds_of_numbers_become_float32(tmp_path, kind):
    arrays = {name: (10 * array).astype(kind) for name, array in made_up().items()}
    start = import_learnit(put(tmp_path / "a.npz", arrays))
    assert start.theta.dtype == torch.float32
    assert start.theta[:2].tolist() == arrays["layers.0.weight"][0].astype(np.float32).tolist()


@pytest.mark.parametrize("missing", SHAPES)
def test_a_missing_array_is_refused(tmp_path, missing):
    arrays = made_up()
    del arrays[missing]
    refused(put(tmp_path / "a.npz", arrays), "expected layers.0.weight, layers.0.bias")


@pytest.mark.parametrize(
    "change",
    [
        {"extra": np.ones(3)},
        {"layers.7.bias": np.ones(3)},
        {"layers.3.weight": np.ones((3, 3))},
        {"layers.-1.weight": np.ones((3, 3)), "layers.-1.bias": np.ones(3)},
    ],
)
def test_a_surplus_array_is_refused(tmp_path, change):
    refused(put(tmp_path / "a.npz", made_up() | change), "expected layers.0.weight")


def test_a_single_layer_or_nothing_is_refused(tmp_path):
    one = {name: array for name, array in made_up().items() if name.startswith("layers.0")}
    refused(put(tmp_path / "a.npz", one), "expected layers.0.weight")
    refused(put(tmp_path / "b.npz", {}), "expected layers.0.weight")


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("layers.1.weight", np.ones((4, 6)), "do not fit one another"),
        ("layers.1.weight", np.ones((5, 4)), "do not fit one another"),
        ("layers.1.bias", np.ones(5), "do not fit one another"),
        ("layers.1.bias", np.ones((4, 1)), "do not fit one another"),
        ("layers.1.bias", np.ones(()), "do not fit one another"),
        ("layers.2.weight", np.ones(12), "must be a matrix"),
        ("layers.2.weight", np.ones((3, 4, 1)), "must be a matrix"),
        ("layers.2.bias", np.array([1, np.nan, 1]), "not finite"),
        ("layers.2.bias", np.array([1, np.inf, 1]), "not finite"),
        ("layers.2.bias", np.array([1, 1e300, 1]), "not finite"),  # in float32
        ("layers.2.bias", np.array(["a", "b", "c"]), "layers.2.bias must hold real numbers"),
        ("layers.2.bias", np.array([1, 2, 3j]), "layers.2.bias must hold real numbers"),
        ("layers.2.bias", np.array([True, False, True]), "layers.2.bias must hold real numbers"),
        ("layers.2.bias", np.array([None, 1, "x"]), "not an npz of plain arrays"),  # pickled, so never opened
    ],
)
def test_arrays_that_make_no_field_are_refused(tmp_path, name, array, words):
    refused(put(tmp_path / "a.npz", made_up() | {name: array}), words)


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = put(tmp_path / "a.npz", made_up() | {"layers.0.bias": np.array([Trap()] * 5)})
    refused(path, "not an npz of plain arrays")
    assert not (tmp_path / "sprung").exists()


def test_what_is_no_npz_is_refused(tmp_path):
    refused(tmp_path / "nothing.npz", "no such file")
    refused(tmp_path, "not an npz")
    for name, data in {"empty": b"", "text": b"hello", "zip": b"PK\x03\x04" + b"\x00" * 50}.items():
        (tmp_path / name).write_bytes(data)
        refused(tmp_path / name, "not an npz")
    np.save(tmp_path / "single.npy", np.ones(3))
    refused(tmp_path / "single.npy", "single array")
    with zipfile.ZipFile(tmp_path / "texts.npz", "w") as archive:
        for name in SHAPES:
            archive.writestr(f"{name}.npy", "hello")
    refused(tmp_path / "texts.npz", "not an array")


def test_damaged_numbers_are_refused_also_where_their_size_is_damaged(tmp_path):
    data = bytearray(put(tmp_path / "a.npz", made_up()).read_bytes())
    data[200] ^= 1  # a number of the first array, behind 128 bytes of its header
    entry = data.index(b"PK\x01\x02")  # the first of the directory
    data[entry + 25] += 1  # 256 bytes more than there are: NumPy never comes to the end of them, and to the checksum
    (tmp_path / "a.npz").write_bytes(data)
    refused(tmp_path / "a.npz", "is damaged")


def test_a_directory_that_lost_members_is_refused_also_where_the_rest_is_a_network(tmp_path):
    data = bytearray(put(tmp_path / "a.npz", made_up()).read_bytes())
    entries = [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"]
    data[entries[3] + 33] = 1  # the fourth entry's comment is now long enough to hold the fifth and the sixth
    (tmp_path / "a.npz").write_bytes(data)
    refused(tmp_path / "a.npz", "lists 4 of 6 members")


@pytest.fixture(scope="module", params=[np.savez, np.savez_compressed])
def corrupted(request, tmp_path_factory):
    path = put(tmp_path_factory.mktemp("npz") / "a.npz", made_up(), request.param)
    return path, path.read_bytes(), import_learnit(path).theta


@settings(repeatable, max_examples=150)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=3), st.floats(0.3, 3))
def test_a_damaged_file_is_refused_or_makes_no_difference(corrupted, changes, kept):
    path, whole, theta = corrupted
    data = bytearray(whole)
    for place, byte in changes:
        data[int(place * (len(data) - 1))] = byte
    path.write_bytes(data[: int(kept * len(data))])
    try:
        found = import_learnit(path)
    except BadInput as error:
        assert str(path) in str(error)
    else:
        assert torch.equal(found.theta, theta)


@pytest.mark.skipif(
    not (PUBLISHED.is_file() and (DATA / "celeba").is_dir()),
    reason="no real data at SPARSINE_DATA/learnit and SPARSINE_DATA/celeba",
)
def test_the_published_start_gives_the_known_answers_on_genuine_test_crops():
    start = import_learnit(PUBLISHED)
    assert start.pattern.counts == "197,888 weights + 1,027 biases = 198,915"
    test = open_dataset(f"celeba:{DATA / 'celeba'}").test
    # PSNR (dB) after 0, 1 and 2 SGD steps at 1e-2 on all pixels, from an independent computation
    known = {
        "182805.jpg": (13.926, 28.153, 31.651),
        "183279.jpg": (10.376, 24.745, 28.577),
        "184089.jpg": (8.027, 22.249, 29.406),
    }
    indices = [i for i in range(len(test)) if test.name(i) in known]
    found = {f.name: f for f in fit_collection(start, test, FitConfig(optimizer="sgd"), indices=indices)}
    assert sorted(found) == sorted(known)
    for name, psnr in known.items():
        assert (found[name].status, found[name].steps) == ("ok", (0, 1, 2))
        assert found[name].psnr_db == pytest.approx(psnr, abs=0.02)

import dataclasses
import json

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from small_problems import Pattern, field_of, random_pattern, repeatable

from sparsine.errors import BadInput
from sparsine.signals.grid import Grid
from sparsine.signals.kind import VALUES
from sparsine.signals.kinds import Rgb
from sparsine.starts.plan import FitPlan
from sparsine.starts.start import FORMAT, UNSIGNED, Start, checksum, load_start, read_vectors, save_start, write_vectors
from sparsine.version import __version__

FIELD = field_of(2, 7, 5, 3, omega_0=31.5, output_offset=0.5)
GRID = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)), alignment="centers", axis_order="reversed")
INFO = {"data": "celeba", "round": 3, "config": {"seed": 5, "points": None, "lr": 1e-5}, "note": "ä\n", "list": [1, 2]}


@pytest.fixture(scope="module", autouse=True)
def unchecked():
    """As for a user: what lies in a file is not refused by the checker of annotations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        yield


def make_start(density=0.4):
    pattern = random_pattern(FIELD, density)
    theta = torch.randn(pattern.num_params, generator=torch.Generator().manual_seed(3))
    # numbers that a text or a rounding would change
    theta[:4] = torch.tensor([-0.0, 1e-42, 3.4e38, 0.1])
    return Start(pattern, theta, GRID, INFO)


def same(a, b):
    return (
        a.theta.dtype == b.theta.dtype
        and a.theta.numpy().tobytes() == b.theta.numpy().tobytes()
        and torch.equal(a.pattern.keep, b.pattern.keep)
        and (a.field, a.domain, a.info) == (b.field, b.domain, b.info)
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "made.safetensors"
    save_start(path, make_start())
    return path


def refused(path, *words):
    """load_start says no in one clear line that names the path."""
    with pytest.raises(BadInput) as error:
        load_start(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


def rewrite(path, change=lambda header: None, tensors=lambda tensors: None, sign=True):
    """The file again with something else in it, and (with `sign`) a checksum that fits."""
    data = path.read_bytes()
    held = load(data)
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    header = json.loads(metadata["sparsine"])
    change(header)
    tensors(held)
    if sign:
        header["sha256"] = UNSIGNED
        header["sha256"] = checksum(held, json.dumps(header))
    path.write_bytes(save(held, {"sparsine": json.dumps(header)}))


@pytest.mark.parametrize("density", [0.0, 0.4, 1.0])
def test_a_start_comes_back_with_the_same_bits(tmp_path, density):
    start = make_start(density)
    save_start(tmp_path / "a.safetensors", start)
    again = load_start(tmp_path / "a.safetensors")
    assert same(again, start)
    save_start(tmp_path / "b.safetensors", again)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_saving_leaves_one_file_and_replaces_an_old_one(path):
    save_start(path, make_start(1.0))
    assert [p.name for p in path.parent.iterdir()] == ["made.safetensors"]
    assert same(load_start(path), make_start(1.0))


def test_the_header_says_what_it_is_to_other_programs(path):
    data = path.read_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    header = json.loads(metadata["sparsine"])
    pattern = make_start().pattern
    assert (header["format"], header["format_version"]) == ("sparsine-start", 1)
    assert header["counts"] == {"weights": pattern.num_weights, "biases": 15, "total": pattern.num_params}
    assert header["sparsity"] == pattern.sparsity
    assert header["versions"] == {"sparsine": __version__, "torch": torch.__version__}
    assert header["grid"] == GRID.to_dict()
    assert header["field"] == FIELD.to_dict()
    assert sorted(load(data)) == ["pattern", "theta"]


def test_a_file_cut_short_anywhere_is_refused(path):
    data = path.read_bytes()
    lengths = {*range(12), *range(12, len(data), 37), *range(len(data) - 9, len(data))}
    for length in sorted(lengths):
        path.write_bytes(data[:length])
        refused(path)


def test_a_flipped_bit_anywhere_in_the_numbers_is_refused(path):
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    for position in range(begin, len(data), 3):
        for bit in (0, 7):
            path.write_bytes(data[:position] + bytes([data[position] ^ (1 << bit)]) + data[position + 1 :])
            refused(path, "is damaged: its checksum does not match", "restore it from a copy")


def test_something_appended_is_refused(path):
    path.write_bytes(path.read_bytes() + b"more")
    refused(path)


class Corruption:
    """One change to the bytes of a file."""

    def __init__(self, kind, place, byte, length):
        self.kind, self.place, self.byte, self.length = kind, place, byte, length

    def __repr__(self):
        return f"Corruption({self.kind!r}, {self.place}, {self.byte}, {self.length})"

    def __call__(self, data):
        at = int(self.place * (len(data) - 1))
        if self.kind == "cut":
            return data[:at]
        if self.kind == "overwrite":
            return data[:at] + bytes([self.byte]) * self.length + data[at + self.length :]
        if self.kind == "flip":
            return data[:at] + bytes([data[at] ^ (1 << self.byte % 8)]) + data[at + 1 :]
        if self.kind == "insert":
            return data[:at] + bytes([self.byte]) * self.length + data[at:]
        if self.kind == "repeat":
            return data[: at + self.length] + data[at:]
        return data[:at] + data[at + self.length :]


KINDS = ["cut", "overwrite", "flip", "insert", "repeat", "remove"]
# bytes that mean something in JSON are drawn often
some_bytes = st.one_of(st.integers(0, 255), st.sampled_from(list(b'"\\{}[],:0123456789.eE-ntf \x00\xff')))
corruptions = st.lists(
    st.builds(Corruption, st.sampled_from(KINDS), st.floats(0, 1), some_bytes, st.integers(1, 9)),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def corrupted(tmp_path_factory):
    path = tmp_path_factory.mktemp("corrupted") / "made.safetensors"
    save_start(path, make_start())
    return path, path.read_bytes()


@settings(repeatable, max_examples=600)
@given(corruptions)
def test_a_damaged_file_is_refused_or_makes_no_difference(corrupted, changes):
    path, data = corrupted
    for change in changes:
        data = change(data) if data else data
    path.write_bytes(data)
    try:
        found = load_start(path)
    except BadInput as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        assert same(found, make_start())


def test_every_single_letter_of_the_header_matters_or_makes_no_difference(corrupted):
    path, data = corrupted
    end = 8 + int.from_bytes(data[:8], "little")
    for position in range(0, end, 3):
        for byte in (data[position] ^ 1, ord("9")):
            path.write_bytes(data[:position] + bytes([byte]) + data[position + 1 :])
            try:
                found = load_start(path)
            except BadInput as error:
                assert str(path) in str(error)
                assert "\n" not in str(error)
            else:
                assert same(found, make_start()), (position, byte)


def test_a_file_that_is_not_there_is_named(tmp_path):
    refused(tmp_path / "nothing.safetensors", "cannot read", "No such file")
    refused(tmp_path, "cannot read")


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x00" * 100, b"\xff" * 100, b"\x02" + b"\x00" * 7 + b"[]", b"\x04" + b"\x00" * 7 + b"null",
     b"\x15" + b"\x00" * 7 + b'{"__metadata__":null}', b"\x1f" + b"\x00" * 7 + b'{"__metadata__":{"sparsine":7}}',
     b"\x88\x13" + b"\x00" * 6 + b"[" * 5000],
)  # fmt: skip
def test_what_is_no_safetensors_file_is_refused(tmp_path, data):
    path = tmp_path / "other.safetensors"
    path.write_bytes(data)
    refused(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"sparsine": "[]"}, {"sparsine": "7"}])
def test_the_safetensors_of_another_program_are_called_that(tmp_path, metadata):
    path = tmp_path / "other.safetensors"
    path.write_bytes(save({"weight": torch.ones(3)}, metadata))
    refused(path, "is not a sparsine-start file", "a safetensors file of another program")


def test_metadata_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(save({"weight": torch.ones(3)}, {"sparsine": "{"}))
    refused(path, "is not a safetensors file, or is damaged")


def test_a_file_of_another_kind_is_refused_with_what_was_found(path):
    start = make_start()
    write_vectors(path, {"theta": start.theta}, start.pattern, {}, "sparsine-checkpoint")
    refused(path, "is not a sparsine-start file; found 'sparsine-checkpoint'")


@pytest.mark.parametrize("version", [2, 0, None, "1"])
def test_another_version_is_refused_with_both_numbers_and_what_wrote_it(path, version):
    rewrite(path, lambda header: header.update(format_version=version, versions={"sparsine": "9.8.7"}))
    refused(path, f"has format version {version}", "this version of sparsine reads 1", "9.8.7")


@pytest.mark.parametrize("sha", ["0" * 64, "1" * 64, "", None, 7])
def test_a_wrong_checksum_is_refused(path, sha):
    rewrite(path, lambda header: header.update(sha256=sha), sign=False)
    refused(path, "its checksum does not match")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["field"].update(omega_0=30.0),
        lambda header: header["grid"].update(alignment="corners"),
        lambda header: header["info"].update(round=4),
    ],
)
def test_a_header_that_was_edited_is_refused(path, change):
    rewrite(path, change, sign=False)
    refused(path, "its checksum does not match")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", [0, -1])
def test_numbers_that_are_not_finite_are_refused(tmp_path, number, place):
    start = make_start()
    start.theta[place] = number
    save_start(tmp_path / "made.safetensors", start)
    refused(tmp_path / "made.safetensors", "not finite")


@pytest.mark.parametrize("missing", ["field", "grid", "info"])
def test_a_header_that_lacks_something_is_refused(path, missing):
    rewrite(path, lambda header: header.pop(missing))
    refused(path, missing)


@pytest.mark.parametrize("missing", ["theta", "pattern"])
def test_a_file_that_lacks_a_tensor_is_refused(path, missing):
    rewrite(path, tensors=lambda tensors: tensors.pop(missing))
    refused(path, missing)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["field"].update(sizes=[2, 7, 5, 4]),
        lambda header: header["field"].update(sizes=[2, 100_000, 100_000, 3]),
        lambda header: header["field"].update(sizes=[2, float("inf"), 3]),
        lambda header: header["field"].update(kind="relu"),
        lambda header: header["field"].update(omega_0=-1),
        lambda header: header["grid"].update(shape=[5]),
        lambda header: header["grid"].update(shape=[5, 3, 2], extent=[[0, 1]] * 3),
        lambda header: header["grid"].update(extent=[[1, 0], [0, 1]]),
        lambda header: header.update(field=[]),
        lambda header: header.update(grid=None),
        lambda header: header.update(info="none"),
        lambda header: header.update(info=7),
    ],
)
def test_a_header_that_does_not_fit_its_numbers_is_refused(path, change):
    rewrite(path, change)
    refused(path)


@pytest.mark.parametrize(
    "theta", [torch.zeros(3), torch.zeros(2, 20), torch.zeros(()), torch.zeros(make_start().theta.shape[0] + 1)]
)
def test_a_vector_of_another_shape_is_refused(path, theta):
    rewrite(path, tensors=lambda tensors: tensors.update(theta=theta))
    refused(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int32])
def test_a_vector_that_another_program_converted_is_refused(path, dtype):
    rewrite(path, tensors=lambda tensors: tensors.update(theta=tensors["theta"].to(dtype)), sign=False)
    refused(path)


def test_vectors_beside_the_start_come_back_too(tmp_path):
    start, path = make_start(), tmp_path / "fitted.safetensors"
    vectors = {"theta": start.theta, "other": torch.arange(7.0, dtype=torch.float64)}
    write_vectors(path, vectors, start.pattern, {"input": "a.jpg", "psnr_db": [float("nan"), 31.5]}, "sparsine-field")
    found, pattern, header = read_vectors(path, "sparsine-field")
    assert sorted(found) == ["other", "theta"]
    assert torch.equal(found["other"], vectors["other"])
    assert found["other"].dtype == torch.float64
    assert torch.equal(pattern.keep, start.pattern.keep)
    assert header["input"] == "a.jpg"
    assert header["psnr_db"] == [None, 31.5]  # JSON has no NaN


def test_a_start_of_another_length_or_grid_is_never_made():
    start = make_start()
    with pytest.raises(BadInput, match=r"needs theta of that length, but got \(4,\)"):
        Start(start.pattern, torch.zeros(4), GRID)
    with pytest.raises(BadInput, match=r"takes 2 coordinates but samples of shape \(5,\) have 1"):
        Start(start.pattern, start.theta, Grid(shape=(5,)))


def test_a_start_knows_its_kind_also_after_a_file(tmp_path):
    path, start = tmp_path / "start.safetensors", make_start()
    assert start.kind == VALUES  # where nobody says, plain numbers: no guess from the channels
    for kind in (VALUES, Rgb()):
        save_start(path, dataclasses.replace(start, kind=kind))
        assert load_start(path).kind == kind


def test_files_from_before_kinds_were_values_say_theirs_by_name(tmp_path):
    path = tmp_path / "start.safetensors"
    save_start(path, dataclasses.replace(make_start(), info={"value_kind": "rgb"}))
    rewrite(path, lambda header: header.pop("kind"))
    assert load_start(path).kind == Rgb()


def test_a_kind_that_does_not_go_with_the_channels_is_refused():
    grey = Pattern.full(field_of(2, 5, 1))
    with pytest.raises(BadInput, match=r"rgb values have shape \(rows, columns, 3\), but got \(.*, 1\)"):
        Start(grey, torch.zeros(grey.num_params), GRID, kind=Rgb())


def test_a_file_of_an_unknown_kind_is_refused_by_its_name(tmp_path):
    path = tmp_path / "start.safetensors"
    save_start(path, make_start())
    rewrite(path, lambda header: header.update(kind={"name": "smell"}))
    with pytest.raises(BadInput, match="unknown kind of signal 'smell'; known are values,"):
        load_start(path)


def test_the_format_has_one_name():
    assert FORMAT == "sparsine-start"


PLANS = {"fast": FitPlan(steps=300, lr=1e-3, share=0.1), "best": FitPlan(steps=5, lr=0.25, decay="none")}


def test_plans_come_back_and_are_no_part_of_what_a_start_is(path):
    plain, planned = load_start(path), dataclasses.replace(load_start(path), plans=PLANS)
    save_start(path, planned)
    assert load_start(path).plans == PLANS
    assert load_start(path).digest == plain.digest


@pytest.mark.parametrize(
    ("plans", "words"),
    [
        ([], "plans of fits are []"),
        ({"most": {"steps": 3, "lr": 1.0}}, "effort of a plan is 'most'"),
        ({"fast": {"steps": 3}}, "the plan of effort fast is"),
        ({"fast": {"steps": 3, "lr": 1.0, "warmth": 2}}, "the plan of effort fast is"),
        ({"fast": {"steps": -3, "lr": 1.0}}, "steps is -3"),
        ({"fast": {"steps": "many", "lr": 1.0}}, "the plan of effort fast cannot be used"),
    ],
)
def test_plans_that_cannot_be_used_are_refused(path, plans, words):
    tensors, pattern, about = read_vectors(path, FORMAT)
    write_vectors(path, tensors, pattern, {**about, "plans": plans}, FORMAT)
    refused(path, words)

"""`sparsine export`: a start or a code becomes a file of another program, and what cannot be is refused in one line."""

import json
from pathlib import Path

import pytest
import torch
from export_problems import small
from safetensors.torch import load_file
from small_problems import Pattern, field_of

from sparsine.cli.main import main
from sparsine.codec import Coder
from sparsine.codec.encode import decode_vector
from sparsine.export import FORMATS
from sparsine.starts.start import Start, read_vectors, save_start


def a_start(seed=0):
    return small(seed=seed, shape=(9, 4)).drawn.start


def moved(start, seed):
    return start.theta + 0.01 * torch.randn(start.theta.shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A start, another one, and codes of the first in two folders."""
    monkeypatch.chdir(tmp_path)
    start = a_start()
    save_start(Path("start.safetensors"), start)
    save_start(Path("other.safetensors"), a_start(seed=1))
    coder = Coder(start)
    for number, name in enumerate(("cats/a", "cats/b", "dogs/a")):
        file = Path("codes", f"{name}.spn")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(coder.write(moved(start, seed=number), (9, 4)))
    Path("codes/cats/journal.jsonl").write_text('{"file": "a.spn", "psnr_db": 31.5}\n{"file": "b.spn"}\nnot a line\n')
    return start


def told(capsys, *args):
    """(status, what is said in errors)"""
    capsys.readouterr()
    status = main(["export", *map(str, args)])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("format", FORMATS)
def test_starts_and_codes_are_written_under_their_names(place, capsys, format):
    if format == "onnx":
        pytest.importorskip("onnx")
    assert main(["export", "start.safetensors", "--to", format, *["--out", "s.bin"] * (format == "torch")]) == 0
    assert main(["export", "codes/cats/a.spn", "--start", "start.safetensors", "--to", format]) == 0
    written = Path("s.bin" if format == "torch" else f"start{FORMATS[format].suffix}")
    assert written.stat().st_size > 500
    assert Path(f"a{FORMATS[format].suffix}").read_bytes() != written.read_bytes()


def test_the_lines_that_are_printed_load_the_file(place, capsys):
    assert main(["export", "codes/cats/a.spn", "--start", "start.safetensors", "--to", "torch"]) == 0
    said = capsys.readouterr().out
    names = {}
    exec(said[said.index("import torch") :], names)
    assert names["field"](torch.rand(5, 2)).shape == (5, 3)


def test_standard_output_takes_the_file_alone(place, capfdbinary):
    assert main(["export", "start.safetensors", "--to", "npz", "--out", "-"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"PK")


def test_codes_become_rows_with_labels_and_what_was_measured(place, capsys):
    assert main(["export", "codes", "--start", "start.safetensors", "--to", "table", "--out", "fits"]) == 0
    rows = [json.loads(line) for line in Path("fits/data/train.jsonl").read_text().splitlines()]
    assert [(row["name"], row["label"], row["psnr_db"], row["row"]) for row in rows] == [
        ("cats/a.spn", "cats", 31.5, 0), ("cats/b.spn", "cats", None, 1), ("dogs/a.spn", "dogs", None, 2),
    ]  # fmt: skip
    assert {tuple(row["samples"]) for row in rows} == {(9, 4)}
    vectors, pattern, about = read_vectors(Path("fits/vectors.safetensors"), "sparsine-table")
    assert torch.equal(pattern.keep, place.pattern.keep)
    assert torch.equal(vectors["theta"], place.theta)
    assert (about["start"], about["signals"]) == (place.digest, 3)
    deltas = load_file("fits/vectors.safetensors")["delta"]
    for row, delta in zip(rows, deltas, strict=True):
        fitted = decode_vector(place, Path("codes", row["name"]).read_bytes())
        assert torch.allclose(place.theta + delta, fitted, atol=1e-6)
        assert delta.abs().max() > 1e-3
    assert not torch.equal(deltas[0], deltas[1])
    head = Path("fits/README.md").read_text().split("---")[1]
    assert "path: data/train.jsonl" in head


def test_rows_are_found_by_the_library_that_reads_such_data_sets(place):
    datasets = pytest.importorskip("datasets")
    assert main(["export", "codes", "--start", "start.safetensors", "--to", "table", "--out", "fits"]) == 0
    assert datasets.load_dataset("fits", split="train")["label"] == ["cats", "cats", "dogs"]


CODE = ("codes/cats/a.spn", "--start", "start.safetensors")


@pytest.mark.parametrize(("args", "says"), [
    (("codes/cats/a.spn", "--to", "npz"), "name the one that it was encoded with: --start START"),
    (("codes/cats/a.spn", "--to", "npz", "--start", "nowhere"), "there is no nowhere"),
    (("codes/cats/a.spn", "--to", "npz", "--start", "other.safetensors"), "codes/cats/a.spn: "),
    (("codes", "--to", "table", "--start", "other.safetensors", "--out", "t"), "cats/a.spn: "),
    (("nowhere.spn", "--to", "npz"), "there is no nowhere.spn"),
    (("start.safetensors", "--to", "png"), "png"),
    (("start.safetensors", "--to", "npz", "--start", "other.safetensors"), "--start is for codes"),
    (("start.safetensors", "other.safetensors", "--to", "npz"), "--to npz exports one field, but got 2 names"),
    ((*CODE, "--to", "npz", "--out", "there.npz"), "there.npz is there already; choose another name for --out"),
    ((*CODE, "--to", "npz", "--out", "codes"), "codes is a folder; --out needs the name of a file"),
    (("codes", "--to", "table", "--start", "start.safetensors", "--out", "codes"), "codes is there already"),
    (("cut.spn", "--to", "npz", "--start", "start.safetensors"), "cut.spn: "),
])  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_written(place, capsys, args, says):
    Path("there.npz").write_bytes(b"of somebody")
    Path("cut.spn").write_bytes(Path("codes/cats/a.spn").read_bytes()[:-3])
    before = sorted(Path().rglob("*"))
    status, error = told(capsys, *args)
    assert status == 2
    assert says in error
    assert len(error.strip().splitlines()) == 1
    assert sorted(Path().rglob("*")) == before
    assert Path("there.npz").read_bytes() == b"of somebody"


def test_what_a_format_cannot_hold_leaves_no_file(place, capsys):
    wide = field_of(2, 200, 200, 3)
    save_start(
        Path("wide.safetensors"), Start(Pattern.full(wide), wide.initial_theta(0), place.domain, kind=place.kind)
    )
    status, error = told(capsys, "wide.safetensors", "--to", "html")
    assert (status, error.count("\n")) == (2, 1)
    assert error.startswith("error: html cannot hold this field, because every weight is a constant there")
    assert not Path("wide.html").exists()

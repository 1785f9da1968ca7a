"""Shapes from the command line: learned, measured, coded, and drawn as meshes in their own units."""

import json

import numpy as np
import pytest

from sparsine.cli.main import main
from sparsine.signals.mesh_files import mesh_bytes, read_solid

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("igl")

TINY = ["--recipe", "quick", "--width", "24", "--hidden-layers", "2", "--omega-0", "9", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2",
        "--resolution", "14"]  # fmt: skip
FIT = ["--steps", "120", "--lr", "0.01"]


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """(a folder of boxes far from the origin and a broken file, a run)"""
    folder = tmp_path_factory.mktemp("learned")
    shapes = folder / "shapes"
    shapes.mkdir()
    for number in range(4):
        box = trimesh.creation.box(extents=(3, 3 + number, 3))
        vertices = np.array(box.vertices) + np.array([100.0, 0.0, -20.0])
        (shapes / f"box{number}.ply").write_bytes(mesh_bytes(vertices, np.array(box.faces), ".ply"))
    (shapes / "broken.obj").write_text("v nothing")
    assert run("learn", f"mesh:{shapes}", "--out", folder / "run", *TINY) == 0
    return shapes, folder / "run"


@pytest.fixture(scope="module")
def codes(learned, tmp_path_factory):
    shapes, start = learned
    folder = tmp_path_factory.mktemp("codes") / "codes"
    assert run("encode", start, shapes / "box0.ply", shapes / "box2.ply", "--out", folder, *FIT) == 0
    return folder


def test_a_report_shows_meshes_and_what_is_measured_of_them(learned):
    _, start = learned
    assert run("report", start, "--limit", "1", "--steps", "3", "--pictures", "1") == 0
    page = (start / "report.html").read_text()
    for measure in ("IoU of the insides", "Chamfer distance", "normal consistency"):
        assert measure in page


@pytest.mark.parametrize("form", ["ply", "obj", "glb", "stl", "off"])
def test_a_code_is_drawn_in_every_format_in_the_units_of_its_file(form, learned, codes, tmp_path):
    _, start = learned
    assert run("decode", codes, "--start", start, "--out", tmp_path / "drawn", "--size", "30", "--format", form) == 0
    drawn = read_solid(tmp_path / "drawn" / f"box0.{form}")
    assert drawn.centre == pytest.approx((100.0, 0.0, -20.0), abs=0.3)
    assert drawn.unit * 0.9 == pytest.approx(1.5, abs=0.2)


def test_part_of_a_code_lies_where_the_whole_has_it(learned, codes, tmp_path):
    _, start = learned
    for name, more in (("whole", []), ("half", ["--region", "0.5,0,0,1,1,1"])):
        assert run("decode", codes, "--start", start, "--out", tmp_path / name, "--scale", "2", *more) == 0
    whole, half = (trimesh.load_mesh(tmp_path / name / "box2.ply").bounds for name in ("whole", "half"))
    assert half[:, 1:] == pytest.approx(whole[:, 1:], abs=0.3)
    assert half[1, 0] == pytest.approx(whole[1, 0], abs=1e-3)
    assert half[0, 0] == pytest.approx(100.0, abs=0.3)


def test_another_format_than_that_of_the_folder_is_another_request(learned, codes, tmp_path, capsys):
    _, start = learned
    assert run("decode", codes, "--start", start, "--out", tmp_path / "drawn") == 0
    assert run("decode", codes, "--start", start, "--out", tmp_path / "drawn") == 0
    assert run("decode", codes, "--start", start, "--out", tmp_path / "drawn", "--format", "obj") == 2
    assert "belongs to another request" in capsys.readouterr().err
    assert run("decode", codes, "--start", start, "--out", tmp_path / "other", "--format", "xyz") == 2
    assert "written as ply, obj, glb, stl or off, not as xyz" in " ".join(capsys.readouterr().err.split())


def test_named_shapes_are_encoded_on_the_lattice_of_the_start(codes):
    lines = [json.loads(line) for line in (codes / "journal.jsonl").read_text().splitlines()]
    assert [line["shape"] for line in lines] == [[14, 14, 14]] * 2


def test_a_field_without_a_surface_is_told_and_the_others_are_drawn(learned, codes, tmp_path, capsys):
    _, start = learned
    small = tmp_path / "codes"
    small.mkdir()
    (small / "box0.spn").write_bytes((codes / "box0.spn").read_bytes())
    assert run("decode", small, "--start", start, "--out", tmp_path / "drawn", "--region", "0,0,0,0.05,0.05,0.05") == 1
    assert "no surface" in " ".join(capsys.readouterr().out.split())


def test_a_fit_leaves_a_picture_and_a_mesh(learned, tmp_path):
    shapes, start = learned
    assert run("fit", start, shapes / "box1.ply", *FIT, "--out", tmp_path / "fits") == 0
    assert sorted(path.name for path in (tmp_path / "fits" / "drawings").iterdir()) == ["box1.ply", "box1.png"]


def test_a_mesh_that_cannot_be_read_is_named_with_the_reason(learned, tmp_path, capsys):
    shapes, start = learned
    given = (shapes / "broken.obj", shapes / "box1.ply")
    assert run("encode", start, *given, "--steps", "1", "--out", tmp_path / "codes") == 1
    assert f"unreadable {shapes}/broken.obj: " in " ".join("".join(capsys.readouterr()).split())
    assert [path.name for path in (tmp_path / "codes").glob("*.spn")] == ["box1.spn"]


def test_a_code_keeps_where_its_shape_lies_and_says_so(learned, codes, capsys):
    from sparsine.codec.format.header import read_header

    told = read_header((codes / "box0.spn").read_bytes()).read_notes()
    assert told == {"centre": [100.0, 0.0, -20.0], "unit": pytest.approx(1.5 / 0.9, rel=1e-6)}

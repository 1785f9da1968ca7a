"""Solids: distances with known answers, and what is mended, noted or refused of a mesh."""

import numpy as np
import pytest

from sparsine import BadInput, UnreadableSignal
from sparsine.signals.mesh_files import mesh_bytes, read_solid, solid_of
from sparsine.signals.solid import FAR, bounded, unbounded

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("igl")

ROOM = 0.9


def ball(radius=2.0, centre=(0.0, 0.0, 0.0)):
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return np.array(mesh.vertices) + centre, np.array(mesh.faces)


def box(sizes=(2.0, 1.0, 3.0)):
    mesh = trimesh.creation.box(extents=sizes)
    return np.array(mesh.vertices), np.array(mesh.faces)


def without(share, vertices, faces):
    """A cap of the triangles taken off, the topmost."""
    heights = vertices[faces][:, :, 1].mean(axis=1)
    return vertices, faces[np.argsort(heights)[: round(len(faces) * (1 - share))]]


def test_distances_to_a_box_are_exact():
    solid = solid_of(*box((2.0, 1.0, 3.0)))  # half extents 1, 0.5, 1.5, of which the longest becomes 0.9
    points = np.array([[0.0, 0, 0], [0.8, 0, 0], [0.6, 0.5, 0], [0, 0, 0.5], [0.9, 0.6, 0.9]])
    unit = 1.5 / ROOM
    half = np.array([1.0, 0.5, 1.5]) / unit
    beyond = np.abs(points) - half
    wanted = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
    assert solid.unit == pytest.approx(unit)
    assert np.abs(solid.distance(points) - wanted).max() < 1e-9


def test_a_box_lies_where_its_file_has_it():
    solid = solid_of(box()[0] + (5.0, -3.0, 0.5), box()[1])
    assert np.allclose(
        solid.vertices * solid.unit + solid.centre, solid_of(*box()).vertices * solid.unit + (5, -3, 0.5)
    )
    assert np.abs(solid.vertices).max() == pytest.approx(ROOM)


def test_a_lattice_has_the_values_of_its_points_also_where_blocks_are_told_by_their_middles():
    solid, shape = solid_of(*ball()), (21, 18, 26)
    whole = solid.values(shape, 0.03)
    points = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"), -1).reshape(-1, 3)
    assert np.array_equal(whole.reshape(-1), bounded(solid.distance(points), 0.03))
    assert {-1.0, 1.0} <= set(whole.reshape(-1).tolist())
    places = np.array([7, 4000, 9000, 17])
    assert np.array_equal(solid.values_at(places, shape, 0.03), whole.reshape(-1)[places])


def test_bounded_distances_can_be_told_back_in_the_band():
    near = np.linspace(-3, 3, 50) * 0.04
    assert np.abs(unbounded(bounded(near, 0.04), 0.04) - near).max() < 1e-5
    assert bounded(np.array([-FAR, FAR]) * 0.04, 0.04).tolist() == [-1.0, 1.0]


def test_parts_that_overlap_are_as_far_away_as_their_surface_is():
    vertices, faces = ball(1.0)
    moved = vertices + np.array([0.5, 0, 0])
    two = solid_of(np.concatenate([vertices, moved]), np.concatenate([faces, faces + len(vertices)]))
    middle = np.zeros((1, 3))  # three quarters of a radius from both walls; the surface winds twice
    assert two.distance(middle)[0] * two.unit == pytest.approx(-0.75, abs=5e-3)


def test_seams_are_merged_and_a_soup_of_triangles_becomes_a_surface():
    vertices, faces = ball()
    soup = solid_of(vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3))
    assert len(soup.vertices) == len(vertices)
    assert soup.notes == ()


def test_a_surface_that_faces_inwards_is_turned_and_that_is_said():
    vertices, faces = ball()
    solid = solid_of(vertices, faces[:, ::-1])
    assert "inside out" in solid.notes[0]
    assert solid.distance(np.zeros((1, 3)))[0] < -0.8


def test_triangles_that_face_all_ways_are_turned_alike():
    vertices, faces = ball()
    mixed = np.where((np.arange(len(faces)) % 3 == 0)[:, None], faces[:, ::-1], faces)
    solid = solid_of(vertices, mixed)
    assert "neighbours" in solid.notes[0]
    assert solid.distance(np.array([[0.0, 0, 0], [0.95, 0.95, 0]]))[0] < -0.8


def test_a_cavity_is_no_inside():
    vertices, faces = ball()
    hollow = solid_of(np.concatenate([vertices, vertices / 2]), np.concatenate([faces, faces[:, ::-1] + len(vertices)]))
    assert hollow.notes == ()
    assert hollow.distance(np.array([[0.0, 0, 0], [0.7, 0, 0]])) == pytest.approx([0.45, -0.2], abs=5e-3)


def test_a_small_hole_is_closed_by_winding_number_and_that_is_said():
    whole, holed = solid_of(*ball()), solid_of(*without(0.02, *ball()))
    assert "closed by winding number" in holed.notes[0]
    below = np.array([[0.1, -0.5, 0.2], [0.0, -0.95, 0.0]])
    assert holed.distance(below) * holed.unit == pytest.approx(whole.distance(below) * whole.unit, abs=0.2)


@pytest.mark.parametrize(
    ("mesh", "reason"),
    [
        (without(0.3, *ball()), "for .* of it nobody can say what is inside; close its holes"),
        (without(0.5, *ball()), "nobody can say what is inside"),
        ((box()[0] * (1, 0, 1), box()[1]), "flat"),
        ((ball()[0], ball()[1][:0]), "no triangle"),
        ((ball()[0], np.concatenate([ball()[1], ball()[1][:, ::-1]])), "encloses nothing"),
        ((np.where(np.arange(2562)[:, None] == 5, np.nan, ball()[0]), ball()[1]), "not finite"),
        ((ball()[0] * 8e307, ball()[1]), "too far apart"),
    ],
)
def test_what_encloses_nothing_is_refused_with_the_reason(mesh, reason):
    with np.errstate(over="ignore"), pytest.raises(BadInput, match=reason):
        solid_of(*mesh)


def test_a_vertex_that_no_triangle_has_may_be_anything():
    vertices, faces = ball()
    solid = solid_of(np.concatenate([[[np.nan] * 3], vertices]), faces + 1)
    assert len(solid.vertices) == len(vertices)


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".glb", ".stl", ".off"])
def test_a_file_of_every_format_is_read_as_it_was_written(suffix, tmp_path):
    vertices, faces = ball(3.0, (4.0, 0.0, -1.0))
    (tmp_path / f"ball{suffix}").write_bytes(mesh_bytes(vertices, faces, suffix))
    solid = read_solid(tmp_path / f"ball{suffix}")
    assert solid.centre == pytest.approx((4.0, 0.0, -1.0), abs=1e-5)
    assert solid.unit == pytest.approx(3 / ROOM, rel=1e-6)
    assert solid.notes == ()


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".glb", ".stl", ".off"])
@pytest.mark.parametrize("data", [b"", b"ply\nnothing of it", b"solid", b"\0\1\2" * 50, b"glTF"])
def test_a_file_that_is_none_is_refused_in_one_line_that_names_it(suffix, data, tmp_path):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(data)
    with pytest.raises(UnreadableSignal) as caught:
        read_solid(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused_as_the_system_says(tmp_path):
    for path in (tmp_path / "none.obj", tmp_path):
        with pytest.raises(UnreadableSignal, match=f"{path}: "):
            read_solid(path)

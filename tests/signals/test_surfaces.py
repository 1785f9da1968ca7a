"""The zero level of values on a lattice: as a surface, beside another one, and as a picture."""

import numpy as np
import pytest

from sparsine.signals.kinds import Shape
from sparsine.signals.shading import EDGE, shaded
from sparsine.signals.solid import bounded
from sparsine.signals.surfaces import EMPTY, alike, overlap, surface_of, zero_level


def distances(shape, radius=0.6, centre=(0.0, 0.0, 0.0)):
    """To a ball in the box."""
    points = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"), axis=-1)
    return (np.linalg.norm(points - np.array(centre), axis=-1) - radius)[..., None].astype(np.float32)


def values(*args, **more):
    return bounded(distances(*args, **more), 0.04)


def closed_volume(surface):
    """Signed: positive where triangles face outwards; and whether each edge has two triangles, once each way."""
    a, b, c = (surface.vertices[surface.faces[:, i]] for i in range(3))
    edges = np.concatenate([surface.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    ways = {tuple(edge) for edge in edges.tolist()}
    return (a * np.cross(b, c)).sum() / 6, len(ways) == len(edges) and ways == {(j, i) for i, j in ways}


def test_the_surface_of_a_ball_is_closed_faces_outwards_and_has_its_volume():
    surface = surface_of(distances((41, 35, 47)))
    volume, is_closed = closed_volume(surface)
    assert is_closed
    assert volume == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=5e-3)
    assert np.abs(np.linalg.norm(surface.vertices, axis=1) - 0.6).max() < 2e-3
    outwards = surface.vertices / np.linalg.norm(surface.vertices, axis=1, keepdims=True)
    assert (surface.normals() * outwards).sum(axis=1).min() > 0.98


@pytest.mark.parametrize("rows", [1, 2, 5, 40])
def test_a_surface_found_in_slabs_is_that_of_the_whole(rows):
    lattice = distances((41, 35, 47), centre=(0.02, -0.07, 0.1))[..., 0]
    whole = zero_level([lattice])
    parts = zero_level(lattice[first : first + rows] for first in range(0, 41, rows))
    assert (len(parts.vertices), len(parts.faces)) == (len(whole.vertices), len(whole.faces))
    assert closed_volume(parts) == (pytest.approx(closed_volume(whole)[0]), True)


def test_samples_that_are_exactly_zero_leave_no_crack():
    x, y, z = np.meshgrid(*[np.arange(9.0) - 4] * 3, indexing="ij")
    diamond = (np.abs(x) + np.abs(y) + np.abs(z) - 3).astype(np.float32)
    parts = zero_level(diamond[first : first + 2] for first in range(0, 9, 2))
    volume, is_closed = closed_volume(parts)
    assert is_closed
    assert volume == pytest.approx(4 / 3 * 3**3, rel=2e-3)


def test_what_is_nowhere_negative_has_no_surface():
    for side in (1, -1):
        surface = surface_of(np.full((5, 6, 7, 1), side, np.float32))
        assert (len(surface.vertices), len(surface.faces)) == (0, 0)


def test_the_overlap_of_two_balls_is_that_of_their_volumes():
    small, large = values((33, 33, 33), radius=0.4), values((33, 33, 33), radius=0.6)
    assert overlap(small, large) == pytest.approx((0.4 / 0.6) ** 3, rel=0.02)  # lines between samples cut corners
    assert overlap(large, large) == 1.0
    assert overlap(small, np.ones_like(small)) == 0.0
    assert overlap(np.ones_like(small), np.ones_like(small)) is None


def test_surfaces_are_as_near_as_they_are():
    found = alike(surface_of(distances((49, 49, 49))), surface_of(distances((49, 49, 49), radius=0.55)))
    assert found.chamfer == pytest.approx(0.05, rel=0.02)
    assert found.normals > 0.99
    assert alike(surface_of(distances((9, 9, 9))), EMPTY) is None


def test_a_kind_of_shapes_measures_volumes_surfaces_and_distances():
    original, fitted = values((48, 48, 48)), values((48, 48, 48), radius=0.59)
    measured = {metric.name: metric.of(original, fitted) for metric in Shape().metrics}
    assert measured["iou"] == pytest.approx((0.59 / 0.6) ** 3, rel=3e-3)
    assert measured["chamfer"] == pytest.approx(0.01, rel=0.05)
    assert measured["normals"] > 0.99
    assert measured["sdf_error"] == pytest.approx(0.01, rel=1e-3)
    nothing = np.ones_like(original)
    assert [metric.of(nothing, nothing) for metric in Shape().metrics] == [None] * 4


def test_a_picture_shows_a_ball_from_two_sides_over_white():
    picture = Shape().picture(values((32, 32, 32)))
    assert picture.shape == (EDGE, 2 * EDGE, 3)
    assert (picture[0, 0] == 255).all()
    for middle in (EDGE // 2, EDGE + EDGE // 2):
        assert picture[EDGE // 2, middle].max() < 250
    share = (picture != 255).any(axis=2).mean()  # a disc of 0.6 in a view of 1.3
    assert share == pytest.approx(np.pi * (0.6 / 2.6) ** 2, rel=0.03)


def test_what_lies_nearer_hides_what_lies_behind():
    near = surface_of(distances((32, 32, 32), radius=0.3, centre=(0, 0, 0.6)))
    far = surface_of(distances((32, 32, 32), radius=0.3, centre=(0, 0, -0.6)))
    both = type(near)(np.concatenate([near.vertices, far.vertices]),
                      np.concatenate([near.faces, far.faces + len(near.vertices)]))  # fmt: skip
    red, blue = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    colours = np.concatenate([np.tile(red, (len(near.vertices), 1)), np.tile(blue, (len(far.vertices), 1))])
    front, back = np.split(shaded(both, colours).astype(int), 2, axis=1)
    is_red, is_blue = (lambda view: view[..., 0] > view[..., 2] + 30), (lambda view: view[..., 2] > view[..., 0] + 30)
    assert is_red(front).sum() > is_blue(front).sum() * 0.9
    assert is_blue(back).sum() > is_red(back).sum() * 0.9


def test_an_error_picture_is_red_where_the_fit_is_off_and_clay_where_it_is_not():
    original = values((32, 32, 32))
    fitted = original.copy()
    fitted[16:] = values((32, 32, 32), radius=0.5)[16:]
    picture = Shape().error_picture(original, fitted)[:, :EDGE].astype(int)
    reddish = picture[..., 0] > picture[..., 2] + 25
    right, left = reddish[:, EDGE // 2 + 8 :].sum(), reddish[:, : EDGE // 2 - 40].sum()
    assert right > 1000
    assert left < 50


def test_values_that_are_not_finite_become_magenta():
    broken = values((12, 12, 12))
    broken[3, 4, 5] = np.nan
    assert (Shape().picture(broken) == (255, 0, 255)).all()

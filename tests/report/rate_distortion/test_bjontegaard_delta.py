import importlib

import pytest
from rate_problems import made_up_record

from sparsine.measure.rate_distortion.codecs import pillow_codecs
from sparsine.report.rate_distortion.bjontegaard_delta import bd_psnr, bd_rate, front
from sparsine.report.rate_distortion.points import RateCurve, RatePoint, names_of
from sparsine.report.rate_distortion.tables import tables_of


def curve(*points, key="jpeg"):
    return RateCurve(
        key, key, tuple(RatePoint("", 1000 * bits, bits, psnr, None, 0.0, 0.0, 2, 2) for bits, psnr in points)
    )


THEIRS = curve((0.1, 20.0), (0.2, 23.0), (0.4, 26.0), (0.8, 29.0), (1.6, 32.0))


def test_a_curve_that_takes_half_the_bytes_is_told_so():
    half = curve(*((p.bits_per_pixel / 2, p.psnr_db) for p in THEIRS.points))
    assert bd_rate(THEIRS, half) == pytest.approx(-50)
    assert bd_psnr(THEIRS, half) == pytest.approx(3.0)
    assert bd_rate(half, THEIRS) == pytest.approx(100)
    assert bd_rate(THEIRS, THEIRS) == pytest.approx(0, abs=1e-9)


def test_curves_that_hardly_overlap_or_have_few_points_are_not_averaged():
    above = curve((3.0, 31.0), (6.0, 38.0), (12.0, 41.0))
    assert bd_rate(THEIRS, above) is None
    assert bd_psnr(THEIRS, above) is None
    assert bd_rate(THEIRS, curve((0.2, 22.0), (0.4, 24.0))) is None
    assert bd_rate(None, THEIRS) is None


def test_points_at_which_more_bits_give_less_are_left_out():
    bumpy = curve(*((p.bits_per_pixel, p.psnr_db) for p in THEIRS.points), (0.9, 28.0), (2.0, float("inf")))
    assert bd_rate(THEIRS, bumpy) == pytest.approx(0, abs=1e-9)


def test_the_front_is_what_no_other_point_beats():
    few, many = curve((0.1, 20.0), (0.3, 22.0), (0.9, 23.0)), curve((0.3, 21.0), (0.6, 25.0), (1.2, 28.0))
    best = front([few, many], "best")
    assert [(p.bits_per_pixel, p.psnr_db) for p in best.points] == [(0.1, 20.0), (0.3, 22.0), (0.6, 25.0), (1.2, 28.0)]


def test_the_table_tells_the_best_of_all_starts_first():
    record = made_up_record(starts=2)
    (table,) = tables_of(record, ["bjontegaard"])
    assert table.rows[0][0] == "the best of all starts"
    assert len(table.rows) == 3
    assert all(len(row) == 1 + 2 * len(names_of(record)) for row in table.rows)


def test_a_record_without_newer_codecs_is_shown_without_them():
    assert list(names_of(made_up_record(starts=1))) == ["jpeg", "webp"]


def test_codecs_that_are_not_installed_are_left_out(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setattr(pillow_codecs.features, "check", lambda name: False)
    assert list(pillow_codecs.codecs()) == ["jpeg", "webp"]

from math import inf, isnan, nan

import pytest

from sparsine.psnr import psnr_db


@pytest.mark.parametrize(("mse", "db"), [(1.0, 0.0), (0.01, 20.0), (100.0, -20.0), (0.25, 6.020599913279624)])
def test_psnr_is_minus_ten_log10_of_the_error(mse, db):
    assert psnr_db(mse) == pytest.approx(db, abs=1e-12)


def test_a_perfect_fit_is_infinitely_good_and_a_broken_one_has_no_number():
    assert psnr_db(0.0) == inf
    assert isnan(psnr_db(nan))
    assert isnan(psnr_db(inf))

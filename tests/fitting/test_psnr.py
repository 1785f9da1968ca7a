import json
from math import inf, isnan, nan

import pytest

from sparsine.psnr import averaged_db, psnr_db, psnr_difference_db, psnr_of
from sparsine.storage import json_bytes


@pytest.mark.parametrize(("mse", "db"), [(1.0, 0.0), (0.01, 20.0), (100.0, -20.0), (0.25, 6.020599913279624)])
def test_psnr_is_minus_ten_log10_of_the_error(mse, db):
    assert psnr_db(mse) == pytest.approx(db, abs=1e-12)


def test_a_perfect_fit_is_infinitely_good_and_a_broken_one_has_no_number():
    assert psnr_db(0.0) == inf
    assert isnan(psnr_db(nan))
    assert isnan(psnr_db(inf))


def test_a_record_tells_a_perfect_fit_and_an_unknown_one_apart():
    written = json.loads(json_bytes({"psnr_db": [20.5, inf, nan, None, 7]}))
    assert written == {"psnr_db": [20.5, "inf", None, None, 7]}
    assert [psnr_of(told) for told in written["psnr_db"]] == [20.5, inf, None, None, 7.0]
    assert [psnr_of(told) for told in (inf, nan, "infinite", [3])] == [inf, None, None, None]


def test_a_mean_with_a_perfect_fit_in_it_is_infinite():
    assert averaged_db([20.0, 31.0]) == 25.5
    assert averaged_db([20.0, inf]) == inf
    assert averaged_db([inf, -inf]) is None
    assert averaged_db([]) is None


def test_two_perfect_fits_do_not_differ():
    assert psnr_difference_db(inf, inf) == 0
    assert psnr_difference_db(inf, 30.0) == inf
    assert psnr_difference_db(30.5, 20.0) == 10.5

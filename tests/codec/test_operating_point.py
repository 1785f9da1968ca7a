from dataclasses import replace

import numpy as np
import pytest
from codec_problems import make_start

from sparsine.codec import EncodeConfig, encode_batch
from sparsine.codec.operating_point import choose_start
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig
from sparsine.signals.kind import VALUES
from sparsine.signals.points import Points

FIT = FitConfig(steps=60, lr=2e-3, report=())
SIZES = ((2, 3, 3), (2, 9, 7, 3), (2, 12, 10, 3), (2, 30, 30, 3))
STARTS = [make_start(sizes=sizes) for sizes in SIZES]


def signals():
    y, x = np.mgrid[0:9, 0:13] / 9
    return [(0.5 + 0.4 * np.sin(f * np.stack([y + x, y * x, y - x], -1))).astype(np.float32) for f in (1, 2)]


def measured(start, config):
    made = [encode_batch(start, [signal], config)[0] for signal in signals()]
    return np.mean([e.psnr_db for e in made]), np.mean([len(e.data) for e in made]), {e.status for e in made}


def chosen(config, starts=STARTS):
    tried = []
    best = choose_start(starts, [(signal, None) for signal in signals()], config, on_trial=tried.append)
    return best, tried


def test_at_a_size_the_start_is_chosen_whose_codes_are_nearest():
    config = EncodeConfig(fit=FIT, target_bytes=100)
    best, tried = chosen(config)
    found = {one.place: measured(STARTS[one.place], config) for one in tried}
    assert len(tried) > 1
    assert all(one.num_bytes <= 100 for one in tried if one.reached)
    assert found[best.place][0] == max(psnr for psnr, _, _ in found.values()) == best.psnr_db


def test_starts_with_far_too_many_or_too_few_numbers_for_a_size_are_not_tried():
    for target in (40, 1000):
        _, tried = chosen(EncodeConfig(fit=FIT, target_bytes=target))
        assert 1 <= len(tried) < len(STARTS)


def test_at_a_psnr_the_start_is_chosen_whose_codes_are_smallest():
    config = EncodeConfig(fit=FIT, target_psnr_db=16.0)
    best, _ = chosen(config)
    reached = [size for _, size, statuses in (measured(start, config) for start in STARTS) if statuses == {"ok"}]
    assert best.reached
    assert best.num_bytes == min(reached)


def test_where_no_start_meets_a_target_the_nearest_is_taken():
    best, tried = chosen(EncodeConfig(fit=FIT, target_psnr_db=90.0))
    assert not best.reached
    assert best.psnr_db == max(one.psnr_db for one in tried)
    best, _ = chosen(EncodeConfig(fit=FIT, target_bytes=20))
    assert not best.reached
    assert best.place == 0


def test_the_order_of_the_starts_does_not_matter():
    config = EncodeConfig(fit=FIT, target_bytes=100)
    last = len(STARTS) - 1
    assert chosen(config)[0].place == last - chosen(config, STARTS[::-1])[0].place


def test_scattered_points_bring_their_coordinates():
    rng = np.random.default_rng(0)
    points = Points(shape=(30,), extent=((-1.0, 1.0), (-1.0, 1.0)))
    starts = [replace(start, domain=points, kind=VALUES) for start in STARTS[:2]]
    given = [(rng.random((30, 3), dtype=np.float32), rng.random((30, 2), dtype=np.float32))]
    best = choose_start(starts, given, EncodeConfig(fit=FIT, target_bytes=90))
    assert best.psnr_db is not None


def test_without_a_target_and_without_a_fit_there_is_nothing_to_choose_by():
    given = [(signal, None) for signal in signals()]
    with pytest.raises(BadInput, match="no target to choose a start by"):
        choose_start(STARTS, given, EncodeConfig(fit=FIT))
    wild = EncodeConfig(fit=FitConfig(optimizer="sgd", steps=3, lr=900.0, report=()), target_bytes=100)
    with pytest.raises(BadInput, match="no start could be fitted"):
        choose_start(STARTS, given, wild)

import math
from statistics import stdev

import pytest
from fabricated_cells import cell, comparison, fitted, signal

from sparsine.errors import BadInput
from sparsine.report.comparison.pairs import half_width, paired_difference, t_quantile
from sparsine.report.comparison.points import known, points_of, steps_of
from sparsine.report.comparison.results import DataResults, SparsityLevel, num_weights, results_of
from sparsine.report.comparison.same_quality import Needed, needed


def test_a_point_averages_signals_first_and_seeds_then():
    # 30 and 33 under seed 0, 36 alone under seed 4: 31.5 and 36, not 33
    (point,) = points_of([cell(lasts=(30.0, 33.0)), cell(lasts=(36.0,), seed=4)])
    assert point.seeds == (0, 4)
    assert point.means == pytest.approx((31.5, 36.0))
    assert (point.mean, point.low, point.high) == pytest.approx((33.75, 31.5, 36.0))
    assert point.deviation == pytest.approx(4.5 / math.sqrt(2))
    assert (point.num_ok, point.num_signals) == (3, 3)


def test_one_seed_has_no_deviation():
    (point,) = points_of([cell(lasts=(30.0, 33.0))])
    assert point.deviation is None
    assert (point.low, point.high) == pytest.approx((31.5, 31.5))


def test_only_good_signals_that_have_a_number_count():
    made = cell(lasts=(30.0, None, 40.0, 50.0))
    made["protocols"]["adam"]["signals"][2]["status"] = "diverged"
    (point,) = points_of([made])
    assert point.mean == pytest.approx(40.0)
    assert (point.num_ok, point.num_signals) == (2, 4)


def test_a_point_without_a_good_signal_has_no_mean():
    bad = cell(lasts=())
    bad["protocols"]["adam"]["signals"] = [signal("bad.jpg", None, status="unreadable")]
    (point,) = points_of([bad])
    assert (point.mean, point.low, point.high, point.deviation, point.seeds) == (None, None, None, None, ())


def test_a_seed_without_a_good_signal_is_left_out():
    (point,) = points_of([cell(lasts=(31.0,)), cell(lasts=(None,), seed=1)])
    assert (point.seeds, point.means) == ((0,), (31.0,))


def test_every_step_and_protocol_can_be_asked_for():
    made = cell(lasts=(29.0,))
    at = {step: points_of([made], "adam", step)[0].mean for step in (0, 10, 100)}
    assert at == pytest.approx({0: 9.0, 10: 9 + 20 * math.log10(11) / math.log10(101), 100: 29.0})
    assert points_of([made], "sgd")[0].mean == pytest.approx(14.5)
    assert points_of([made], value="ssim")[0].mean == pytest.approx(0.58)
    assert points_of([made], "adam", 3)[0].mean is None
    assert points_of([made], "newton")[0].mean is None
    assert steps_of([made], "sgd") == [0, 1, 2]


def test_a_record_without_ssim_has_no_ssim():
    made = cell()
    for found in made["protocols"]["adam"]["signals"]:
        del found["ssim"]
    assert points_of([made], value="ssim")[0].mean is None


def test_three_ways_of_counting():
    (point,) = points_of([cell(weights=233, biases=41, bits=4384)])
    assert [point.count(what) for what in ("weights", "numbers", "bits")] == [233, 274, 4384]


@pytest.mark.parametrize("change", [{"kind": "evaluation"}, {"record_version": 3}])
def test_other_records_are_refused(change):
    with pytest.raises(BadInput, match="comparison cells of version 1"):
        known([cell(), cell() | change])
    with pytest.raises(BadInput, match="no cells"):
        known([])


def test_differences_are_taken_signal_by_signal_and_averaged_over_seeds():
    # signals: 3 and 4 (seed 0), 5 (seed 1, first signal only) -> 4 and 4
    cells = [
        cell(lasts=(33.0, 44.0)), cell("scratch", lasts=(30.0, 40.0)),
        cell(lasts=(35.0, 44.0), seed=1), cell("scratch", lasts=(30.0, None), seed=1),
        cell(lasts=(99.0, 99.0), seed=2),
    ]  # fmt: skip
    (results,) = results_of(cells)
    found = paired_difference(results, "meta-sparse", "scratch", "round-03")
    assert (found.mean, found.low, found.high) == pytest.approx((4.0, 4.0, 4.0))
    assert (found.num_signals, found.num_seeds) == (2, 2)
    reverse = paired_difference(results, "scratch", "meta-sparse", "round-03")
    assert reverse.mean == pytest.approx(-4.0)


def test_a_difference_comes_with_the_interval_of_students_t():
    cells = [cell(lasts=(31.0, 33.0, 38.0)), cell("scratch", lasts=(30.0, 30.0, 30.0))]
    found = paired_difference(results_of(cells)[0], "meta-sparse", "scratch", "round-03")
    half = 4.302653 * stdev([1.0, 3.0, 8.0]) / math.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((4.0, 4.0 - half, 4.0 + half))


def test_a_single_signal_has_no_interval_and_none_no_difference():
    (results,) = results_of([cell(lasts=(31.0,)), cell("scratch", lasts=(30.0,)), cell("coin-8", lasts=(None,))])
    assert paired_difference(results, "meta-sparse", "scratch", "round-03").low is None
    assert paired_difference(results, "meta-sparse", "coin-8", "round-03") is None
    assert paired_difference(results, "meta-sparse", "modulations", "round-03") is None
    assert half_width([2.0]) is None


# from printed tables of Student's t
@pytest.mark.parametrize(
    ("freedom", "table"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (99, 1.984)]
)
def test_quantiles_of_students_t(freedom, table):
    assert t_quantile(freedom) == pytest.approx(table, abs=6e-4)


def test_needed_counts_lie_on_a_line_over_the_logarithm():
    curve = [(4000, 34.0), (1000, 30.0)]
    assert needed(curve, 32.0) == Needed(2000)
    assert needed(curve, 34.0) == Needed(4000)
    assert needed(curve, 30.0) == Needed(1000)
    assert needed(curve, 34.5) == Needed(4000, ">")
    assert needed(curve, 29.9) == Needed(1000, "<")
    assert needed([], 30.0) is None


def test_of_a_curve_that_turns_back_the_smallest_count_is_taken():
    assert needed([(100, 20.0), (400, 30.0), (800, 24.0), (1600, 40.0)], 25.0) == Needed(200)


def test_weights_of_a_field_as_the_paper_counts_them():
    assert num_weights((2, 256, 256, 256, 256, 3)) == 197_888


def test_levels_go_by_our_weights_and_not_by_those_of_narrow_networks():
    cells = [cell(weights=233), cell("dense-narrow", weights=290, sizes=(2, 9, 9, 3)), cell(level="dense", weights=456),
             cell("modulations", "latents-008", weights=8)]  # fmt: skip
    (results,) = results_of(cells)
    assert results.levels == (SparsityLevel("dense", 456, 1.0), SparsityLevel("round-03", 233, 233 / 456))


def test_the_nearest_level_is_a_sparse_one():
    (results,) = results_of([cell(level="dense", weights=456), *(cell(level=f"round-{k:02d}", weights=w)
                                                            for k, w in ((8, 90), (11, 40), (13, 20)))])  # fmt: skip
    assert results.level_near(0.1).name == "round-11"
    assert results.level_near(0.04).name == "round-13"
    assert results.level_near(0.04, among=["round-08", "dense"]).name == "round-08"
    assert results.level_near(0.9).name == "round-08"
    assert results_of([cell(level="dense", weights=456)])[0].level_near(0.1).name == "dense"


def test_what_may_stand_beside_a_level():
    cells = [cell(weights=100), cell("scratch", weights=95), cell("random-pruning", "round-09", weights=100),
             cell("dense-maml", "dense", weights=456), cell("modulations", "latents-064", weights=64),
             cell("modulations", "latents-128", weights=128), cell("coin-8", "tiny", weights=3)]  # fmt: skip
    (results,) = results_of(cells)
    assert results.beside(SparsityLevel("round-03", 100, 0.2)) == {
        "meta-sparse": "round-03", "scratch": "round-03", "dense-maml": "dense", "modulations": "latents-128",
    }  # fmt: skip


def test_methods_stand_in_the_order_of_their_families():
    names = ["zebra", "scratch", "transfer-photos", "meta-sparse", "ticket-random", "coin-8", "antelope"]
    changes = {"transfer-photos": {"family": "transfer"}, "zebra": {"family": "strange"}}
    results = DataResults("faces", tuple(cell(name, **changes.get(name, {})) for name in names))
    assert results.methods == (
        "meta-sparse",
        "scratch",
        "ticket-random",
        "coin-8",
        "antelope",
        "transfer-photos",
        "zebra",
    )


def test_a_comparison_has_a_view_for_each_data_set():
    datasets = results_of(comparison(rounds=(2, 9), seeds=1, num_signals=1))
    assert [results.label for results in datasets] == ["faces", "photos"]
    assert all(results.seeds == (0,) for results in datasets)


def test_a_method_with_another_protocol_is_measured_at_its_own_last_step():
    made = cell()
    made["protocols"]["adam"] = fitted((40.0,), steps=(0, 7))
    assert points_of([made])[0].mean == pytest.approx(40.0)


def test_a_perfect_fit_makes_a_mean_infinite_and_leaves_no_deviation():
    (point,) = points_of([cell(lasts=(30.0, math.inf)), cell(lasts=(31.0, 33.0), seed=1)])
    assert (point.mean, point.low, point.high, point.deviation) == (math.inf, 32.0, math.inf, None)
    assert (point.num_ok, point.num_signals) == (4, 4)


def test_two_perfect_fits_do_not_differ():
    def difference(ours, theirs):
        (results,) = results_of([cell(lasts=ours), cell("scratch", lasts=theirs)])
        return paired_difference(results, "meta-sparse", "scratch", "round-03")

    assert difference((math.inf, 32.0), (math.inf, 30.0)).mean == 1.0
    assert (difference((math.inf, 32.0), (31.0, 30.0)).mean, difference((math.inf, 32.0), (31.0, 30.0)).low) == (
        math.inf,
        None,
    )
    assert difference((32.0, 32.0), (math.inf, 30.0)).mean == -math.inf
    assert difference((math.inf, 32.0), (31.0, math.inf)).mean is None


def test_no_line_leads_to_a_perfect_fit():
    curve = [(100, 20.0), (400, math.inf)]
    assert needed(curve, 30.0) == Needed(400)
    assert needed(curve, math.inf) == Needed(400)
    assert needed([(100, 20.0), (400, 30.0)], math.inf) == Needed(400, ">")

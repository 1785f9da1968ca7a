from collections import Counter

import numpy as np
import pytest
import torch
from small_problems import MadeUpSignals

from sparsine.errors import BadInput
from sparsine.meta.maml import InnerConfig
from sparsine.meta.tasks import TaskSampler
from sparsine.signals.grid import Grid
from sparsine.signals.sampling import POINTS, lattice_points

GRID = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)))


def sampler(signals=None, *, points=None, sampling="random", seed=3, tasks_per_step=3):
    signals = MadeUpSignals(7) if signals is None else signals
    return TaskSampler(
        signals,
        GRID,
        InnerConfig(points=points, sampling=sampling),
        tasks_per_step=tasks_per_step,
        seed=seed,
        device=torch.device("cpu"),
    )


def assert_same(a, b):
    for x, y in ((a.support, b.support), (a.query, b.query)):
        assert torch.equal(x.coords, y.coords)
        assert torch.equal(x.values, y.values)


def same(a, b):
    return a.support.values.shape == b.support.values.shape and torch.equal(a.support.values, b.support.values)


def drawn(signals, tasks):
    """Which signals they are, by their values on the whole grid."""
    known = {MadeUpSignals(signals.count).load(i).tobytes(): i for i in range(signals.count)}
    return [known[values.numpy().tobytes()] for values in tasks.query.values]


@pytest.mark.parametrize("points", [None, 4])
def test_tasks_depend_on_the_seed_and_the_step_only(points):
    passed = list(sampler(points=points).steps(0, 8))
    assert [step for step, _ in passed] == list(range(8))
    assert_same(sampler(points=points).draw(7), passed[7][1])
    later = dict(sampler(points=points).steps(5, 7))
    assert list(later) == [5, 6]
    for step, tasks in later.items():
        assert_same(tasks, passed[step][1])
    backwards = sampler(points=points)
    for step in (6, 2, 0, 7):
        assert_same(backwards.draw(step), passed[step][1])


def test_another_seed_draws_other_tasks():
    assert not all(same(sampler(seed=3).draw(i), sampler(seed=4).draw(i)) for i in range(4))
    a, b = sampler(seed=3, points=4).draw(0), sampler(seed=4, points=4).draw(0)
    assert not torch.equal(a.support.coords, b.support.coords)


def test_no_steps_are_no_tasks():
    signals = MadeUpSignals(7)
    assert list(sampler(signals).steps(4, 4)) == []
    assert signals.loaded == []


def test_an_epoch_visits_every_signal_once():
    signals = MadeUpSignals(7)
    order = [i for _, tasks in sampler(signals).steps(0, 14) for i in drawn(signals, tasks)]
    epochs = [order[start : start + 7] for start in range(0, 42, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1  # each in an order of its own


def test_more_tasks_than_signals_go_round_again():
    signals = MadeUpSignals(2)
    assert sorted(drawn(signals, sampler(signals, tasks_per_step=5).draw(0))) in ([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])


def test_only_the_signals_that_are_needed_are_read():
    signals = MadeUpSignals(7)
    sampler(signals).draw(11)
    assert len(signals.loaded) == 3


def test_on_the_whole_grid_support_and_query_are_one():
    for points in (None, 15, 16, 10**6):
        tasks = sampler(points=points).draw(2)
        assert tasks.support is tasks.query
        assert torch.equal(tasks.support.coords, GRID.coords())
        assert tasks.support.values.shape == (3, 15, 2)
        assert len(tasks) == 3


def test_values_lie_at_their_coordinates_row_after_row():
    signals = MadeUpSignals(7)
    tasks = sampler(signals).draw(2)
    first = signals.load(drawn(signals, tasks)[0])
    row, column = 3, 1
    place = row * 3 + column
    assert torch.equal(tasks.support.values[0, place], torch.from_numpy(first[row, column]))
    assert tasks.support.coords[place].tolist() == pytest.approx([-1 + 3 * row / 4, 0.5 + 0.25 * column / 2])


def places(samples, values):
    """Which points of the grid they are, from their coordinates; checks the values on the way."""
    grid, found = GRID.coords(), []
    for task in range(len(samples.values)):
        index = [int((grid == c).all(dim=1).nonzero()) for c in samples.coords[task]]
        assert torch.equal(samples.values[task], values[task, index])
        found.append(index)
    return found


def test_drawn_points_are_distinct_in_order_and_other_for_every_task_and_loss():
    whole, some = sampler(), sampler(points=4)
    everything = Counter()
    same_points = 0
    for step in range(30):
        values, tasks = whole.draw(step).query.values, some.draw(step)
        assert tasks.support.coords.shape == tasks.query.coords.shape == (3, 4, 2)
        support, query = places(tasks.support, values), places(tasks.query, values)
        for index in support + query:
            assert index == sorted(set(index))
            everything.update(index)
        sets = [tuple(index) for index in support + query]
        same_points += 6 - len(set(sets))
    # two draws of 4 of 15 are alike once in 1365: of 30 x 15 pairs hardly one is
    assert same_points <= 3
    # every point is drawn: 720 in all, 48 each, give or take five standard deviations
    assert sorted(everything) == list(range(15))
    assert min(everything.values()) > 20
    assert max(everything.values()) < 80


def test_points_are_drawn_anew_at_every_step():
    some = sampler(points=4)
    drawn_points = {tuple(some.draw(step).support.coords[0, :, 0].tolist()) for step in range(12)}
    assert len(drawn_points) > 6


@pytest.mark.parametrize("points", [None, 4])
def test_an_unreadable_signal_is_noted_and_replaced(points):
    signals = MadeUpSignals(7, unreadable=[2, 5])
    broken = sampler(signals, points=points)
    for _, tasks in broken.steps(0, 14):
        assert tasks.query.values.shape[0] == 3
    assert broken.unreadable == {f"signal-{i}": f"signal-{i}: made to fail" for i in (2, 5)}
    # each was opened once, and then known
    assert signals.loaded.count(2) == signals.loaded.count(5) == 1


def test_readable_signals_keep_their_turns_when_others_fail():
    broken, whole = MadeUpSignals(7, unreadable=[2, 5]), MadeUpSignals(7)
    for step in range(14):
        found, expected = drawn(broken, sampler(broken).draw(step)), drawn(whole, sampler(whole).draw(step))
        assert all(f not in (2, 5) for f in found)
        assert all(f == e for f, e in zip(found, expected, strict=True) if e not in (2, 5))


def test_replacements_do_not_depend_on_what_was_known_before():
    fresh = [sampler(MadeUpSignals(7, unreadable=[2, 5, 6])).draw(step) for step in range(10)]
    going = sampler(MadeUpSignals(7, unreadable=[2, 5, 6]))
    for step in range(10):
        assert_same(going.draw(step), fresh[step])


def test_one_readable_signal_is_enough():
    signals = MadeUpSignals(5, unreadable=[0, 1, 2, 4])
    assert drawn(signals, sampler(signals).draw(0)) == [3, 3, 3]


def test_when_no_signal_can_be_read_that_is_said():
    broken = sampler(MadeUpSignals(5, unreadable=range(5)))
    with pytest.raises(BadInput, match=r"not one of the 5 training signals can be read; the last: signal-\d: made to"):
        broken.draw(0)
    with pytest.raises(BadInput, match="not one of the 5"):
        list(sampler(MadeUpSignals(5, unreadable=range(5))).steps(0, 3))


def test_an_empty_set_is_refused():
    with pytest.raises(BadInput, match="there are no training signals"):
        sampler(MadeUpSignals(0))


def test_the_set_is_never_changed_by_what_is_done_with_the_tasks():
    class Kept(MadeUpSignals):
        def __init__(self):
            super().__init__(3)
            self.arrays = [MadeUpSignals(3).load(i) for i in range(3)]

        def load(self, index):
            return self.arrays[index]

    signals = Kept()
    before = np.stack(signals.arrays)
    tasks = sampler(signals).draw(0)
    tasks.query.values.mul_(0)
    assert np.array_equal(np.stack(signals.arrays), before)


def test_replacements_are_other_signals_at_other_steps():
    signals = MadeUpSignals(7, unreadable=[2])
    broken, whole = sampler(signals), sampler()
    replacements = set()
    for step in range(28):  # twelve epochs
        pairs = zip(drawn(signals, broken.draw(step)), drawn(signals, whole.draw(step)), strict=True)
        replacements |= {found for found, expected in pairs if expected == 2}
    assert len(replacements) >= 4
    assert 2 not in replacements


# Which points


@pytest.mark.parametrize("shape", [(5, 7), (1, 9), (6,), (4, 3, 5)])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_a_lattice_draws_every_sample_equally_often_and_none_twice(shape, count):
    rng = np.random.default_rng(5)
    size, hits, rounds = int(np.prod(shape)), np.zeros(int(np.prod(shape))), 4_000
    for _ in range(rounds):
        points = lattice_points(rng, shape, count)
        assert (np.diff(points) > 0).all()
        assert 0 <= points[0] <= points[-1] < size
        hits[points] += 1
    expected = hits.sum() / size
    assert np.abs(hits - expected).max() < 6 * expected**0.5


def test_a_lattice_is_as_fine_as_the_points_asked_for():
    rng = np.random.default_rng(0)
    assert len(lattice_points(rng, (178, 178), 2_500)) == 2_500
    assert len(lattice_points(rng, (64, 48), 500)) == 26 * 19
    assert list(lattice_points(rng, (3, 2), 6)) == list(range(6))


def test_points_of_a_lattice_lie_evenly_along_each_axis():
    rows, columns = np.divmod(lattice_points(np.random.default_rng(1), (30, 20), 150), 20)
    assert set(np.diff(np.unique(rows))) <= {2}
    assert set(np.diff(np.unique(columns))) <= {2}
    assert len(np.unique(rows)) * len(np.unique(columns)) == len(rows)


def test_the_mean_of_a_wave_is_nearer_on_a_lattice():
    rows, columns = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40), indexing="ij")
    values = np.sin(20 * rows + 13 * columns).reshape(-1)
    errors = {
        name: np.mean([abs(values[draw(np.random.default_rng(i), (40, 40), 100)].mean() - values.mean())
                       for i in range(50)])
        for name, draw in POINTS.items()
    }  # fmt: skip
    assert errors["lattice"] < errors["random"] / 3


@pytest.mark.parametrize("sampling", POINTS)
def test_every_task_has_points_of_its_own_for_each_of_its_losses(sampling):
    tasks = sampler(points=4, sampling=sampling).draw(2)
    sets = [tuple(map(tuple, coords.tolist())) for samples in (tasks.support, tasks.query) for coords in samples.coords]
    assert len(set(sets)) > 3
    assert tasks.support.values.shape[1] == {"random": 4, "lattice": 6}[sampling]


@pytest.mark.parametrize("points", [None, 4])
def test_signals_apart_depend_on_the_key_alone_and_change_no_outer_step(points):
    signals = MadeUpSignals(7)
    one = sampler(signals, points=points)
    before = one.draw(2)
    first, again, other = one.apart(0, 5), sampler(points=points).apart(0, 5), one.apart(1, 5)
    assert_same(one.draw(2), before)
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.coords, again.coords)
    assert not torch.equal(first.values, other.values)
    assert first.values.shape == (5, 15 if points is None else 4, 2)
    if points is None:
        known = {MadeUpSignals(7).load(i).tobytes() for i in range(7)}
        assert len({values.numpy().tobytes() for values in first.values} & known) == 5  # none twice


def test_signals_apart_at_points_of_their_own_are_samples_of_one_signal_each():
    samples = sampler(points=4, sampling="lattice").apart(3, 6)
    everywhere = {MadeUpSignals(7).load(i).tobytes(): MadeUpSignals(7).load(i).reshape(15, 2) for i in range(7)}
    for coords, values in zip(samples.coords, samples.values, strict=True):
        places = [int((GRID.coords() - c).abs().sum(1).argmin()) for c in coords]
        assert sum(np.array_equal(signal[places], values.numpy()) for signal in everywhere.values()) == 1
    assert not all(torch.equal(coords, samples.coords[0]) for coords in samples.coords)


def test_signals_apart_are_all_there_are_and_unreadable_ones_are_replaced():
    assert sampler(MadeUpSignals(3)).apart(0, 50).values.shape[0] == 3
    broken = sampler(MadeUpSignals(7, unreadable=[1, 4]))
    known = {MadeUpSignals(7).load(i).tobytes() for i in range(7) if i not in (1, 4)}
    assert {values.numpy().tobytes() for values in broken.apart(0, 7).values} <= known
    assert set(broken.unreadable) == {"signal-1", "signal-4"}

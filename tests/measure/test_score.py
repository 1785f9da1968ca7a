"""The loop that every experiment goes through: a function that fits is all that one brings."""

import numpy as np
import pytest
import torch

from sparsine.errors import UnreadableSignal
from sparsine.measure.records import signal
from sparsine.measure.score import Batch, measure, read_batches
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.image import Rgb

SHAPE = (13, 11)
STEPS = (0, 3)


class Some(SignalSet):
    """Pictures of noise, of which number 2 cannot be read."""

    def __init__(self, number=5):
        rng = np.random.default_rng(3)
        self.pictures = rng.uniform(0.2, 0.8, (number, *SHAPE, 3)).astype(np.float32)

    def __len__(self):
        return len(self.pictures)

    def name(self, index):
        return f"{index}.png"

    def load(self, index):
        if index == 2:
            raise UnreadableSignal("2.png is cut off")
        return self.pictures[index]


def dataset_of(signals):
    return Dataset(spec="noise", source="made up", description="noise", train=signals, val=signals, test=signals,
                   shape=SHAPE, num_channels=3, kind=Rgb())  # fmt: skip


def by_its_mean(batch, on_drawn):
    """A made-up way to fit: grey, then each picture's mean colour. The last one never gets there."""
    on_drawn(STEPS[0], torch.full_like(batch.target, 0.5))
    on_drawn(STEPS[1], batch.target.mean(1, keepdim=True).expand_as(batch.target))
    return ["ok"] * (len(batch.target) - 1) + ["diverged"]


def measured(signals, batch=2, **asked):
    domain = Grid(shape=SHAPE)
    return measure(by_its_mean, dataset_of(signals), domain, len(signals), batch, torch.device("cpu"), **asked)


def test_every_signal_has_every_metric_of_its_kind_after_every_step():
    signals = Some()
    found = measured(signals).signals
    assert [one.name for one in found] == [f"{index}.png" for index in range(5)]
    assert [one.status for one in found] == ["ok", "diverged", "unreadable", "ok", "diverged"]
    for index in (0, 1, 3, 4):
        picture = signals.pictures[index]
        after = [np.full_like(picture, 0.5), np.broadcast_to(picture.mean((0, 1)), picture.shape)]
        assert found[index].metrics["psnr_db"] == pytest.approx(
            [psnr_db(float(np.square(picture - drawn).mean())) for drawn in after], abs=1e-4
        )
        assert found[index].metrics.keys() == {"psnr_db", *(metric.name for metric in Rgb().metrics)}
        assert {len(values) for values in found[index].metrics.values()} == {2}


def test_one_that_cannot_be_read_has_its_place_and_its_reason():
    found = measured(Some()).signals[2].to_dict(["psnr_db", "ssim"], 2)
    unknown = [None, None]
    assert found == signal("2.png", "unreadable", {"psnr_db": unknown, "ssim": unknown}, "2.png is cut off")


def test_what_is_drawn_is_shown_with_its_original_and_its_step():
    seen, signals = [], Some()
    measured(signals, on_fitted=lambda step, original, drawn: seen.append((step, original.index, drawn.mean())))
    assert [(step, index) for step, index, _ in seen] == [
        (0, 0),
        (0, 1),
        (3, 0),
        (3, 1),
        (0, 3),
        (0, 4),
        (3, 3),
        (3, 4),
    ]
    assert [mean for step, _, mean in seen if step == 3] == pytest.approx(
        [signals.pictures[index].mean() for index in (0, 1, 3, 4)], abs=1e-6
    )


def test_signals_are_read_in_their_order_and_never_more_than_a_batch_at_a_time():
    bad = []
    found = list(read_batches(Some(), 5, 3, Rgb(), bad.append))
    assert [[one.index for one in batch] for batch in found] == [[0, 1, 3], [4]]
    assert [(one.name, one.reason) for one in bad] == [("2.png", "2.png is cut off")]


def test_samples_that_count_more_count_more_in_psnr():
    (original,) = next(read_batches(Some(1), 1, 1, Rgb(), lambda bad: None))
    batch = Batch.of([original], Grid(shape=SHAPE), torch.device("cpu"))
    weights = torch.zeros(batch.target.shape[1])
    weights[7] = len(weights)
    drawn = torch.zeros_like(batch.target)
    (told,) = Batch(batch.originals, batch.coords, batch.target, weights).psnr_db(drawn, 1.0)
    assert told == pytest.approx(psnr_db(float(batch.target[0, 7].square().mean())), abs=1e-4)

"""How near does a gradient from some points come to that of the whole grid: points at random, or on a lattice?

The relative distance of a signal's gradient at the start, averaged over draws and validation signals. Seconds.

    python experiments/points_of_a_task.py celeba:DIR START results/comparison/points-of-a-task.json
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from sparsine.engines import make_engine
from sparsine.environment import environment
from sparsine.signals.open import open_dataset
from sparsine.signals.sampling import POINTS
from sparsine.starts.start import load_start
from sparsine.storage import write_json

COUNTS = (500, 1_000, 2_500, 5_000, 10_000)
SIGNALS = 8
DRAWS = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("start", type=Path)
    parser.add_argument("record", type=Path)
    args = parser.parse_args()

    start = load_start(args.start)
    dataset = open_dataset(args.data, resolution=(start.domain.shape[0], start.domain.shape[1]))
    signals = [torch.tensor(dataset.val.load(i)).reshape(start.domain.num_points, -1) for i in range(SIGNALS)]
    values, coords = torch.stack(signals), start.domain.coords()
    engine, theta = make_engine(start.pattern), start.theta.repeat(SIGNALS, 1)
    whole = engine.loss_and_grad(theta, coords, values)[1]
    rows = []
    for count in COUNTS:
        for sampling, draw in POINTS.items():
            rng = np.random.default_rng([0, count])
            distances = []
            for _ in range(DRAWS):
                chosen = torch.from_numpy(draw(rng, start.domain.shape, count))
                grad = engine.loss_and_grad(theta, coords[chosen], values[:, chosen])[1]
                distances.append(((grad - whole).norm(dim=1) / whole.norm(dim=1)).tolist())
            rows.append({"points": count, "sampling": sampling, "distance": float(np.mean(distances)),
                         "of_each_draw_and_signal": distances})  # fmt: skip
            print(f"{count} points, {sampling}: {rows[-1]['distance']:.3f}", file=sys.stderr)
    write_json(args.record, {"kind": "points-of-a-task", **environment(), "data": dataset.spec, "split": "val",
                             "start": start.digest, "weights": start.pattern.num_weights, "rows": rows})  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

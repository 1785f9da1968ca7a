"""What makes a sparse start good after a hundred steps: which weights survive, or what is learned after each pruning?

From a dense start, 20 % of the weights are removed again and again, by several scores and with different numbers of
outer steps after each pruning: none at all, some. After some of the rounds, validation faces are fitted with 100 steps
of Adam. One way after the other; those in the record already are not done again. On one core five to ten minutes a way.
--runs measures the starts of finished runs as well.

    python experiments/pattern_or_learning.py celeba:DIR START results/comparison/RECORD [--runs DIR...]
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from alternation import alternation, validation_fits

from sparsine.environment import environment
from sparsine.meta.run_folder import read_config, starts_of
from sparsine.recipes import comparison
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

WAYS = (("magnitude", 0), ("connected", 0), ("saliency", 0), ("magnitude", 60), ("saliency", 60))
MEASURED = (8, 11, 14, 17, 20)
FACES = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("start", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--runs", type=Path, nargs="*", default=[])
    args = parser.parse_args()

    start = load_start(args.start)
    dataset = open_dataset(args.data, resolution=(start.domain.shape[0], start.domain.shape[1]))
    learn = comparison("paper-cpu").learn
    record = read_json(args.record) if args.record.exists() else {
        "kind": "pattern-or-learning", **environment(), "data": dataset.spec, "split": "val", "start": start.digest,
        "inputs": [dataset.val.name(i) for i in range(FACES)], "learn": learn.to_dict(), "rows": [],
    }  # fmt: skip
    ways: dict[tuple[str, int], Callable[[], Iterator[tuple[int, Start]]]] = {}
    for score, num_steps in WAYS:
        config = replace(learn, pruning=replace(learn.pruning, score=score),
                         outer=replace(learn.outer, steps_per_round=num_steps))  # fmt: skip
        ways[score, num_steps] = partial(alternation, config, start, dataset, max(MEASURED))
    for folder in args.runs:
        config = read_config(folder)
        ways[config.pruning.score, config.outer.steps_per_round] = partial(of_run, folder)
    for (score, num_steps), starts in ways.items():
        if (score, num_steps) not in {(row["score"], row["steps_per_round"]) for row in record["rows"]}:
            rounds = [measured(k, each, dataset) for k, each in starts() if k in MEASURED]
            record["rows"].append({"score": score, "steps_per_round": num_steps, "rounds": rounds})
            write_json(args.record, record)
            means = {each["round"]: round(fmean(curve[-1] for curve in each["psnr_db"]), 2) for each in rounds}
            print(score, num_steps, means, flush=True)
    return 0


def of_run(folder: Path) -> Iterator[tuple[int, Start]]:
    """The starts that a run kept, by round."""
    for path in starts_of(folder):
        start = load_start(path)
        yield start.info["round"], start


def measured(k: int, start: Start, dataset: Dataset) -> dict[str, Any]:
    """Survivors by layer, and PSNR of every validation face along its fit."""
    fitted = validation_fits(start, dataset, FACES)
    return {"round": k, "weights": start.pattern.num_weights,
            "by_layer": [int(keep.sum()) for keep in start.pattern.layer_keeps()],
            "steps": list(fitted.steps), "psnr_db": fitted.psnr_db}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

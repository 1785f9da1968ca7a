"""Is it the budget of a round that holds Meta-SparseINR back where many weights survive?

From a dense start, the paper's alternation down to k = 8 with 290 outer steps a round on the whole grid, in several
ways: another outer step size with a decay, another score. After rounds 4 and 8, validation faces are fitted with 100
steps of Adam. One way after the other; those in the record already are not done again. A minute and a half for each on
an H100; hours on a CPU.

    python experiments/budget_of_rounds.py celeba:DIR START results/comparison/budget-cuda.json --device cuda
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from alternation import alternation, validation_fits

from sparsine.environment import environment
from sparsine.meta.config import LearnConfig
from sparsine.recipes import comparison
from sparsine.signals.open import open_dataset
from sparsine.starts.start import load_start
from sparsine.storage import read_json, write_json

WAYS: dict[str, dict[str, Any]] = {
    "as paper-cpu": {},
    "three times the step size, cosine decay": {"outer_step_size": 3e-5, "decay": "cosine"},
    "connected": {"score": "connected"},
}
MEASURED = (4, 8)
STEPS_PER_ROUND = 290
FACES = 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("start", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps-per-round", type=int, default=STEPS_PER_ROUND)
    args = parser.parse_args()

    start = load_start(args.start)
    dataset = open_dataset(args.data, resolution=(start.domain.shape[0], start.domain.shape[1]))
    record = read_json(args.record) if args.record.exists() else {
        "kind": "budget-of-rounds", **environment(), "data": dataset.spec, "faces": FACES,
        "steps_per_round": args.steps_per_round, "points": "all", "rows": [],
    }  # fmt: skip
    for name, options in WAYS.items():
        if name not in {row["way"] for row in record["rows"]}:
            config = configured(args.steps_per_round, args.device, **options)
            psnr = {k: [curve[-1] for curve in validation_fits(each, dataset, FACES).psnr_db]
                    for k, each in alternation(config, start, dataset, max(MEASURED)) if k in MEASURED}  # fmt: skip
            record["rows"].append({"way": name, **options, "psnr_db": psnr})
            write_json(args.record, record)
            print(name, {k: sum(each) / len(each) for k, each in psnr.items()}, flush=True)
    return 0


def configured(steps_per_round: int, device: str, *, score: str = "magnitude", **outer: Any) -> LearnConfig:
    learn = comparison("paper-cpu").learn
    return replace(
        learn, device=device, inner=replace(learn.inner, points=None), pruning=replace(learn.pruning, score=score),
        outer=replace(learn.outer, steps_per_round=steps_per_round, **outer),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

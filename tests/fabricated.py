"""Evaluation records made up for tests: nothing in them was measured."""

from math import log10
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

STEPS = (0, 1, 2, 5, 10, 20, 50, 100)


def signal(name: str, last: float | None, steps: tuple[int, ...] = STEPS, status: str = "ok") -> dict[str, Any]:
    """A signal whose PSNR rises from 9 dB to `last`."""
    top = log10(1 + steps[-1]) or 1.0
    curve = [None if last is None else 9.0 + (last - 9.0) * log10(1 + step) / top for step in steps]
    reason = {} if status == "ok" else {"reason": f"{name} is {status} for a test"}
    return {"input": name, "status": status, "steps": list(steps), "psnr_db": curve, **reason}


def row(
    name: str, weights: int, signals: list[dict[str, Any]], dense: int, steps: tuple[int, ...] = STEPS
) -> dict[str, Any]:
    curves = [s["psnr_db"] for s in signals if s["status"] == "ok"]
    number = None if name == "scratch" else int(name[-2:])
    return {
        "name": name, "weights": weights, "biases": 97, "total": weights + 97, "density": weights / dense,
        "round": number,
        "outer_steps": None if number is None else 200 + 30 * number,
        "learn_seconds": None if number is None else 8.5 + 1.1 * number, "fit_seconds": 0.613, "steps": list(steps),
        "mean_psnr_db": [sum(at) / len(at) for at in zip(*curves, strict=True)], "signals": signals,
        "made_from": {"pictures": 2},
    }  # fmt: skip


def record(
    num_rounds: int = 4, num_signals: int = 5, dense: int = 2144, steps: tuple[int, ...] = STEPS
) -> dict[str, Any]:
    """Scratch at about 16 dB, then `num_rounds` starts from 40 dB downwards."""
    weights = [int(dense * 0.8**k) for k in range(num_rounds)]
    finals = [40.0 - 1.3 * k for k in range(num_rounds)]

    def signals(last: float) -> list[dict[str, Any]]:
        lasts = [last + 6.25 * (i / num_signals - 0.4) for i in range(num_signals)]
        return [signal(f"picture-{i:03d}.jpg", value, steps) for i, value in enumerate(lasts)]

    rows = [row("scratch", dense, signals(16.0), dense, steps)]
    rows += [row(f"round-{k:02d}", weights[k], signals(finals[k]), dense, steps) for k in range(num_rounds)]
    return {
        "kind": "evaluation", "record_version": 1, "created": "2031-05-06T07:08:09+00:00", "commit": "0123abcd",
        "versions": {"sparsine": "0.1.0", "python": "3.11.7", "torch": "2.9", "numpy": "2.1"},
        "hardware": {"processor": "an abacus", "cores": 3, "threads": 3, "memory_bytes": 17, "gpu": None},
        "config": {"recipe": "paper", "data": "images:somewhere", "field": {"width": 32, "omega_0": 30.0},
                   "grid": {"resolution": [5, 3], "low": -1.0}, "seed": 8},
        "data": {"spec": "images:somewhere", "description": "Made up.", "value_kind": "rgb", "shape": [5, 3],
                 "split": "test"},
        "protocol": {"optimizer": "adam", "lr": 1e-4, "steps": steps[-1]}, "rows": rows,
    }  # fmt: skip


def metrics(num_rounds: int = 4, steps_per_round: int = 70) -> list[dict[str, Any]]:
    """Lines as a run writes them: every tenth step, and a look at validation at the end of each round."""
    lines: list[dict[str, Any]] = []
    for number in range(num_rounds):
        for i in range(10, steps_per_round + 1, 10):
            step = number * steps_per_round + i
            common = {"step": step, "round": number, "weights": 2144 - 300 * number, "seconds": step / 25}
            lines.append({**common, "loss": 0.01, "psnr_db": 20.0 - number + 5 * i / steps_per_round})
            if i == steps_per_round:
                lines.append({**common, "val_psnr_db": [8.5, 17.0 - number, 22.0 - number]})
    return lines


def save_pictures(folder: Path, record: dict[str, Any], size: tuple[int, int] = (3, 5)) -> None:
    """The drawn pictures of a run: `size` is (width, height); every picture has a colour of its own."""
    pictures = folder / "evaluation" / "pictures"
    pictures.mkdir(parents=True)
    for index, name in enumerate(["original", *(r["name"] for r in record["rows"])]):
        for number in range(record["rows"][0]["made_from"]["pictures"]):
            values = np.full((size[1], size[0], 3), (20 + 10 * index, 40 + 90 * number, 77), dtype=np.uint8)
            Image.fromarray(values).save(pictures / f"{name}-{number}.png")

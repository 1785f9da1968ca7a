"""Comparison cells made up for tests: nothing in them was measured."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, log10
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

STEPS = (0, 1, 2, 5, 10, 20, 50, 100)
SIZES = (2, 19, 19, 3)
"""456 weights and 41 biases."""
LABELS = {
    "meta-sparse": ("Meta-SparseINR", "ours"), "random-pruning": ("Random Pruning", "baseline"),
    "dense-narrow": ("Dense-Narrow", "baseline"), "maml-oneshot": ("MAML+OneShot", "baseline"),
    "maml-imp": ("MAML+IMP", "baseline"), "scratch": ("Scratch", "baseline"),
    "dense-maml": ("Dense MAML (MetaSDF, Learnit)", "other"),
    "modulations": ("Latent modulations (Functa, COIN++)", "other"), "coin-16": ("COIN, 16 bit", "other"),
    "coin-8": ("COIN, 8 bit", "other"), "ticket-rewound": ("survivors rewound to the dense start", "ablation"),
    "ticket-random": ("survivors at random values", "ablation"),
    "ticket-oneshot": ("pruned once, no alternation", "ablation"),
}  # fmt: skip
LAST = {"meta-sparse": 40.0, "random-pruning": 38.0, "dense-narrow": 37.5, "maml-oneshot": 36.0, "maml-imp": 33.0,
        "scratch": 18.0, "dense-maml": 41.0, "modulations": 27.0, "coin-16": 17.6, "coin-8": 16.2,
        "ticket-rewound": 39.0, "transfer": 39.5, "ticket-random": 30.0, "ticket-oneshot": 38.4}  # fmt: skip
LOSS = {"meta-sparse": 0.9, "modulations": 1.2, "scratch": 0.35, "coin-16": 0.36, "coin-8": 0.37, "maml-imp": 1.1,
        "ticket-rewound": 1.0, "dense-narrow": 1.25}  # fmt: skip
"""Decibels lost a round; 1.5 for the others."""


def signal(
    name: str, last: float | None, steps: Sequence[int] = STEPS, status: str = "ok", first: float = 9.0
) -> dict[str, Any]:
    """A signal whose PSNR rises from `first` to `last`, and SSIM with it."""
    top = log10(1 + steps[-1]) or 1.0
    at = [None if last is None else log10(1 + step) / top for step in steps]
    curve = [last if way is None or last == inf else first + (last - first) * way for way in at]  # a perfect fit stays
    reason = {} if status == "ok" else {"reason": f"{name} is {status} for a test"}
    return {"input": name, "status": status, "psnr_db": curve,
            "ssim": [None if value is None else min(value / 50, 1.0) for value in curve], **reason}  # fmt: skip


def fitted(
    lasts: Iterable[float | None], optimizer: str = "adam", steps: Sequence[int] = STEPS, seconds: float = 3.0
) -> dict[str, Any]:
    """A protocol with a signal for each last PSNR: picture-00.jpg, picture-01.jpg, ..."""
    return {
        "optimizer": optimizer, "lr": 1e-4 if optimizer == "adam" else 1e-2, "steps": list(steps),
        "usage": {"seconds": seconds, "cpu_seconds": 0.9 * seconds, "peak_bytes": 300 * 2**20},
        "signals": [signal(f"picture-{i:02d}.jpg", last, steps) for i, last in enumerate(lasts)],
    }  # fmt: skip


def cell(
    method: str = "meta-sparse", level: str = "round-03", lasts: Sequence[float | None] = (30.0, 32.0), *,
    data: str = "faces", seed: int = 0, weights: int = 233, biases: int = 41, bits: int | None = None,
    sizes: Sequence[int] = SIZES, **changes: Any,
) -> dict[str, Any]:  # fmt: skip
    label, family = LABELS.get(method, (method, "other"))
    number = int(level[-2:]) if level.startswith("round-") else None
    learned = 0 if method in ("scratch", "coin-16", "coin-8") else 3000 + 400 * (number or 0)
    numbers = weights + biases
    return {
        "kind": "comparison-cell", "record_version": 1, "created": "2031-05-06T07:08:09+00:00", "commit": "0123abcd",
        "versions": {"sparsine": "0.1.0", "python": "3.11.7", "torch": "2.9", "numpy": "2.1"},
        "hardware": {"processor": "an abacus", "cores": 3, "threads": 1, "memory_bytes": 17, "gpu": None},
        "comparison": "tiny",
        "data": {"label": data, "spec": f"celeba:{data}", "description": f"Made up {data}.", "value_kind": "rgb",
                 "shape": [5, 3], "split": "test"},
        "seed": seed, "method": method, "label": label, "family": family, "level": level, "round": number,
        "weights": weights, "biases": biases, "numbers": numbers, "bits": 32 * numbers if bits is None else bits,
        "shared_numbers": 0, "field": {"sizes": list(sizes), "omega_0": 30.0, "extent": [[0.0, 1.0]] * 2},
        "learn": {"dense_steps": 3000, "steps_per_round": 400, "start_from": ""},
        "learning": {"outer_steps": learned, "seconds": learned / 50, "cpu_seconds": learned / 51,
                     "peak_bytes": 450 * 2**20 if learned else 0, "stages": []},
        "protocols": {"adam": fitted(lasts),
                      "sgd": fitted([None if last is None else last / 2 for last in lasts], "sgd", (0, 1, 2))},
        "pictures": 0, **changes,
    }  # fmt: skip


def comparison(
    rounds: Sequence[int] = (2, 5, 8, 10, 12, 14), data: Sequence[str] = ("faces", "photos"), seeds: int = 3,
    num_signals: int = 6, methods: Sequence[str] = tuple(LABELS), width: int = 64, pictures: int = 2,
) -> list[dict[str, Any]]:  # fmt: skip
    """Every method on every level: a SIREN 2-width-width-width-width-3, pruned by a fifth a round."""
    dense = 5 * width + 3 * width**2
    cells = []
    for place, label in enumerate(data):
        for seed in range(seeds):
            for method in methods:
                drawn = pictures if seed == 0 else 0
                cells += [
                    cell(method, level, _lasts(method, number, seed, num_signals, place), data=label, seed=seed,
                         pictures=drawn, **counts)
                    for level, number, counts in _levels(method, rounds, width, dense)
                ]  # fmt: skip
            if len(data) > 1:
                other = data[1 - place]
                cells += [
                    cell(f"transfer-{other}", level, _lasts("transfer", number, seed, num_signals, place),
                         data=label, seed=seed, label=f"start learned on {other}", family="transfer", **counts)
                    for level, number, counts in _levels("meta-sparse", rounds, width, dense)
                ]  # fmt: skip
    return cells


def _levels(method: str, rounds: Sequence[int], width: int, dense: int) -> list[tuple[str, int, dict[str, Any]]]:
    sizes = (2, *[width] * 4, 3)
    biases = 4 * width + 3
    if method == "dense-maml":
        return [("dense", 0, {"weights": dense, "biases": biases, "sizes": sizes})]
    if method == "modulations":
        return [(f"latents-{n:03d}", k, {"weights": n, "biases": 0, "sizes": sizes, "shared_numbers": dense + biases})
                for k, n in enumerate([512, 256, 128, 64])]  # fmt: skip
    found = []
    for k in rounds:
        counts: dict[str, Any] = {"weights": int(dense * 0.8**k), "biases": biases, "sizes": sizes}
        if method in ("dense-narrow", "scratch", "coin-16", "coin-8"):
            narrow = round(width * 0.8 ** (k / 2))
            counts = {"sizes": (2, *[narrow] * 4, 3), "biases": 4 * narrow + 3}
            counts["weights"] = sum(a * b for a, b in pairwise(counts["sizes"]))
            if method.startswith("coin"):
                counts["bits"] = (counts["weights"] + counts["biases"]) * int(method[5:])
        found.append((f"round-{k:02d}", k, counts))
    return found


def _lasts(method: str, number: int, seed: int, num_signals: int, place: int) -> list[float]:
    last = LAST.get(method, 25.0) - LOSS.get(method, 1.5) * number + 0.3 * (seed - 1) - 2.0 * place
    # some signals are harder, and no method loses the same on all of them
    return [last + 0.5 * (i - num_signals / 2) + 0.2 * ((7 * i + len(method) + number) % 5 - 2)
            for i in range(num_signals)]  # fmt: skip


def save_pictures(folder: Path, cells: Iterable[dict[str, Any]], size: tuple[int, int] = (3, 5)) -> None:
    """What the cells say was drawn: `size` is (width, height); every picture has a colour of its own."""
    colour = 0
    for made in cells:
        place = folder / "pictures" / made["data"]["label"]
        for i in range(made["pictures"]):
            for path in (place / f"original-{i}.png", place / made["method"] / f"{made['level']}-{i}.png"):
                colour += 1
                path.parent.mkdir(parents=True, exist_ok=True)
                values = np.full((size[1], size[0], 3), (colour % 251, 40 + 90 * i, 77), dtype=np.uint8)
                Image.fromarray(values).save(path)

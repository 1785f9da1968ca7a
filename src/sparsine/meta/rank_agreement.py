"""What ranks must agree on before the first step: versions, options, signals, and where they begin."""

import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparsine.counted import counted
from sparsine.engines.native import chosen_instructions, is_built
from sparsine.errors import BadInput
from sparsine.meta.checkpoint import Checkpoint, checkpoint_bytes, checkpoint_in
from sparsine.meta.config import LearnConfig
from sparsine.meta.outer import LearnState
from sparsine.meta.ranks import Ranks
from sparsine.meta.run_folder import differences
from sparsine.plugins import loaded
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import Domain, domain_from_dict
from sparsine.signals.manifest import Manifest
from sparsine.signals.selection import find
from sparsine.usage import Usage
from sparsine.version import __version__

OWN = ("data", "outer.start_from")
"""Options that say where something lies on a machine, and not what it is."""


@dataclass(frozen=True)
class Beginning:
    """What the first rank says to the others."""

    config: LearnConfig
    domain: Domain
    """Where the samples of its signals lie."""
    manifest: Manifest
    survivors: list[int]
    state: LearnState
    finished: bool
    """Whether nothing is left to learn."""


def check_alike(ranks: Ranks) -> None:
    """Raises BadInput, on every rank the same, where ranks compute with different software or instructions."""
    here = {
        "sparsine": __version__, "torch": torch.__version__, "numpy": np.__version__,
        "python": platform.python_version(), "instructions": chosen_instructions() if is_built() else "none",
        "loaded files and packages": [one.get("sha256") or f"{one['package']} {one['version']}" for one in loaded()],
    }  # fmt: skip
    first, *others = (json.loads(said) for said in ranks.from_all(json.dumps(here).encode()))
    for rank, other in enumerate(others, start=1):
        if unlike := [
            f"{what} {other.get(what)}, not {value}" for what, value in first.items() if other.get(what) != value
        ]:
            raise BadInput(
                f"rank {rank} has {'; '.join(unlike)} as rank 0 has: the start would depend on who computes what; give "
                "all ranks the same (instructions: by SPARSINE_INSTRUCTIONS)"
            )


def check_ranks(config: LearnConfig, count: int) -> None:
    """Raises BadInput where there are more ranks than tasks in a step."""
    tasks = config.outer.tasks_per_step
    if config.outer.dense_steps + config.outer.steps_per_round and count > tasks:
        raise BadInput(
            f"{count} ranks cannot share {counted(tasks, 'task')} of an outer step: start {tasks} of them at most, or "
            "raise --tasks-per-step, which leads to another start"
        )


def notes_on_shares(config: LearnConfig, count: int) -> list[str]:
    """What is not as it should be and does not hinder."""
    tasks = config.outer.tasks_per_step
    if not tasks % count or not config.outer.dense_steps + config.outer.steps_per_round:
        return []
    most = -(-tasks // count)
    return [f"{tasks} tasks of a step on {count} ranks: some do {most}, and the others wait for them; a step with "
            f"--tasks-per-step {most * count} would take no longer"]  # fmt: skip


def tell_beginning(ranks: Ranks, beginning: Beginning) -> None:
    """To all other ranks, by the first. Returns when all of them have agreed. Raises RankLost where one does not."""
    about = {"config": beginning.config.to_dict(), "domain": beginning.domain.to_dict(),
             "manifest": beginning.manifest.to_dict(), "survivors": beginning.survivors,
             "finished": beginning.finished}  # fmt: skip
    ranks.from_first(json.dumps(about).encode())
    ranks.from_first(checkpoint_bytes(Checkpoint(beginning.state, Usage(), 0)))
    agree(ranks)


def hear_beginning(ranks: Ranks) -> Beginning:
    """What the first rank says. Raises RankLost where it has ended."""
    about: dict[str, Any] = json.loads(ranks.from_first(b""))
    config = LearnConfig.from_dict(about["config"])
    state = checkpoint_in(ranks.from_first(b""), Path("rank 0"), config.device).state
    domain, manifest = domain_from_dict(about["domain"]), Manifest.from_dict(about["manifest"])
    return Beginning(config, domain, manifest, about["survivors"], state, about["finished"])


def agree(ranks: Ranks) -> None:
    """Returns when all ranks have come here. Raises RankLost where one does not."""
    ranks.from_all(b"")


def check_options(first: LearnConfig, own: LearnConfig) -> None:
    """Raises BadInput where a rank was started with other options than the first."""
    if unlike := list(_unlike(first, own)):
        raise BadInput(f"it was started with other options than rank 0: {'; '.join(unlike)}; give all the same")


def same_signals(manifest: Manifest, dataset: Dataset) -> Dataset:
    """`dataset` with the splits of the first rank.

    Raises:
        BadInput: its training signals are others.
    """
    found = find(manifest, dataset, {"train": manifest.splits["train"].count, "val": 0, "test": 0})
    if lost := found.differences("train"):
        raise BadInput(
            f"{dataset.spec} is not what rank 0 learns from: {'; '.join(lost)}; give all ranks the same data"
        )
    return found.dataset


def _unlike(first: LearnConfig, own: LearnConfig) -> Iterator[str]:
    given, here = (json.loads(json.dumps(config.to_dict())) for config in (first, own))
    for name, was, now in differences(given, here):
        if name not in OWN and not name.startswith("watch."):
            yield f"{name} is {now!r}, not {was!r}"

"""Modulations learned in a folder: in the same outer loop as starts, kept by the same keeper."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparsine.checks import check_memory, check_range
from sparsine.engines.choose import make_engine
from sparsine.environment import environment
from sparsine.errors import BadInput
from sparsine.folders import locked
from sparsine.meta.config import LearnConfig
from sparsine.meta.keeper import Keeper
from sparsine.meta.learning import learn_in
from sparsine.meta.modulations import (
    FILE,
    MAX_LATENTS,
    ModulationLearner,
    Modulations,
    initial,
    load_modulations,
    save_modulations,
)
from sparsine.meta.outer import LearnState
from sparsine.meta.run_data import Pinned, pinned_to_learn, write_run_data
from sparsine.meta.run_folder import CHECKPOINT_FILE, check_channels, check_dataset, check_folder, start_name
from sparsine.meta.tasks import sampler_of
from sparsine.signals.dataset import Dataset
from sparsine.signals.manifest import Manifest
from sparsine.starts.start import Start
from sparsine.storage import remove_leftovers, write_json


@dataclass(frozen=True, kw_only=True)
class ModulationConfig(LearnConfig):
    """All that decides the bits of learned modulations, as config.json keeps it; prunings play no part."""

    latents: int
    """Numbers for every signal."""


def learn_modulations(
    config: LearnConfig,
    folder: Path,
    dataset: Dataset,
    start: Start,
    latents: int,
    on_step: Callable[[int, float], None] | None = None,
    manifest: Manifest | None = None,
) -> Modulations:
    """Learn base and mix from `start` on, in config.outer.dense_steps steps of Adam; the result is kept in `folder`.

    Called again with the same arguments it goes on from the last checkpoint, on the signals that it began with and to
    the same bits; a finished folder is read. The field and the grid are the start's. `on_step(steps taken, outer loss)`
    sees every step. `manifest` is what `dataset` holds, where that is known.

    Raises:
        BadInput: the data or the configuration cannot be used, or the folder holds another run or one on other signals,
            or is in use.
        NotFinite: the loss overflowed; the last good checkpoint stays.
        WorkFailed: a file could not be written.
    """
    config = _complete(config, start, latents)
    _check(config, dataset, start)
    check_folder(config, folder, resume=True)
    if (folder / FILE).exists():
        return load_modulations(folder / FILE)
    engine = make_engine(start.pattern, config.engine, device=config.device)  # before anything is written
    first = initial(replace(start, theta=start.theta.to(config.device)), latents, config.seed)
    begun = (folder / CHECKPOINT_FILE).exists()
    pinned = pinned_to_learn(folder, dataset, start, begun=begun, manifest=manifest)
    domain = start.domain.resized(dataset.shape)
    learner = ModulationLearner(engine, config.inner, first)
    keeper = Keeper(folder, config.watch, sampler_of(config, pinned.dataset, domain), learner.form)
    with locked(folder):
        check_folder(config, folder, resume=True)  # again: another process may have been faster
        remove_leftovers(folder)
        write_json(folder / "config.json", config.to_dict())
        if pinned.data:
            write_run_data(folder, pinned.data)
        state = learn_in(keeper, learner, start.pattern, config, on_step)
        info = _info(config, pinned, start, keeper, state)
        learned = learner.from_vector(state.theta.cpu())
        learned = Modulations(replace(learned.base, domain=domain, info=info), learned.mix)
        save_modulations(folder / FILE, learned)
    return learned


def _complete(config: LearnConfig, start: Start, latents: int) -> ModulationConfig:
    """`config` with what else decides the bits: the number of latents, and which start."""
    check_range("latents", latents, 1, MAX_LATENTS)
    if config.outer.start_from not in ("", start_name(start)):
        raise BadInput(
            f"start_from is {config.outer.start_from!r} but the start given is {start_name(start)}; "
            "leave start_from empty, the start's name is filled in"
        )
    if config.inner.algorithm != "maml":
        raise BadInput(f"modulations are learned with maml, but algorithm is {config.inner.algorithm!r}")
    given = {name: getattr(config, name) for name in LearnConfig.__dataclass_fields__}
    return ModulationConfig(**{**given, "outer": replace(config.outer, start_from=start_name(start))}, latents=latents)


def _check(config: ModulationConfig, dataset: Dataset, start: Start) -> None:
    check_dataset(config, dataset)
    check_channels(start, dataset)
    field = start.field
    # base, mix, their gradients and moments; a few vectors of every task
    shared = start.theta.numel() + config.latents * (field.num_biases - field.out_features)
    tasks = config.outer.tasks_per_step * (dataset.domain.num_points * field.out_features)
    check_memory("learning these modulations", 4 * (10 * shared + 3 * tasks), "choose fewer latents or tasks per step")


def _info(config: ModulationConfig, pinned: Pinned, start: Start, keeper: Keeper, state: LearnState) -> dict[str, Any]:
    dataset = pinned.dataset
    return {
        "data": dataset.spec, "description": dataset.description,
        "recipe": config.recipe, "config": config.to_dict(), "latents": config.latents, "steps": state.step,
        "learn_seconds": round(keeper.usage.seconds, 3), "usage": keeper.usage.to_dict(),
        "start": start_name(start), "start_info": start.info,  # what the start cost comes on top of `usage`
        "unreadable": keeper.unreadable, "notes": [*pinned.notes, *keeper.notes], "environment": environment(),
        "signals": pinned.data.manifest.summary.to_dict() if pinned.data else None,
    }  # fmt: skip

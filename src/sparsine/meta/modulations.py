"""One shared base field, and for every signal a latent z that shifts its hidden biases: the rival of sparse starts.

Functa (Dupont et al., ICML 2022) and COIN++ (Dupont et al., TMLR 2022): theta(z) = base, with z @ mix added to the
biases of the hidden layers. The inner loop moves z alone, from zero; the outer loop learns `base` and `mix`.

The gradient is exact and keeps no graph, as in maml.py. With g the gradient of the loss with respect to theta, [b] its
part at the hidden biases and a the inner step size, the inner loop is

    z_0 = 0,  theta_k = theta(z_k),  z_{k+1} = z_k - a g(theta_k)[b] @ mix.T

and from the outer loss at theta_K backwards, with v_k its derivative with respect to z_k:

    v_K = g(theta_K)[b] @ mix.T,  d base = g(theta_K),  d mix = outer(z_K, g(theta_K)[b])
    h = H(theta_k) u, where u is v_{k+1} @ mix at the hidden biases and zero elsewhere
    d base -= a h,  d mix -= a (outer(v_{k+1}, g(theta_k)[b]) + outer(z_k, h[b])),  v_k = v_{k+1} - a h[b] @ mix.T
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_memory, check_range
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.environment import environment
from sparsine.errors import BadInput, WorkFailed
from sparsine.fields.mlp import MLP
from sparsine.folders import locked
from sparsine.meta.config import LearnConfig
from sparsine.meta.maml import GROUP_ELEMENTS, InnerConfig, Tasks
from sparsine.meta.outer import NotFinite
from sparsine.meta.run_data import Pinned, pinned_to_learn, write_run_data
from sparsine.meta.run_folder import check_channels, check_dataset, check_folder, start_name
from sparsine.meta.tasks import TaskSampler
from sparsine.optim import AdamState, adam_step
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import domain_from_dict
from sparsine.signals.manifest import Manifest
from sparsine.starts.start import Start, described, kind_of, read_vectors, write_vectors
from sparsine.storage import remove_leftovers, write_json
from sparsine.usage import Stopwatch, Usage

FORMAT, CHECKPOINT_FORMAT = "sparsine-modulations", "sparsine-modulations-checkpoint"
FILE, CHECKPOINT_FILE = "modulations.safetensors", "checkpoint.safetensors"
MAX_LATENTS = 65_536

MIX_SCALE = 1.0
"""An inner step of z moves the hidden biases by -a g[b] @ mix.T @ mix. With entries of variance MIX_SCALE**2 / latents
the mean of mix.T @ mix is MIX_SCALE**2 times the identity: at 1, as far as MAML's step would, whatever `latents`.
Tried at the usual inner step 1e-2: 0.3 learns slowly, 2 is up to 1 dB better at omega_0 = 30 but overshoots at 60."""


def hidden_biases(field: MLP) -> slice:
    """Where theta holds the biases that a latent shifts: all but those of the output, whatever was pruned."""
    return slice(-field.num_biases, -field.out_features)


@dataclass(frozen=True)
class Modulations:
    """What all signals share; a signal is its latent z, `latents` numbers."""

    base: Start
    mix: Float[Tensor, "latents hidden_biases"]

    def __post_init__(self) -> None:
        expected = self.base.field.num_biases - self.base.field.out_features
        if self.mix.ndim != 2 or self.mix.shape[0] < 1 or self.mix.shape[1] != expected:
            raise BadInput(f"mix must be (latents, {expected}) for this field, but is {tuple(self.mix.shape)}")

    @property
    def latents(self) -> int:
        return self.mix.shape[0]

    @property
    def hidden(self) -> slice:
        return hidden_biases(self.base.field)

    @property
    def info(self) -> dict[str, Any]:
        """What was learned from and how: data, steps, usage. Plain JSON values."""
        return self.base.info

    def theta(self, z: Float[Tensor, "signals latents"]) -> Float[Tensor, "signals params"]:
        """The whole field of every signal."""
        theta = self.base.theta.repeat(z.shape[0], 1)
        theta[:, self.hidden] += z @ self.mix
        return theta

    def direction(self, z: Float[Tensor, "signals latents"]) -> Float[Tensor, "signals params"]:
        """The derivative of `theta` along z: its shifts of the hidden biases, zero elsewhere."""
        direction = z.new_zeros(z.shape[0], self.base.theta.numel())
        direction[:, self.hidden] = z @ self.mix
        return direction

    def pulled_back(self, grad: Float[Tensor, "signals params"]) -> Float[Tensor, "signals latents"]:
        """A gradient with respect to theta as one with respect to z: the adjoint of `direction`."""
        return grad[:, self.hidden] @ self.mix.T


def initial(start: Start, latents: int, seed: int) -> Modulations:
    """`start` as it is for a base, and a random `mix`: normal, of the scale that MIX_SCALE explains."""
    check_range("latents", latents, 1, MAX_LATENTS)
    size = (latents, start.field.num_biases - start.field.out_features)
    check_memory("these modulations", 8 * latents * size[1], "choose fewer latents")
    mix = np.random.default_rng([seed, 0x4D]).standard_normal(size) * (MIX_SCALE / latents**0.5)
    return Modulations(start, torch.from_numpy(mix).to(start.theta))


def modulation_gradient(
    engine: Engine, modulations: Modulations, tasks: Tasks, config: InnerConfig
) -> tuple[Float[Tensor, ""], Float[Tensor, " params"], Float[Tensor, "latents hidden_biases"]]:
    """The outer loss and its exact gradients with respect to base and mix, averaged over the tasks."""
    if config.algorithm != "maml":
        raise BadInput(f"modulations are learned with the exact gradient, maml, but algorithm is {config.algorithm!r}")
    group = max(1, GROUP_ELEMENTS[engine.device.type] // modulations.base.theta.numel())
    losses, grad_base, grad_mix = [], torch.zeros_like(modulations.base.theta), torch.zeros_like(modulations.mix)
    for first in range(0, len(tasks), group):
        found = _summed_gradients(engine, modulations, tasks.part(slice(first, first + group)), config)
        losses.append(found[0])
        grad_base += found[1]
        grad_mix += found[2]
    return torch.cat(losses).mean(), grad_base / len(tasks), grad_mix / len(tasks)


def _summed_gradients(
    engine: Engine, modulations: Modulations, tasks: Tasks, config: InnerConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Losses (tasks,), and the two gradients summed over the tasks."""
    hidden, step_size = modulations.hidden, config.inner_step_size
    support, query = tasks.support, tasks.query
    z = modulations.mix.new_zeros(len(tasks), modulations.latents)
    path = []
    for _ in range(config.inner_steps):
        grad = engine.loss_and_grad(modulations.theta(z), support.coords, support.values, support.weights)[1]
        path.append((z, grad[:, hidden].clone()))  # a view would keep all of the gradient
        z = z - step_size * modulations.pulled_back(grad)
    losses, grad = engine.loss_and_grad(modulations.theta(z), query.coords, query.values, query.weights)
    grad_base, grad_mix, v = grad.sum(dim=0), z.T @ grad[:, hidden], modulations.pulled_back(grad)
    while path:
        z, grad_hidden = path.pop()
        h = engine.hvp(modulations.theta(z), modulations.direction(v), support.coords, support.values, support.weights)
        grad_base -= step_size * h.sum(dim=0)
        grad_mix -= step_size * (v.T @ grad_hidden + z.T @ h[:, hidden])
        v = v - step_size * modulations.pulled_back(h)
    return losses, grad_base, grad_mix


def save_modulations(path: Path, modulations: Modulations) -> None:
    """Write them to `path`, atomically. Raises WorkFailed when the system refuses."""
    base = modulations.base
    about = {"latents": modulations.latents, **described(base)}
    write_vectors(path, {"theta": base.theta, "mix": modulations.mix}, base.pattern, about, FORMAT)


def load_modulations(path: Path) -> Modulations:
    """Read modulations. Raises BadInput: missing, damaged, of another kind or of a later version."""
    tensors, pattern, about = read_vectors(path, FORMAT)
    try:
        domain, info = domain_from_dict(about["grid"]), dict(about["info"])
        base = Start(pattern, tensors["theta"], domain, info, kind=kind_of(about))
        modulations = Modulations(base, tensors["mix"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} does not hold whole modulations ({error})") from error
    if not (torch.isfinite(base.theta).all() and torch.isfinite(modulations.mix).all()):
        raise BadInput(f"{path} holds numbers that are not finite; it cannot be used")
    return modulations


@dataclass(frozen=True, kw_only=True)
class ModulationConfig(LearnConfig):
    """All that decides the bits of learned modulations, as config.json keeps it; prunings play no part."""

    latents: int
    """Numbers for every signal."""


@dataclass(frozen=True)
class _Progress:
    """`vector` is [base | mix], so that one Adam moves both."""

    vector: Tensor
    adam: AdamState
    step: int
    usage: Usage


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
    sampler = _sampler(config, pinned.dataset, start)
    with locked(folder):
        check_folder(config, folder, resume=True)  # again: another process may have been faster
        remove_leftovers(folder)
        write_json(folder / "config.json", config.to_dict())
        if pinned.data:
            write_run_data(folder, pinned.data)
        progress = _outer_loop(engine, first, sampler, config, folder / CHECKPOINT_FILE, on_step)
        learned = _with(first, progress.vector.cpu())
        info = _info(config, pinned, start, sampler, progress)
        learned = Modulations(replace(learned.base, domain=start.domain.resized(dataset.shape), info=info), learned.mix)
        save_modulations(folder / FILE, learned)
    return learned


def _outer_loop(
    engine: Engine,
    first: Modulations,
    sampler: TaskSampler,
    config: LearnConfig,
    path: Path,
    on_step: Callable[[int, float], None] | None,
) -> _Progress:
    """From the checkpoint at `path`, or from `first`, to the last step; whatever ends it early is kept first."""
    begun = progress = _load_checkpoint(path, first, sampler) if path.exists() else _first_progress(first)
    clock, saved_step, saved_time = Stopwatch(), begun.step, time.monotonic()
    try:
        for step, tasks in sampler.steps(begun.step, config.outer.dense_steps):
            loss, grad = _joined_gradient(engine, _with(first, progress.vector), tasks, config, step)
            step_size = config.outer.step_size_at(step, config.outer.dense_steps)
            vector, adam = adam_step(progress.vector, grad, progress.adam, step_size)
            progress = _Progress(vector, adam, step + 1, begun.usage + clock.usage())
            if time.monotonic() - saved_time >= config.watch.checkpoint_seconds:
                _save_checkpoint(path, first, progress, sampler)
                saved_step, saved_time = progress.step, time.monotonic()
            if on_step:
                on_step(progress.step, loss)
    except BaseException:
        if progress.step > saved_step:
            with suppress(WorkFailed):
                _save_checkpoint(path, first, progress, sampler)
        raise
    if progress.step > saved_step:
        _save_checkpoint(path, first, progress, sampler)
    return progress


def _joined_gradient(
    engine: Engine, modulations: Modulations, tasks: Tasks, config: LearnConfig, step: int
) -> tuple[float, Tensor]:
    loss, *grads = modulation_gradient(engine, modulations, tasks, config.inner)
    grad = torch.cat([part.flatten() for part in grads])
    if not (torch.isfinite(loss) and torch.isfinite(grad).all()):
        raise NotFinite(
            f"the outer loss of modulations is {loss.item():g} at outer step {step} and its gradient is "
            f"{'' if torch.isfinite(grad).all() else 'not '}finite; lower --inner-step-size "
            f"(now {config.inner.inner_step_size:g}) or --outer-step-size (now {config.outer.outer_step_size:g}), and "
            "learn in another folder"
        )
    return loss.item(), grad


def _first_progress(first: Modulations) -> _Progress:
    vector = torch.cat([first.base.theta, first.mix.flatten()])
    return _Progress(vector, AdamState.zeros_like(vector), 0, Usage())


def _with(like: Modulations, vector: Tensor) -> Modulations:
    """The modulations that `vector` = [base | mix] holds."""
    theta, mix = vector.tensor_split([like.base.theta.numel()])
    return Modulations(replace(like.base, theta=theta), mix.view(like.mix.shape))


def _save_checkpoint(path: Path, like: Modulations, progress: _Progress, sampler: TaskSampler) -> None:
    vectors = {"vector": progress.vector, "adam_mean": progress.adam.mean, "adam_square": progress.adam.square}
    usage = progress.usage
    about = {"latents": like.latents, "step": progress.step, "adam_steps": progress.adam.num_steps,
             "seconds": usage.seconds, "cpu_seconds": usage.cpu_seconds, "peak_bytes": usage.peak_bytes,
             "unreadable": dict(sampler.unreadable)}  # fmt: skip
    write_vectors(path, vectors, like.base.pattern, about, CHECKPOINT_FORMAT)


def _load_checkpoint(path: Path, like: Modulations, sampler: TaskSampler) -> _Progress:
    """Signals that could not be read are remembered by `sampler`."""
    vectors, _, about = read_vectors(path, CHECKPOINT_FORMAT)
    try:
        vector, mean, square = (vectors[name].to(like.mix) for name in ("vector", "adam_mean", "adam_square"))
        usage = Usage(float(about["seconds"]), float(about["cpu_seconds"]), int(about["peak_bytes"]))
        size = like.base.theta.numel() + like.mix.numel()
        if not vector.shape == mean.shape == square.shape == (size,) or not torch.isfinite(vector).all():
            raise ValueError(f"its vectors are not {size} finite numbers")
        sampler.unreadable.update({str(name): str(why) for name, why in dict(about.get("unreadable", {})).items()})
        return _Progress(vector, AdamState(mean, square, int(about["adam_steps"])), int(about["step"]), usage)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise BadInput(
            f"{path} is not a whole checkpoint ({type(error).__name__}: {error}); restore it from a copy, or remove it "
            "to begin anew"
        ) from error


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


def _sampler(config: LearnConfig, dataset: Dataset, start: Start) -> TaskSampler:
    return TaskSampler(
        dataset.split("train"), start.domain.resized(dataset.shape), config.inner,
        tasks_per_step=config.outer.tasks_per_step, seed=config.seed, device=torch.device(config.device),
        kind=dataset.kind,
    )  # fmt: skip


def _info(
    config: ModulationConfig, pinned: Pinned, start: Start, sampler: TaskSampler, progress: _Progress
) -> dict[str, Any]:
    dataset = pinned.dataset
    return {
        "data": dataset.spec, "description": dataset.description,
        "recipe": config.recipe, "config": config.to_dict(), "latents": config.latents, "steps": progress.step,
        "learn_seconds": round(progress.usage.seconds, 3), "usage": progress.usage.to_dict(),
        "start": start_name(start), "start_info": start.info,  # what the start cost comes on top of `usage`
        "unreadable": sampler.unreadable, "notes": list(pinned.notes), "environment": environment(),
        "signals": pinned.data.manifest.summary.to_dict() if pinned.data else None,
    }  # fmt: skip

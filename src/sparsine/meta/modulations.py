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

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_memory, check_range
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.meta.learner import Form
from sparsine.meta.maml import GROUP_ELEMENTS, InnerConfig, Tasks
from sparsine.signals.domain import domain_from_dict
from sparsine.starts.start import Start, described, kind_of, read_vectors, write_vectors

FORMAT, FILE = "sparsine-modulations", "modulations.safetensors"
CHECKPOINT = Form("sparsine-modulations-checkpoint", "vector", " of modulations")
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


class ModulationLearner:
    """Base and mix, which one Adam moves: their vector is [base | mix]."""

    form = CHECKPOINT

    def __init__(self, engine: Engine, inner: InnerConfig, first: Modulations) -> None:
        self.engine, self.inner, self.first = engine, inner, first

    def initial(self) -> Modulations:
        return self.first

    def to_vector(self, learned: Modulations) -> Tensor:
        return torch.cat([learned.base.theta, learned.mix.flatten()])

    def from_vector(self, vector: Tensor) -> Modulations:
        theta, mix = vector.tensor_split([self.first.base.theta.numel()])
        return Modulations(replace(self.first.base, theta=theta), mix.view(self.first.mix.shape))

    def gradient(self, learned: Modulations, tasks: Tasks) -> tuple[Tensor, Tensor]:
        loss, *grads = modulation_gradient(self.engine, learned, tasks, self.inner)
        return loss, torch.cat([part.flatten() for part in grads])


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

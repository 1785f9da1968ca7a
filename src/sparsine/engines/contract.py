"""What every engine answers, and the checks that all share.

A field says which activation and which encoding it has; an engine says by `supports` which fields it computes, and is
never made for another.

Shapes: theta (signals, params); coords (points, dims), or (signals, points, dims) when every signal has its own;
values (signals, points, channels). Loss: mean squared error over points and channels, one number per signal.

Samples may count unequally: `weights` (points,), or (signals, points) where every signal has its own, none below 0,
multiply their squared errors. The loss is a weighted mean where the weights have the mean 1, which is the caller's to
see to (signals/weights.py). None: all count alike, to the bit as if there were no weights.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import BadInput
from sparsine.fields.forward import forward_batch
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern


class Engine(ABC):
    """Computes with one pattern. Holds no parameters, so one engine serves any number of signals."""

    name: str
    skips_pruned: ClassVar[bool] = False
    """Whether pruned weights cost no time."""
    weighs: ClassVar[bool] = False
    """Whether samples may count unequally: then `_loss_and_grad` and `_hvp` take `weights` as their last argument."""
    workspace_bytes: int = 0
    """About what a call takes on its device beside what it is given and answers."""
    has_vjp: bool = False
    """Whether `vjp` is computed by hand. If not, autograd does it, the whole grid at once."""

    def __init__(self, pattern: Pattern, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32):
        """Raises BadInput for what this engine does not support."""
        self.pattern = pattern
        self.field = pattern.field
        self.device = torch.device(device)
        self.dtype = dtype
        if reason := self.supports(self.field, self.device, dtype):
            raise BadInput(reason)

    @classmethod
    def supports(cls, field: MLP, device: torch.device, dtype: torch.dtype) -> str | None:
        """Why this engine cannot compute this, in a sentence that says what can; None if it can.

        An engine that does not say otherwise computes SIRENs alone: it may never have heard of other activations.
        """
        if field.is_siren:
            return None
        return f"engine '{cls.name}' computes SIRENs, but this field is {field.description}; engine 'dense' can do that"

    def predict(
        self, theta: Float[Tensor, "signals params"], coords: Float[Tensor, "*own points dims"], *, half: bool = False
    ) -> Float[Tensor, "signals points channels"]:
        """The field's values at the coordinates. `half`: computed in half precision, which is faster and less exact;
        what is passed and returned stays as it is. Raises BadInput where this engine cannot (`why_not_half`)."""
        self._check(theta, coords)
        if not half:
            return self._predict(theta, coords)
        if reason := self.why_not_half():
            raise BadInput(reason)
        return self._predict_half(theta, coords)

    def why_not_half(self) -> str | None:
        """Why this engine cannot draw in half precision here, in a sentence that says what can; None if it can."""
        return f"engine '{self.name}' does not draw in half precision; draw without it, or with engine 'sparse'"

    def loss_and_grad(
        self,
        theta: Float[Tensor, "signals params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        weights: Float[Tensor, "*each points"] | None = None,
    ) -> tuple[Float[Tensor, " signals"], Float[Tensor, "signals params"]]:
        """Mean squared error of each signal and its gradient with respect to that signal's theta."""
        self._check(theta, coords, values)
        return self._loss_and_grad(theta, coords, values, *self._checked_weights(values, weights))

    def loss(
        self,
        theta: Float[Tensor, "signals params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        weights: Float[Tensor, "*each points"] | None = None,
    ) -> Float[Tensor, " signals"]:
        """Mean squared error of each signal."""
        self._check(theta, coords, values)
        squares = (self._predict(theta, coords) - values).square()
        for each in self._checked_weights(values, weights, drawn_only=True):
            squares.mul_(each[..., None])
        return squares.mean(dim=(1, 2))

    def hvp(
        self,
        theta: Float[Tensor, "signals params"],
        v: Float[Tensor, "signals params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        weights: Float[Tensor, "*each points"] | None = None,
    ) -> Float[Tensor, "signals params"]:
        """Exact product of each signal's Hessian of the loss with its row of `v`."""
        self._check(theta, coords, values)
        if v.shape != theta.shape:
            raise BadInput(f"v must have theta's shape {tuple(theta.shape)}, but has {tuple(v.shape)}")
        self._check_kind("v", v)
        return self._hvp(theta, v, coords, values, *self._checked_weights(values, weights))

    def vjp(
        self,
        theta: Float[Tensor, "signals params"],
        coords: Float[Tensor, "*own points dims"],
        cotangents: Float[Tensor, "signals points channels"],
        *,
        with_coords: bool = True,
    ) -> tuple[Float[Tensor, "signals params"], Float[Tensor, "*own points dims"] | None]:
        """Gradients with respect to theta and coords of what has the gradient `cotangents` with respect to the values
        (the vector-Jacobian product). Coordinates that signals share have one gradient, the sum over all signals; it is
        None without `with_coords`, which costs less."""
        self._check(theta, coords)
        expected = (theta.shape[0], coords.shape[-2], self.field.out_features)
        if tuple(cotangents.shape) != expected:
            raise BadInput(f"cotangents must have the values' shape {expected}, but have {tuple(cotangents.shape)}")
        self._check_kind("cotangents", cotangents)
        return self._vjp(theta, coords, cotangents, with_coords)

    def _vjp(
        self, theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool
    ) -> tuple[Tensor, Tensor | None]:
        """By autograd."""
        with torch.enable_grad():
            leaves = (theta.detach().requires_grad_(), coords.detach().requires_grad_(with_coords))
            values = self.plain_values(*leaves)
            grads = torch.autograd.grad(values, leaves[: 1 + with_coords], cotangents)
        return grads[0], grads[1] if with_coords else None

    def plain_values(
        self, theta: Float[Tensor, "signals params"], coords: Float[Tensor, "*own points dims"]
    ) -> Float[Tensor, "signals points channels"]:
        """The values in plain torch operations: differentiable to any order, as slow as a dense field."""
        return forward_batch(self.field, self.pattern.scatter(theta), coords)

    @abstractmethod
    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor: ...

    def _predict_half(self, theta: Tensor, coords: Tensor) -> Tensor:
        raise NotImplementedError

    @abstractmethod
    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]: ...

    @abstractmethod
    def _hvp(
        self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> Tensor: ...

    def _checked_weights(
        self, values: Tensor, weights: Tensor | None, *, drawn_only: bool = False
    ) -> tuple[Tensor] | tuple[()]:
        """What is passed on beside the values: nothing where all samples count alike, so that an engine that cannot
        weigh is never asked to. `drawn_only`: for what every engine can answer."""
        if weights is None:
            return ()
        if not (self.weighs or drawn_only):
            raise BadInput(
                f"engine '{self.name}' cannot let samples count unequally, which these signals ask for; engine 'dense' "
                "can do that"
            )
        if tuple(weights.shape) not in (tuple(values.shape[1:2]), tuple(values.shape[:2])):
            raise BadInput(
                f"weights must be (points,) or (signals, points) = {tuple(values.shape[:2])}, but are "
                f"{tuple(weights.shape)}"
            )
        self._check_kind("weights", weights)
        return (weights,)

    def _check(self, theta: Tensor, coords: Tensor, values: Tensor | None = None) -> None:
        field, params = self.field, self.pattern.num_params
        if theta.ndim != 2 or theta.shape[1] != params:
            raise BadInput(
                f"theta must be (signals, {params}) for this pattern ({self.pattern.counts}), "
                f"but is {tuple(theta.shape)}"
            )
        if coords.ndim not in (2, 3) or coords.shape[-1] != field.in_features or coords.shape[-2] < 1:
            raise BadInput(
                f"coords must be (points, {field.in_features}) or (signals, points, {field.in_features}) "
                f"with at least one point, but are {tuple(coords.shape)}"
            )
        if coords.ndim == 3 and coords.shape[0] != theta.shape[0]:
            raise BadInput(f"coords hold {coords.shape[0]} signals but theta holds {theta.shape[0]}")
        expected = (theta.shape[0], coords.shape[-2], field.out_features)
        if values is not None and tuple(values.shape) != expected:
            raise BadInput(f"values must be (signals, points, channels) = {expected}, but are {tuple(values.shape)}")
        for name, tensor in (("theta", theta), ("coords", coords), ("values", values)):
            if tensor is not None:
                self._check_kind(name, tensor)

    def _check_kind(self, name: str, tensor: Tensor) -> None:
        if tensor.dtype != self.dtype or tensor.device.type != self.device.type:
            raise BadInput(
                f"engine '{self.name}' was made for {self.dtype} on {self.device}, but {name} is "
                f"{tensor.dtype} on {tensor.device}; convert it or make another engine"
            )

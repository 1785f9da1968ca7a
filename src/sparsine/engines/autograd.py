"""Engines inside torch: what they compute, as operators that autograd, torch.compile and vmap know.

    on_engine = AutogradEngine(make_engine(pattern))
    on_engine.values(theta, coords)         # differentiable in theta and coords
    on_engine.mse(theta, coords, values)    # loss and gradient in one go; second derivatives by hvp

Operators take tensors and plain constants, so an engine is named by a text that says what it computes
(`engines/living.py`). Gradients of `values` are the engine's vector-Jacobian products. Whatever has no kernel is
computed in plain torch operations (`fields/forward.py`), as slow as a dense field and exact to any order: derivatives
of these products, third derivatives of the loss, and everything of an engine whose products are not made by hand
(`has_vjp`).
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.engines.living import keep, living
from sparsine.errors import BadInput
from sparsine.fields.forward import forward_batch


class AutogradEngine:
    """What `engine` computes, differentiable. Shapes are those of the engine (`engines/contract.py`).

    Example:
        >>> from sparsine import Pattern, Siren
        >>> from sparsine.engines import make_engine
        >>> field = Siren(sizes=(2, 5, 1))
        >>> theta = field.initial_theta(seed=0)[None].requires_grad_()
        >>> coords = torch.rand(7, 2, requires_grad=True)
        >>> AutogradEngine(make_engine(Pattern.full(field))).values(theta, coords).sum().backward()
        >>> theta.grad.shape, coords.grad.shape
        (torch.Size([1, 21]), torch.Size([7, 2]))
    """

    def __init__(self, engine: Engine) -> None:
        self.engine, self.name = engine, keep(engine)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A pickle or a copy has an engine of its own."""
        self.__init__(state["engine"])  # type: ignore[misc]

    def values(
        self, theta: Float[Tensor, "signals params"], coords: Float[Tensor, "*own points dims"]
    ) -> Float[Tensor, "signals points channels"]:
        """Raises BadInput as `Engine.predict` does."""
        if not self.engine.has_vjp:
            self.engine._check(theta, coords)
            return self.engine.plain_values(theta, coords)
        values: Tensor = _called(_values, theta, coords, self.name)
        return values

    def mse(
        self,
        theta: Float[Tensor, "signals params"],
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
    ) -> Float[Tensor, " signals"]:
        """Mean squared error of each signal. Raises BadInput as `Engine.loss_and_grad` does.

        In theta its gradient costs what `loss_and_grad` does, and a second derivative what `hvp` does. Where coords or
        values have a gradient too, it is made of `values`.
        """
        others = torch.is_grad_enabled() and (coords.requires_grad or values.requires_grad)
        if others or not self.engine.has_vjp:
            return (self.values(theta, coords) - values).square().mean(dim=(1, 2))
        loss: Tensor = _called(_mse, theta, coords, values, self.name)[0]
        return loss


def _called(operator: Any, *args: Any) -> Any:
    """Operators of torch.library are known to autograd, torch.compile and torch.vmap; torch.func.grad and its like
    refuse them."""
    try:
        return operator(*args)
    except RuntimeError as error:
        if "functorch transforms" not in str(error):
            raise
        raise BadInput(
            "torch.func cannot differentiate an operator of torch.library; use torch.autograd.grad on theta of shape "
            "(signals, params), which has a gradient for each signal, or sparsine.fields.forward inside torch.func"
        ) from error


# ---- values ----


@torch.library.custom_op("sparsine::values", mutates_args=())
def _values(theta: Tensor, coords: Tensor, engine: str) -> Tensor:
    return living(engine).predict(theta, coords).contiguous()


@_values.register_fake
def _(theta: Tensor, coords: Tensor, engine: str) -> Tensor:
    kind = living(engine)
    kind._check(theta, coords)
    return theta.new_empty(theta.shape[0], coords.shape[-2], kind.field.out_features)


def _keep_inputs(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    """Tensors, and the engine itself: whoever made it may be gone before the backward pass."""
    *tensors, ctx.name = inputs
    ctx.save_for_backward(*tensors)
    ctx.engine = living(ctx.name)


def _values_backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
    theta, coords = ctx.saved_tensors
    of_theta, of_coords, _ = ctx.needs_input_grad
    theta_grad, coords_grad = _vjp(theta, coords, cotangents, of_coords, ctx.name)
    return theta_grad if of_theta else None, coords_grad if of_coords else None, None


_values.register_autograd(_values_backward, setup_context=_keep_inputs)


# ---- its gradients, and in plain torch operations theirs ----


@torch.library.custom_op("sparsine::vjp", mutates_args=())
def _vjp(theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool, engine: str) -> tuple[Tensor, Tensor]:
    of_theta, of_coords = living(engine).vjp(theta, coords, cotangents, with_coords=with_coords)
    return of_theta.contiguous(), coords.new_empty(0) if of_coords is None else of_coords.contiguous()


@_vjp.register_fake
def _(theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool, engine: str) -> tuple[Tensor, Tensor]:
    return theta.new_empty(theta.shape), coords.new_empty(coords.shape if with_coords else (0,))


def _keep_vjp(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    theta, coords, cotangents, ctx.with_coords, ctx.name = inputs
    ctx.save_for_backward(theta, coords, cotangents)
    ctx.engine = living(ctx.name)


def _vjp_backward(ctx: Any, u_theta: Tensor, u_coords: Tensor) -> tuple[Tensor | None, ...]:
    plain = _Plain(ctx.engine, ctx.name, u_theta)

    def product(theta: Tensor, coords: Tensor, cotangents: Tensor) -> Tensor:
        def weighted(theta: Tensor, coords: Tensor) -> Tensor:
            return (plain.values(theta, coords) * cotangents).sum()

        of_theta, of_coords = torch.func.grad(weighted, argnums=(0, 1))(theta, coords)
        total: Tensor = (of_theta * u_theta).sum()
        return total + (of_coords * u_coords).sum() if ctx.with_coords else total

    return *torch.func.grad(product, argnums=(0, 1, 2))(*ctx.saved_tensors), None, None


_vjp.register_autograd(_vjp_backward, setup_context=_keep_vjp)


class _Plain:
    """The field of an engine in plain torch operations, also where torch only traces them."""

    def __init__(self, engine: Engine, name: str, like: Tensor) -> None:
        self.field = engine.field
        self.positions = _positions(like.detach(), name)

    def values(self, theta: Tensor, coords: Tensor) -> Tensor:
        zeros = theta.new_zeros(theta.shape[0], self.field.num_weights + self.field.num_biases)
        return forward_batch(self.field, zeros.index_copy(1, self.positions, theta), coords)


@torch.library.custom_op("sparsine::positions", mutates_args=())
def _positions(like: Tensor, engine: str) -> Tensor:
    positions: Tensor = living(engine).pattern.positions.to(like.device, copy=True)
    return positions


@_positions.register_fake
def _(like: Tensor, engine: str) -> Tensor:
    return like.new_empty(living(engine).pattern.num_params, dtype=torch.int64)


# ---- loss and gradient in one go ----


@torch.library.custom_op("sparsine::mse", mutates_args=())
def _mse(theta: Tensor, coords: Tensor, values: Tensor, engine: str) -> tuple[Tensor, Tensor]:
    loss, grad = living(engine).loss_and_grad(theta, coords, values)
    return loss.contiguous(), grad.contiguous()


@_mse.register_fake
def _(theta: Tensor, coords: Tensor, values: Tensor, engine: str) -> tuple[Tensor, Tensor]:
    living(engine)._check(theta, coords, values)
    return theta.new_empty(theta.shape[0]), theta.new_empty(theta.shape)


def _keep_mse(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    theta, coords, values, ctx.name = inputs
    ctx.save_for_backward(theta, coords, values, output[1])
    ctx.set_materialize_grads(False)
    ctx.engine = living(ctx.name)


def _mse_backward(ctx: Any, of_loss: Tensor | None, of_grad: Tensor | None) -> tuple[Tensor | None, ...]:
    """The gradient is an output as well, whose own gradient is a product with the Hessian."""
    theta, coords, values, grad = ctx.saved_tensors
    parts = []
    if of_loss is not None:
        parts.append(of_loss[:, None] * grad)
    if of_grad is not None:
        parts.append(_hvp(theta, of_grad, coords, values, ctx.name))
    return sum(parts[1:], parts[0]) if parts else None, None, None, None


_mse.register_autograd(_mse_backward, setup_context=_keep_mse)


@torch.library.custom_op("sparsine::hvp", mutates_args=())
def _hvp(theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, engine: str) -> Tensor:
    product: Tensor = living(engine).hvp(theta, v, coords, values).contiguous()
    return product


@_hvp.register_fake
def _(theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, engine: str) -> Tensor:
    return theta.new_empty(theta.shape)


def _hvp_backward(ctx: Any, u: Tensor) -> tuple[Tensor | None, ...]:
    """A Hessian is symmetric: in v its product has the gradient that u has. In theta it is a third derivative."""
    theta, v, coords, values = ctx.saved_tensors
    of_theta, of_v, *_ = ctx.needs_input_grad
    plain = _Plain(ctx.engine, ctx.name, u)

    def loss(theta: Tensor) -> Tensor:
        total: Tensor = (plain.values(theta, coords) - values).square().mean(dim=(1, 2)).sum()
        return total

    def along(function: Callable[[Tensor], Tensor], direction: Tensor) -> Callable[[Tensor], Tensor]:
        def product(theta: Tensor) -> Tensor:
            total: Tensor = (torch.func.grad(function)(theta) * direction).sum()
            return total

        return product

    third = torch.func.grad(along(along(loss, v), u))(theta) if of_theta else None
    return third, _hvp(theta, u, coords, values, ctx.name) if of_v else None, None, None, None


_hvp.register_autograd(_hvp_backward, setup_context=_keep_inputs)


# ---- vmap: what it maps over becomes further signals ----


def _rows(tensor: Tensor, dim: int | None, size: int) -> Tensor:
    """(size * signals, ...)"""
    whole = tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
    return whole.reshape(-1, *whole.shape[2:])


def _own_coords(coords: Tensor, dim: int | None, size: int, signals: int) -> tuple[Tensor, bool]:
    """(size * signals, points, dims), and whether the signals of a row shared them."""
    whole = coords.expand(size, *coords.shape) if dim is None else coords.movedim(dim, 0)
    shared = whole.ndim == 3
    each = whole[:, None].expand(-1, signals, -1, -1) if shared else whole
    return each.reshape(-1, *whole.shape[-2:]), shared


def _apart(tensor: Tensor, size: int) -> Tensor:
    return tensor.reshape(size, -1, *tensor.shape[1:])


@_values.register_vmap
def _(info: Any, in_dims: Any, theta: Tensor, coords: Tensor, engine: str) -> tuple[Tensor, int]:
    size, rows = info.batch_size, _rows(theta, in_dims[0], info.batch_size)
    points, _ = _own_coords(coords, in_dims[1], size, len(rows) // size)
    values: Tensor = _values(rows, points, engine)
    return _apart(values, size), 0


@_vjp.register_vmap
def _(
    info: Any, in_dims: Any, theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool, engine: str
) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    size, rows = info.batch_size, _rows(theta, in_dims[0], info.batch_size)
    points, shared = _own_coords(coords, in_dims[1], size, len(rows) // size)
    of_theta, of_coords = _vjp(rows, points, _rows(cotangents, in_dims[2], size), with_coords, engine)
    if not with_coords:
        return (_apart(of_theta, size), of_coords.expand(size, 0)), (0, 0)
    each = _apart(of_coords, size)
    return (_apart(of_theta, size), each.sum(dim=1) if shared else each), (0, 0)


@_mse.register_vmap
def _(
    info: Any, in_dims: Any, theta: Tensor, coords: Tensor, values: Tensor, engine: str
) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    size, rows = info.batch_size, _rows(theta, in_dims[0], info.batch_size)
    points, _ = _own_coords(coords, in_dims[1], size, len(rows) // size)
    loss, grad = _mse(rows, points, _rows(values, in_dims[2], size), engine)
    return (_apart(loss, size), _apart(grad, size)), (0, 0)


@_hvp.register_vmap
def _(
    info: Any, in_dims: Any, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, engine: str
) -> tuple[Tensor, int]:
    size, rows = info.batch_size, _rows(theta, in_dims[0], info.batch_size)
    points, _ = _own_coords(coords, in_dims[2], size, len(rows) // size)
    product: Tensor = _hvp(rows, _rows(v, in_dims[1], size), points, _rows(values, in_dims[3], size), engine)
    return _apart(product, size), 0

"""A fitted vector as something to look at: at any coordinates, at any size, a part of it at any magnification."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sparsine.checks import check_memory
from sparsine.counted import counted
from sparsine.engines.autograd import AutogradEngine
from sparsine.engines.choose import drawing_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fields.forward import forward
from sparsine.signals.domain import Region, shown_shape
from sparsine.signals.sphere import Sphere, unit_vectors
from sparsine.starts.start import Start

BLOCK_POINTS = 1 << 20
"""Points drawn at a time: memory beside the drawing itself does not grow with its size."""


class FittedField:
    """One signal as its field draws it.

    Example:
        >>> from sparsine import Pattern, Siren
        >>> field = Siren(sizes=(2, 3, 1), omega_0=9.0)
        >>> start = Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(5, 7)))
        >>> fitted = FittedField(start, start.theta, (5, 7))
        >>> fitted.render().shape, fitted.render(size=(8, 8), region=(0.25, 0.25, 0.5, 0.5)).shape
        ((5, 7, 1), (8, 8, 1))
    """

    def __init__(
        self, start: Start, theta: Float[Tensor, " params"], shape: tuple[int, ...], about: dict[str, Any] | None = None
    ) -> None:
        """`shape`: samples of the signal along each axis, for an image (rows, columns). `about`: what its code keeps
        beside the numbers."""
        if theta.shape != start.theta.shape:
            raise BadInput(f"a vector of this start has {start.pattern.counts} numbers, but got {tuple(theta.shape)}")
        self.start, self.theta, self.domain = start, theta, start.domain.resized(shape)
        self.about = dict(about or {})
        self._engines: dict[tuple[str, str, bool], Engine] = {}

    def __repr__(self) -> str:
        channels = counted(self.start.field.out_features, "channel")
        return f"FittedField({shown_shape(self.shape)}, {channels}, {self.start.pattern.described})"

    def __getstate__(self) -> dict[str, Any]:
        """Engines stay: whoever gets a pickle or a copy makes those that are the fastest there."""
        return {**self.__dict__, "_engines": {}}

    @property
    def shape(self) -> tuple[int, ...]:
        return self.domain.shape

    def __call__(self, coords: Any, longitude: Any = None) -> np.ndarray:
        """Values (..., channels), float32, at coordinates (..., dims), which are those of the start's grid. Of a field
        on a sphere also as field(latitude, longitude), in degrees, numbers or arrays: then in the unit of its kind."""
        if longitude is not None:
            return self.start.kind.in_unit(self(self._unit_vectors(coords, longitude)))
        plain = coords.detach().cpu() if isinstance(coords, Tensor) else coords
        given = torch.as_tensor(np.asarray(plain, dtype=np.float32))
        if given.ndim < 1 or given.shape[-1] != self.start.field.in_features:
            raise BadInput(
                f"coordinates of this field must be (..., {self.start.field.in_features}), but are {tuple(given.shape)}"
            )
        channels = self.start.field.out_features
        if given.numel() == 0:
            return np.empty((*given.shape[:-1], channels), np.float32)
        values = self._engine("auto", "cpu").predict(self.theta[None], given.reshape(-1, given.shape[-1]))
        return values[0].reshape(*given.shape[:-1], channels).numpy()

    def _unit_vectors(self, latitude: Any, longitude: Any) -> Tensor:
        if not isinstance(self.domain, Sphere):
            raise BadInput("this field does not lie on a sphere; give its coordinates, (..., dims)")
        both = np.broadcast_arrays(np.asarray(latitude, np.float64), np.asarray(longitude, np.float64))
        if not (np.isfinite(both).all() and np.abs(both[0]).max(initial=0) <= 90):
            raise BadInput("latitudes must run from -90 to 90 degrees and longitudes be finite; some given ones do not")
        return unit_vectors(*(torch.from_numpy(np.array(degrees)) for degrees in both))

    def render(
        self,
        size: tuple[int, ...] | None = None,
        region: Region | None = None,
        *,
        engine: str = "auto",
        device: str = "cpu",
        half: bool = False,
    ) -> np.ndarray:
        """A drawing (*size, channels), float32.

        Args:
            size: samples along each axis; None is the signal's own number of them in the region, at least 1.
            region: (y0, x0, y1, x1) as fractions of the picture; None is all of it. Samples lie where a whole drawing
                of the same magnification has them.
            half: compute it in half precision, where the processor can: faster, and less exact (docs/engines.md).

        Raises:
            BadInput: a region that is not within 0 and 1, a size below 1, or one that memory cannot hold; half
                precision where there is none.
        """
        domain = self.domain.drawn(size, region)
        channels = self.start.field.out_features
        check_memory("the drawing", 4 * domain.num_points * channels, "draw it smaller, or a region of it")
        computer = self._engine(engine, device, half)
        theta = self.theta.to(device)[None]
        drawing = np.empty((domain.num_points, channels), np.float32)
        for first in range(0, domain.num_points, BLOCK_POINTS):
            last = min(first + BLOCK_POINTS, domain.num_points)
            coords = domain.coords_between(first, last, device=device)
            drawing[first:last] = computer.predict(theta, coords, half=half)[0].cpu()
        return drawing.reshape(*domain.shape, channels)

    def slabs(
        self,
        size: tuple[int, ...] | None = None,
        region: Region | None = None,
        *,
        engine: str = "auto",
        device: str = "cpu",
        half: bool = False,
    ) -> Iterator[np.ndarray]:
        """What `render` draws, in parts along the first axis: in memory for one part, whatever the size of the whole.

        Raises:
            BadInput: as `render` does.
        """
        domain = self.domain.drawn(size, region)
        computer, theta = self._engine(engine, device, half), self.theta.to(device)[None]
        per_slab = domain.num_points // domain.shape[0]
        step = max(1, BLOCK_POINTS // per_slab)
        for first in range(0, domain.shape[0], step):
            last = min(first + step, domain.shape[0])
            coords = domain.coords_between(first * per_slab, last * per_slab, device=device)
            values = computer.predict(theta, coords, half=half)[0].cpu().numpy()
            yield values.reshape(last - first, *domain.shape[1:], -1)

    def as_module(self, dtype: torch.dtype = torch.float32) -> "FieldModule":
        """The field as a torch module, differentiable to any order; in float32 the engine computes it."""
        engine = self._engine("auto", "cpu") if dtype == torch.float32 else None
        return FieldModule(self.start, self.theta.to(dtype), engine)

    def _engine(self, name: str, device: str, half: bool = False) -> Engine:
        if (name, device, half) not in self._engines:
            self._engines[name, device, half] = drawing_engine(self.start.pattern, name, device=device, half=half)
        return self._engines[name, device, half]


class FieldModule(nn.Module):
    """Coordinates (..., dims) to values (..., channels). Its one parameter is the vector `theta`; a pruned weight has
    no place in it and stays 0 whatever is learned.

    In float32 on the CPU values and first derivatives are the engine's, and so are second derivatives of `mse`; the
    rest is computed in plain torch operations, as a dense field.
    """

    def __init__(self, start: Start, theta: Float[Tensor, " params"], engine: Engine | None = None) -> None:
        super().__init__()
        self.pattern = start.pattern
        self.theta = nn.Parameter(theta.detach().clone())
        self._on_engine = AutogradEngine(engine) if engine is not None and engine.has_vjp else None

    def forward(self, coords: Float[Tensor, "... dims"]) -> Float[Tensor, "... channels"]:
        """Raises BadInput for coordinates of another number, type or device than the field's."""
        self._check(coords)
        if self._on_engine is None or not self._suits(coords):
            return forward(self.pattern, self.theta, coords)
        values = self._on_engine.values(self.theta[None], coords.reshape(-1, coords.shape[-1]))
        return values.reshape(*coords.shape[:-1], values.shape[-1])

    def mse(self, coords: Float[Tensor, "... dims"], values: Float[Tensor, "... channels"]) -> Float[Tensor, ""]:
        """Mean squared error: one pass for loss and gradient, where `forward` and a loss of yours take two."""
        self._check(coords)
        expected = (*coords.shape[:-1], self.pattern.field.out_features)
        if values.shape != expected:
            raise BadInput(f"values at these coordinates must be {expected}, but are {tuple(values.shape)}")
        if self._on_engine is None or not self._suits(coords):
            return (forward(self.pattern, self.theta, coords) - values).square().mean()
        points = coords.reshape(-1, coords.shape[-1])
        return self._on_engine.mse(self.theta[None], points, values.reshape(1, -1, values.shape[-1]))[0]

    def _suits(self, coords: Tensor) -> bool:
        """A module can be moved and converted, and asked for no points at all."""
        return self.theta.dtype == torch.float32 and self.theta.device.type == "cpu" and coords.numel() > 0

    def _check(self, coords: Tensor) -> None:
        dims = self.pattern.field.in_features
        if coords.ndim < 1 or coords.shape[-1] != dims:
            raise BadInput(f"coordinates of this field must be (..., {dims}), but are {tuple(coords.shape)}")
        if coords.dtype != self.theta.dtype or coords.device != self.theta.device:
            raise BadInput(
                f"this module is {self.theta.dtype} on {self.theta.device}, but coordinates are {coords.dtype} on "
                f"{coords.device}; convert them, or the module by .to(...)"
            )

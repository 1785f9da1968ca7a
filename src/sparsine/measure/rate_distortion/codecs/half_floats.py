"""COIN's way: a small dense field for each picture, fitted from random numbers, stored as float16 (Dupont et al.,
'COIN: COmpression with Implicit Neural representations', 2021, arXiv 2103.03123).

The file: "F16N", number of neuron layers (a byte), neurons of each (uint16), omega_0 (float32), rows and columns
(uint16), then the weights of each layer and the biases of each as float16, all little-endian.
"""

import struct
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.fields.siren import Siren
from sparsine.fitting.fit import FitConfig, Objective, fit
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.pictures import Measured, Picture, as_picture, measured
from sparsine.signals.grid import Grid

MAGIC = b"F16N"


def pack(field: MLP, theta: Float[Tensor, " params"], shape: tuple[int, int]) -> bytes:
    """The file of one fitted field. Raises BadInput for what it cannot say."""
    if not field.is_siren or field.output_offset:
        raise BadInput(f"a file of half floats holds a SIREN without an output offset, but this is {field.description}")
    sizes = struct.pack(f"<B{len(field.sizes)}H", len(field.sizes), *field.sizes)
    return MAGIC + sizes + struct.pack("<f2H", field.omega_0, *shape) + theta.numpy().astype("<f2").tobytes()


def unpack(data: bytes) -> tuple[MLP, Float[Tensor, " params"], tuple[int, int]]:
    """What `pack` was given, with theta as float16 tells it."""
    (count,) = struct.unpack_from("<B", data, len(MAGIC))
    *sizes, omega_0, rows, columns = struct.unpack_from(f"<{count}Hf2H", data, len(MAGIC) + 1)
    begin = len(MAGIC) + 1 + 2 * count + 8
    theta = torch.from_numpy(np.frombuffer(data, "<f2", offset=begin).astype(np.float32))
    return Siren(sizes=tuple(sizes), omega_0=omega_0), theta, (rows, columns)


def draw(data: bytes, engine: Engine) -> Picture:
    """The picture of a file; `engine` is one of its full pattern."""
    _, theta, shape = unpack(data)
    values = engine.predict(theta[None], Grid(shape=shape).coords())[0]
    return as_picture(values.reshape(*shape, -1).numpy())


def measure_half_floats(
    originals: list[Picture], width: int, config: RateDistortionConfig
) -> dict[int, list[Measured]]:
    """By number of steps: one for each of the pictures, which have one shape and are fitted together."""
    field = Siren(sizes=(2, *[width] * config.coin_depth, 3), omega_0=config.coin_omega_0)
    engine = make_engine(Pattern.full(field))
    shape = originals[0].shape[:2]
    found: dict[int, list[Measured]] = {}
    for steps, (thetas, seconds) in _fits(engine, field, originals, config).items():
        encoded = [pack(field, theta, (shape[0], shape[1])) for theta in thetas]
        found[steps] = [_decoded(original, data, engine, seconds / len(originals))
                        for original, data in zip(originals, encoded, strict=True)]  # fmt: skip
    return found


def _fits(
    engine: Engine, field: MLP, originals: list[Picture], config: RateDistortionConfig
) -> dict[int, tuple[Tensor, float]]:
    """By number of steps: vectors (signals, params), and seconds since the fit began."""
    values = torch.from_numpy(np.stack(originals).reshape(len(originals), -1, 3).astype(np.float32) / 255)
    seen: dict[int, tuple[Tensor, float]] = {}
    began = perf_counter()

    def see(step: int, _: Objective, theta: Tensor) -> None:
        seen[step] = theta.clone(), perf_counter() - began

    how = FitConfig(steps=config.coin_steps[-1], lr=config.coin_lr, report=config.coin_steps, points=config.fit.points,
                    points_seed=config.fit.points_seed)  # fmt: skip
    coords = Grid(shape=originals[0].shape[:2]).coords()
    fit(engine, field.initial_theta(config.seed), coords, values, how, see)
    return seen


def _decoded(original: Picture, data: bytes, engine: Engine, encode_seconds: float) -> Measured:
    began = perf_counter()
    decoded = draw(data, engine)
    return measured(original, decoded, len(data), encode_seconds, perf_counter() - began)

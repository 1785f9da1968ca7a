"""A start reparametrised: the same drawing, with its samples at other coordinates and nothing added to its output.

What it draws stays the same, what is learned from it does not: the weights that meet a coordinate half as large are
twice as small, and pruning and gradients see that.
"""

from dataclasses import replace

import torch

from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.signals.domain import Domain
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start


def reparametrised(start: Start, domain: Domain) -> Start:
    """`start` for the samples of `domain`, with output offset 0.

    Raises:
        BadInput: another number of samples on an axis, fewer than two, or another order of the axes; a field that
            encodes its coordinates, whose frequencies stay where they are.
    """
    old, field = start.domain, start.field
    if field.encoded_width is not None:
        raise BadInput(
            f"the coordinates of a field with {field.encoding.description} cannot be written in another way: its "
            "encoding is fixed, and no weight stands between it and the coordinates; keep the grid of the start"
        )
    if not (isinstance(old, Grid) and isinstance(domain, Grid)):
        raise BadInput("only a lattice has coordinates that can be chosen anew; this start is for other samples")
    if old.shape != domain.shape or old.axis_order != domain.axis_order or min(domain.shape) < 2:
        raise BadInput(
            f"a start for a grid of {old.shape} samples ({old.axis_order}) cannot be reparametrised for {domain.shape} "
            f"({domain.axis_order}); both must have the same, and two at least on each axis"
        )
    scale, shift = _affine(old, domain)
    dense = start.pattern.scatter(start.theta[None])[0].to(torch.float64, copy=True)
    n_out, n_in = field.layer_shapes[0]
    first = dense[: n_out * n_in].view(n_out, n_in)
    biases = dense[field.num_weights :]
    biases[:n_out] += first @ shift
    first *= scale
    biases[-field.out_features :] += field.output_offset
    pattern = Pattern(replace(field, output_offset=0.0), start.pattern.keep)
    return Start(pattern, pattern.gather(dense.float()[None])[0], domain, start.info, kind=start.kind)


def _affine(old: Grid, new: Grid) -> tuple[torch.Tensor, torch.Tensor]:
    """(scale, shift) with old = scale * new + shift, for each coordinate: samples are evenly spaced on every axis."""
    pairs = [(old.axis(i), new.axis(i)) for i in range(old.num_axes)]
    if old.axis_order == "reversed":
        pairs = pairs[::-1]
    scale = torch.stack([(a[-1] - a[0]) / (b[-1] - b[0]) for a, b in pairs])
    return scale, torch.stack([a[0] for a, _ in pairs]) - scale * torch.stack([b[0] for _, b in pairs])

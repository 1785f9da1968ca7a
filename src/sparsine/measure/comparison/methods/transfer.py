"""A start that was learned on another data set: 'a winning ticket can be transferred' (Lee et al., section 4)."""

from dataclasses import replace

import torch

from sparsine.fields.pattern import Pattern
from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact
from sparsine.signals.kind import VALUES, Kind
from sparsine.starts.start import Start


class Transfer(Method):
    """Meta-SparseINR of the data set `source`, fitted to the signals of the cell's."""

    family: Family = "transfer"

    def __init__(self, source: str):
        self.name, self.label, self.source = f"transfer-{source}", f"start learned on {source}", source

    def levels(self, plan: Plan) -> list[Level]:
        return super().levels(plan) if plan.data != self.source else []

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        assert level.round is not None
        return [plan.on(self.source).chain("magnitude").at(level.round)]

    def fitted_model(self, context: Context) -> FittedModel:
        dataset = context.plan.dataset
        return FromStart(with_channels(context.starts[0], dataset.num_channels, dataset.kind))


def with_channels(start: Start, channels: int, kind: Kind = VALUES) -> Start:
    """The start with as many outputs, for signals of another kind: the outputs it has, in turn. Where it has three and
    one is wanted, the first."""
    field = start.field
    if field.out_features == channels:
        return replace(start, kind=kind)
    dense, keep = start.pattern.scatter(start.theta[None])[0], start.pattern.keep
    n_out, n_in = field.layer_shapes[-1]
    body = field.num_weights - n_out * n_in
    rows = torch.arange(channels) % n_out
    new_field = replace(field, sizes=(*field.sizes[:-1], channels))
    new_keep = torch.cat([keep[:body], keep[body:].view(n_out, n_in)[rows].reshape(-1)])
    weights, biases = dense[: field.num_weights], dense[field.num_weights :]
    new_dense = torch.cat([
        weights[:body], weights[body:].view(n_out, n_in)[rows].reshape(-1), biases[:-n_out], biases[-n_out:][rows],
    ])  # fmt: skip
    pattern = Pattern(new_field, new_keep)
    return Start(pattern, pattern.gather(new_dense[None])[0], start.domain, start.info, kind=kind)

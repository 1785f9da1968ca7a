"""What is exported, and what every format answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparsine.errors import BadInput
from sparsine.export.cut import Cut, cut
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures, Identity
from sparsine.fitting.fitted_field import FittedField
from sparsine.lazy import cached_property

KNOWN = (Sine, Finer, Gauss, Relu)
"""Activations whose formulas the formats can write down. Subclasses and others may compute anything."""


@dataclass(frozen=True)
class Exported:
    """One field, by its name."""

    name: str
    drawn: FittedField

    @cached_property
    def cut(self) -> Cut:
        return cut(self.drawn.start.pattern, self.drawn.theta)

    @property
    def about(self) -> dict[str, Any]:
        """Plain JSON values: what it is, and where its samples lie."""
        start = self.drawn.start
        return {"name": self.name, "field": start.field.to_dict(), "start": start.digest,
                "weights": start.pattern.num_weights, "kind": start.kind.to_dict(),
                "samples": self.drawn.domain.to_dict()}  # fmt: skip


@dataclass(frozen=True)
class Format:
    """One of the formats: a name of `--to`."""

    suffix: str
    write: Callable[[Exported], bytes]
    """Raises BadInput for a field that it cannot hold."""
    note: Callable[[Exported], str] = lambda exported: ""
    """What to tell afterwards, such as how the file is loaded."""


def check_formula(exported: Exported, what: str) -> None:
    """Raises BadInput unless the field's activation and encoding can be written down in a few lines."""
    field = exported.cut.field
    if type(field.activation) not in KNOWN:
        refuse(what, f"the activation {field.activation.name!r} has no formula there")
    if type(field.encoding) not in (Identity, FourierFeatures):
        refuse(what, f"the encoding {field.encoding.name!r} has no formula there")


def refuse(what: str, because: str) -> None:
    """Raises BadInput."""
    raise BadInput(f"{what} cannot hold this field, because {because}")

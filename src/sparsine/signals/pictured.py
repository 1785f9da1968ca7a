"""A signal as a picture, also where its samples lie scattered."""

import numpy as np
from jaxtyping import Float

from sparsine.signals.domain import Domain
from sparsine.signals.kind import Kind, Picture

MOST_DRAWN = 1 << 22
"""Samples of a drawing that is made to be looked at; of more a coarser one is made."""
EDGE = 128
"""Of such a coarser one, along its longest axis."""


def drawn_to_look_at(kind: Kind, domain: Domain) -> tuple[int, ...]:
    """How many samples to draw of a field for a picture of it."""
    shape = domain.drawn_shape
    return shape if np.prod(shape) <= MOST_DRAWN else kind.preview_shape(shape, EDGE)


def pictured(
    kind: Kind,
    domain: Domain,
    values: Float[np.ndarray, "*axes channels"],
    coords: Float[np.ndarray, "points coords"] | None = None,
) -> Picture:
    """A signal as its kind shows it, scattered samples on a lattice."""
    return kind.picture(on_a_lattice(kind, domain, values, coords))


def on_a_lattice(
    kind: Kind,
    domain: Domain,
    values: Float[np.ndarray, "*axes channels"],
    coords: Float[np.ndarray, "points coords"] | None = None,
) -> Float[np.ndarray, "*shown channels"]:
    """Values to look at: of scattered samples a lattice, each point of it with the value of the nearest sample."""
    if coords is None:
        return values
    from scipy.spatial import cKDTree  # slow to import

    lattice = domain.drawn(drawn_to_look_at(kind, domain))
    _, nearest = cKDTree(coords).query(lattice.coords().numpy())
    on_it: np.ndarray = values[nearest].reshape(*lattice.shape, -1)
    return on_it

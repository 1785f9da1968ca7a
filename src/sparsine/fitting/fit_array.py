"""One signal that is at hand as an array, fitted: no data set, no folder, no file."""

import numpy as np

from sparsine.errors import BadInput
from sparsine.fitting.collection import fit_collection
from sparsine.fitting.config import FitConfig
from sparsine.fitting.fitted_field import FittedField
from sparsine.signals.dataset import SignalSet, check_index
from sparsine.signals.values import Given, as_values
from sparsine.starts.start import Start


def fit_array(
    start: Start,
    array: Given,
    config: FitConfig | None = None,
    *,
    coords: np.ndarray | None = None,
    engine: str = "auto",
    device: str = "cpu",
) -> FittedField:
    """The field of one signal, fitted from `start` by its plan, or by the paper's protocol where it has none.

    Args:
        array: (*shape, channels) in the range of the start's kind, as `encode` takes it: brightness from 0 to 1, for
            instance; of images also uint8, uint16 and PIL images.
        config: what it says comes before the plan: `FitConfig(effort="instant")`, `FitConfig(steps=20)`.
        coords: (points, coords) of the samples, where the start draws scattered points.

    Raises:
        BadInput: a signal that does not belong to the start or whose values are of another range; a fit that diverges.

    Example:
        >>> from sparsine import Grid, Pattern, Siren
        >>> field = Siren(sizes=(2, 6, 1), omega_0=9.0)
        >>> start = Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(5, 7)))
        >>> fit_array(start, np.zeros((5, 7, 1), np.float32), FitConfig(steps=3)).render((10, 14)).shape
        (10, 14, 1)
    """
    values = as_values(array, start.kind)
    if (coords is not None) != start.domain.own_coords:
        raise BadInput("coordinates of samples go with a start of scattered points, and with no other")
    one = _OneSignal(values, None if coords is None else np.asarray(coords, np.float32))
    (fitted,) = fit_collection(start, one, config or FitConfig(), engine=engine, device=device)
    if fitted.status != "ok" or fitted.theta is None:
        raise BadInput(f"the array could not be fitted: {fitted.reason.removeprefix(f'{one.name(0)}: ')}")
    return FittedField(start, fitted.theta, values.shape[:-1])


class _OneSignal(SignalSet):
    def __init__(self, values: np.ndarray, coords: np.ndarray | None) -> None:
        self.values, self.coords = values, coords

    def __len__(self) -> int:
        return 1

    def name(self, index: int) -> str:
        check_index(index, 1)
        return "array"

    def load(self, index: int) -> np.ndarray:
        check_index(index, 1)
        return self.values.copy()

    def coords_of(self, index: int, places: np.ndarray | None = None) -> np.ndarray | None:
        return self.coords if self.coords is None or places is None else self.coords[places]

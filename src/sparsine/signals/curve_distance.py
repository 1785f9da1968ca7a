"""The exact signed distance to a smooth star-shaped curve.

The plane is written in complex numbers, row coordinate + i * column coordinate. With z = exp(i t),

    r(t) = 1 + Re sum_k h_k z^k,    u(t) = r(t) z,    c(t) = plain * u + mirrored * conj(u) + centre

where the last step is any invertible linear map and a shift. Nearest points: dense samples give candidates, then
Newton's method on the derivative of |c(t) - p|^2, kept inside a bracket.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

NUM_SAMPLES = 256
_NUM_STEPS = 6
_POINTS_AT_ONCE = 8192  # bounds the table of squared distances at 16 MB


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """See the head of the file. The sum of |harmonics| must be below 1."""

    harmonics: Complex[np.ndarray, " num_harmonics"]
    """h_k for k = 1, 2, ..."""
    plain: complex
    mirrored: complex
    centre: complex

    def points(self, t: Float[np.ndarray, " n"]) -> Complex[np.ndarray, " n"]:
        z = np.exp(1j * t)
        return self._mapped(_polynomial(self.harmonics, z).real * z + z) + self.centre

    def points_and_derivatives(
        self, t: Float[np.ndarray, " n"]
    ) -> tuple[Complex[np.ndarray, " n"], Complex[np.ndarray, " n"], Complex[np.ndarray, " n"]]:
        """c, c' and c''."""
        z = np.exp(1j * t)
        ik = 1j * np.arange(1, len(self.harmonics) + 1)
        r, dr, ddr = (_polynomial(self.harmonics * ik**order, z).real for order in (0, 1, 2))
        r = r + 1.0
        return (
            self._mapped(r * z) + self.centre,
            self._mapped((dr + 1j * r) * z),
            self._mapped((ddr - r + 2j * dr) * z),
        )

    def contains(self, points: Complex[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Whether each point lies inside: undo the linear map and compare with r."""
        moved = points - self.centre
        determinant = abs(self.plain) ** 2 - abs(self.mirrored) ** 2
        u = (np.conj(self.plain) * moved - self.mirrored * np.conj(moved)) / determinant
        length = np.abs(u)
        z = np.where(length > 0, u, 1.0) / np.where(length > 0, length, 1.0)
        inside: Bool[np.ndarray, " n"] = length < 1.0 + _polynomial(self.harmonics, z).real
        return inside

    def _mapped(self, u: Complex[np.ndarray, " n"]) -> Complex[np.ndarray, " n"]:
        mapped: Complex[np.ndarray, " n"] = self.plain * u + self.mirrored * np.conj(u)
        return mapped


def signed_distance(
    curve: Curve, rows: Float[np.ndarray, " rows"], columns: Float[np.ndarray, " columns"]
) -> Float[np.ndarray, "rows columns"]:
    """Distance from each point (rows[i], columns[j]) to the curve, negative inside; float64.

    Exact to rounding, except near centres of curvature, where the nearest points of a point come close together:
    there the distance is at most 1e-8 too large.
    """
    step = max(1, _POINTS_AT_ONCE // len(columns))
    return np.concatenate([_signed_distance(curve, rows[i : i + step], columns) for i in range(0, len(rows), step)])


def _signed_distance(
    curve: Curve, rows: Float[np.ndarray, " rows"], columns: Float[np.ndarray, " columns"]
) -> Float[np.ndarray, "rows columns"]:
    points = (rows[:, None] + 1j * columns[None, :]).reshape(-1)
    which, start = _candidates(curve, rows, columns)
    nearest = np.full(len(points), np.inf)
    np.minimum.at(nearest, which, _refined(curve, points[which], start))
    distance = np.where(curve.contains(points), -nearest, nearest)
    return distance.reshape(len(rows), len(columns))


def _candidates(
    curve: Curve, rows: Float[np.ndarray, " rows"], columns: Float[np.ndarray, " columns"]
) -> tuple[Int[np.ndarray, " candidates"], Float[np.ndarray, " candidates"]]:
    """(which point, parameter): the sampled local minima of the distance that may hide the global one."""
    h = 2.0 * np.pi / NUM_SAMPLES
    t = h * np.arange(NUM_SAMPLES)
    c, dc, ddc = curve.points_and_derivatives(t)
    squared = np.square(rows[:, None] - c.real)[:, None, :] + np.square(columns[:, None] - c.imag)[None, :, :]
    squared = squared.reshape(-1, NUM_SAMPLES)
    least = squared.min(axis=1)
    # A nearest point lies within h/2 of a sample, whose squared distance is greater by at most (h/2)^2 F''/2,
    # where F'' / 2 = |c'|^2 + (c - p).c''. A tenth is added, since the maxima are taken over samples.
    slack = 1.1 * (h / 2) ** 2 * (np.abs(dc).max() ** 2 + (np.sqrt(least) + h * np.abs(dc).max()) * np.abs(ddc).max())
    which, sample = np.nonzero(squared <= (least + slack)[:, None])
    here = squared[which, sample]
    lowest = (here <= squared[which, sample - 1]) & (here <= squared[which, (sample + 1) % NUM_SAMPLES])
    return which[lowest], t[sample[lowest]]


def _refined(
    curve: Curve, points: Complex[np.ndarray, " n"], start: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Least distance found near `start`, by Newton's method with bisection where Newton would leave the bracket."""
    h = 2.0 * np.pi / NUM_SAMPLES
    low, high, t = start - h, start + h, start
    best = np.full(len(points), np.inf)
    for _ in range(_NUM_STEPS):
        c, dc, ddc = curve.points_and_derivatives(t)
        away = c - points
        best = np.minimum(best, np.abs(away))
        slope = away.real * dc.real + away.imag * dc.imag
        bend = np.square(dc.real) + np.square(dc.imag) + away.real * ddc.real + away.imag * ddc.imag
        low, high = np.where(slope < 0, t, low), np.where(slope > 0, t, high)
        step = t - slope / np.where(bend > 0, bend, 1.0)
        t = np.where((bend > 0) & (step > low) & (step < high), step, (low + high) / 2)
    least: Float[np.ndarray, " n"] = np.minimum(best, np.abs(curve.points(t) - points))
    return least


def _polynomial(
    coefficients: Complex[np.ndarray, " degree"], z: Complex[np.ndarray, " n"]
) -> Complex[np.ndarray, " n"]:
    """sum_k coefficients[k - 1] z^k, by Horner's rule."""
    total = np.zeros_like(z)
    for coefficient in coefficients[::-1]:
        total = (total + coefficient) * z
    return total

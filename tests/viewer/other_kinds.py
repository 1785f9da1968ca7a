"""Small folders of codes of signals that are no pictures, with their originals."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from small_problems import field_of, random_pattern

from sparsine.codec import EncodeConfig, encode_batch
from sparsine.fitting.fit import FitConfig
from sparsine.signals import SOURCES, Dataset, Grid, Kind, Media, Points, Source, Sphere
from sparsine.signals.kinds import Audio, Shape, Video
from sparsine.starts.start import Start
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.config import ViewerConfig
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.originals import Originals
from sparsine.viewer.starts import Starts

RATE, FRAME_RATE = 4000, 10.0


@dataclass(frozen=True, kw_only=True)
class Unseen(Kind):
    """Has no picture, and would play a page."""

    name: ClassVar[str] = "unseen"

    def picture(self, values, spacing=None):
        raise NotImplementedError

    def media(self, values):
        return Media(b"<script>alert(1)</script>", "text/html")


DOMAINS = {
    "sound": (Grid(shape=(301,)), Audio(rate=RATE)), "volume": (Grid(shape=(5, 6, 7)), Kind()),
    "globe": (Sphere(shape=(6, 9)), Kind()), "cloud": (Points(shape=(40,), extent=((-1, 1), (0, 2), (-3, 0))), Kind()),
    "solid": (Grid(shape=(9, 8, 10)), Shape()),
    "unseen": (Grid(shape=(23,)), Unseen()), "video": (Grid(shape=(5, 12, 15)), Video(rate=FRAME_RATE)),
}  # fmt: skip


def start_of(name, channels=1):
    domain, kind = DOMAINS[name]
    pattern = random_pattern(field_of(domain.num_coords, 9, 8, channels, omega_0=8.0), 0.8, 0)
    return Start(pattern, pattern.gather(pattern.field.initial_theta(0)[None])[0], domain, kind=kind)


def signals_of(name, count=2):
    """(values, coordinates or None) of each."""
    rng, domain = np.random.default_rng(3), DOMAINS[name][0]
    values = [(0.5 * np.sin(np.linspace(0, 9 + i, domain.num_points))).astype(np.float32) for i in range(count)]
    coords = [rng.uniform(0, 1, (domain.num_points, 3)).astype(np.float32) for _ in range(count)]
    values = [abs(v) if name == "video" else v for v in values]
    return [
        (v.reshape(*domain.shape, 1), c if domain.own_coords else None) for v, c in zip(values, coords, strict=True)
    ]


def catalogue_of(tmp_path, name, monkeypatch=None, **config):
    start, signals = start_of(name), signals_of(name)
    given = [coords for _, coords in signals] if DOMAINS[name][0].own_coords else None
    encode = EncodeConfig(fit=FitConfig(steps=3, report=()))
    for number, made in enumerate(encode_batch(start, [values for values, _ in signals], encode, coords=given)):
        (tmp_path / f"array-{number}.spn").write_bytes(made.data)
    originals = None
    if monkeypatch is not None:
        monkeypatch.setitem(SOURCES, "made", Source("made, up", lambda *_: dataset_of(name), has_files=False))
        originals = Originals("made", start, room=1 << 20)
    return Catalogue(CodeFolder(tmp_path), Starts([("start", start)]), originals, ViewerConfig(**config))


def dataset_of(name):
    (domain, kind), signals = DOMAINS[name], signals_of(name)
    coords = [where for _, where in signals] if domain.own_coords else None
    names = [f"array-{number}" for number in range(len(signals))]
    return Dataset.from_arrays([v for v, _ in signals], kind, names=names, domain=domain, coords=coords)

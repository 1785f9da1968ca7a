"""An original is found by the name that its code has."""

import numpy as np
import pytest

from sparsine.signals import Dataset
from sparsine.signals.kinds import Audio
from sparsine.viewer.originals import NamedSignals


@pytest.mark.parametrize(
    ("name", "code"), [("a.wav", "a"), ("long.WAV@1", "long_1"), ("c.flac", "c"), ("d.png", "d"), ("e", "e")]
)
def test_a_code_of_which_nothing_is_noted_finds_the_sound_of_its_name(name, code):
    silence = np.zeros((1, 20, 1), np.float32)
    dataset = Dataset.from_arrays(silence, Audio(rate=8000), names=[name], val=silence, test=silence)
    named = NamedSignals(dataset.train, Audio().all_suffixes)
    assert named.index(code, None) == 0
    assert named.index(f"{code}x", None) is None

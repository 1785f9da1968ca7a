"""How far it is from a signal to its bytes: the calls and the modules that somebody reads who follows it."""

import inspect
from pathlib import Path

import numpy as np
from codec_problems import make_start

import sparsine
from sparsine.codec import EncodeConfig, coder, encode
from sparsine.fitting.config import FitConfig

PACKAGE = Path(sparsine.__file__).parent


def test_from_a_signal_to_its_bytes_are_at_most_eight_calls_in_five_modules(monkeypatch):
    seen = []
    encode_numbers = coder.encode_numbers

    def spy(*args):
        frames = [frame for frame in inspect.stack(0) if Path(frame.filename).is_relative_to(PACKAGE)]
        calls = [(Path(frame.filename).stem, frame.function) for frame in reversed(frames) if "<" not in frame.function]
        seen.append([*calls, ("entropy", "encode_numbers")])
        return encode_numbers(*args)

    monkeypatch.setattr(coder, "encode_numbers", spy)
    start = make_start()
    config = EncodeConfig(fit=FitConfig(steps=2, report=()), rounded_steps=0)
    data = encode(start, np.full((*start.domain.shape, start.field.out_features), 0.25, np.float32), config)
    assert data
    calls = seen[-1]
    assert calls[0] == ("encode", "encode")
    assert 5 <= len(calls) <= 8, calls
    assert len({module for module, _ in calls}) <= 5, calls

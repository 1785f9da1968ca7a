"""Descriptions become the same bytes everywhere: what the hash of a start stands on."""

import struct

import numpy as np
import pytest
import second_decoder
from codec_problems import make_start

from sparsine.codec.format.identity import canonical, described
from sparsine.errors import BadInput


def test_the_bytes_are_those_that_the_page_says():
    value = {"b": [True, None, "\u00fc"], "a": 1.5}
    expected = b"o\2\0\0\0" + b"s\1\0\0\0a" + b"d" + struct.pack("<d", 1.5)
    expected += b"s\1\0\0\0b" + b"l\3\0\0\0" + b"tn" + b"s\2\0\0\0\xc3\xbc"
    assert canonical(value) == expected


def test_whole_numbers_and_floats_of_one_value_are_the_same():
    assert canonical({"omega": 200, "sizes": (1, 2)}) == canonical({"sizes": [1.0, 2.0], "omega": 200.0})


def test_the_second_decoder_writes_descriptions_alike():
    told = described(make_start())
    assert canonical(told) == second_decoder.canonical({**told, "field": dict(told["field"])})


@pytest.mark.parametrize("value", [float("nan"), 2**53 + 1, np.float32(1), b"bytes", {1, 2}])
def test_what_has_no_one_form_is_refused(value):
    with pytest.raises(BadInput, match="part of what is hashed"):
        canonical([value])

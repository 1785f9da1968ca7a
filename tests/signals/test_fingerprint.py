"""A fingerprint is another one when the signal is, and the same whatever the clock, the place and the name say."""

import os
import shutil

import numpy as np
import pytest
from small_problems import MadeUpSignals
from test_image_folder import put

from sparsine.signals import open_dataset, open_files
from sparsine.signals.cache import Cached
from sparsine.signals.fingerprint import PIECES, UNREADABLE, WHOLE, fingerprint_file


@pytest.mark.parametrize("size", [1, 777, WHOLE, WHOLE + 1, WHOLE + 13, 3 * WHOLE + 5])
def test_another_file_of_the_same_length_is_noticed(tmp_path, size):
    content = bytes(np.random.default_rng([size]).integers(0, 256, size, dtype=np.uint8))
    path = tmp_path / "x"
    path.write_bytes(content)
    first = fingerprint_file(path)
    piece = WHOLE // PIECES
    looked_at = {0, size - 1, *([size // 2] if size <= WHOLE else [(size - piece) // (PIECES - 1) + 5])}
    for place in looked_at:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert fingerprint_file(path) != first
    for other in (content + b"x", content[:-1]):
        path.write_bytes(other)
        assert fingerprint_file(path) != first


def test_name_place_and_date_do_not_count(tmp_path):
    put(tmp_path / "a" / "x.png")
    shutil.copy(tmp_path / "a" / "x.png", tmp_path / "y.png")
    os.utime(tmp_path / "y.png", (1, 1))
    assert fingerprint_file(tmp_path / "a" / "x.png") == fingerprint_file(tmp_path / "y.png")


def test_what_cannot_be_read_says_so_and_nothing_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert {fingerprint_file(tmp_path / name) for name in ("pipe", "missing", ".")} == {UNREADABLE}


def test_of_a_set_without_a_way_of_its_own_the_values_count():
    signals = MadeUpSignals(5, unreadable=[3])
    prints = [signals.fingerprint(i) for i in range(5)]
    assert prints[3] == UNREADABLE
    assert len(set(prints)) == 5
    assert prints == [Cached(signals).fingerprint(i) for i in range(5)]
    assert prints[0] != MadeUpSignals(5, shape=(3, 5)).fingerprint(0)


def test_curves_say_what_they_follow_from_and_none_is_made_for_it(monkeypatch):
    monkeypatch.setattr("sparsine.signals.sources.curves.signed_distance", None)
    data = open_dataset("curves", resolution=(5, 3))
    others = [open_dataset("curves:1").train, data.val, data.test]
    prints = {signals.fingerprint(i) for signals in (data.train, *others) for i in (0, 7)}
    assert len(prints) == 8
    assert len({signals.recipe for signals in (data.train, *others)}) == 4
    assert open_dataset("curves:0/9").train.fingerprint(7) == data.train.fingerprint(7)


def test_images_are_told_by_their_files_at_whatever_size_they_are_read(tmp_path):
    put(tmp_path / "x.png")
    (tmp_path / "broken.png").write_bytes(b"none")
    small, own = (open_files([tmp_path], shape=shape, num_channels=3) for shape in ((4, 4), None))
    assert [small.fingerprint(i) for i in range(2)] == [own.fingerprint(i) for i in range(2)]
    assert own.fingerprint(1) == fingerprint_file(tmp_path / "x.png")
    assert own.recipe is None

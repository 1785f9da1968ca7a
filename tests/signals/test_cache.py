import copy
import threading

import numpy as np

from sparsine.memory import Room
from sparsine.signals import SignalSet, cache
from sparsine.signals.cache import Cached


class Counting(SignalSet):
    """Eleven signals of 60 bytes that count how often they are read."""

    def __init__(self):
        self.reads = 0

    def __len__(self):
        return 11

    def name(self, index):
        return str(index)

    def load(self, index):
        self.reads += 1
        return np.full((5, 3, 1), index, dtype=np.float32)


def test_the_cache_reads_once_and_stays_within_its_bytes():
    inner = Counting()
    cached = Cached(inner, max_bytes=200)  # three signals
    for index in (0, 1, 0, 2, 0, 3, 0):  # 3 pushes out 1, the one used longest ago
        assert (cached.load(index) == index).all()
    assert inner.reads == 4
    cached.load(2)
    assert inner.reads == 4
    cached.load(1)
    assert inner.reads == 5
    assert cached._held.currsize == 180 == sum(v.nbytes for v in cached._held.values())


def test_a_signal_that_two_readers_fetch_at_once_is_counted_once():
    class Slow(Counting):
        def load(self, index):
            if self.reads == 0:
                self.reads += 1
                cached.load(index)  # as another thread would, while this one reads
            return super().load(index)

    cached = Cached(Slow(), max_bytes=200)
    cached.load(5)
    assert cached._held.currsize == 60


def test_a_caller_cannot_spoil_the_cache():
    cached = Cached(Counting())
    for _ in range(3):
        values = cached.load(7)
        assert (values == 7).all()
        values += 1


def test_without_a_number_the_cache_takes_a_part_of_what_is_free_and_workers_share_it(monkeypatch):
    monkeypatch.setattr(cache, "free_memory", lambda: Room(8 * 130, "this test has free"))
    cached = Cached(Counting())
    for index in range(7):
        cached.load(index)
    assert cached._held.currsize == 120  # two signals of 60
    monkeypatch.setattr(cache.multiprocessing, "parent_process", lambda: "somebody")
    monkeypatch.setattr(cache.os, "cpu_count", lambda: 2)
    cached = Cached(Counting())
    for index in range(7):
        cached.load(index)
    assert cached._held.currsize == 60
    monkeypatch.setattr(cache, "free_memory", lambda: Room(1 << 50, "this test has free"))
    assert cache._room() == cache.DEFAULT_CACHE_BYTES // 2


def test_a_pickle_or_a_copy_takes_its_room_where_it_is_read(monkeypatch):
    monkeypatch.setattr(cache, "free_memory", lambda: Room(8 * 600, "this test has free"))
    cached = Cached(Counting())
    cached.load(0)
    monkeypatch.setattr(cache, "free_memory", lambda: Room(8 * 60, "there"))
    there = copy.deepcopy(cached)
    for index in range(4):
        there.load(index)
    assert there._held.currsize == 60


def test_what_is_not_held_is_handed_out_as_it_is_read():
    cached = Cached(Counting(), max_bytes=59)
    assert (cached.load(3) == 3).all()
    assert cached._held.currsize == 0


def test_the_cache_serves_threads():
    cached, wrong = Cached(Counting(), max_bytes=200), []

    def work(seed):
        for index in np.random.default_rng(seed).integers(0, 11, 500):
            if not (cached.load(int(index)) == index).all():
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cached._held.currsize == sum(v.nbytes for v in cached._held.values()) <= 200

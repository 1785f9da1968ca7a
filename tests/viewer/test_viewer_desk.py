"""Who is served when: one at a time, the important first, and nobody who has left."""

import asyncio
import threading

import pytest

from sparsine.viewer.cached import Bounded
from sparsine.viewer.desk import Desk, Rank
from sparsine.viewer.refusals import Busy, Stopped


async def stays():
    await asyncio.Event().wait()


def together(scene):
    asyncio.run(asyncio.wait_for(scene(), timeout=30))


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_people_look_at_goes_before_thumbnails():
    async def scene():
        desk, done, hold = Desk(9), [], threading.Event()
        first = asyncio.create_task(desk.run(Rank.THUMBNAIL, lambda _: hold.wait(20), stays))
        await settled()
        later = [
            asyncio.create_task(desk.run(rank, lambda _, name=name: done.append(name), stays))
            for name, rank in (("a", Rank.THUMBNAIL), ("b", Rank.VIEW), ("c", Rank.THUMBNAIL), ("d", Rank.FACTS))
        ]
        await settled()
        assert not done
        hold.set()
        await asyncio.gather(first, *later)
        assert done == ["d", "b", "a", "c"]

    together(scene)


def test_one_who_leaves_while_waiting_is_never_served():
    async def scene():
        desk, done, hold, left = Desk(9), [], threading.Event(), asyncio.Event()
        first = asyncio.create_task(desk.run(Rank.VIEW, lambda _: hold.wait(20), stays))
        await settled()
        gone = asyncio.create_task(desk.run(Rank.VIEW, lambda _: done.append("gone"), left.wait))
        after = asyncio.create_task(desk.run(Rank.VIEW, lambda _: done.append("after"), stays))
        await settled()
        left.set()
        with pytest.raises(Stopped):
            await gone
        hold.set()
        await asyncio.gather(first, after)
        assert done == ["after"]

    together(scene)


def test_work_is_told_when_nobody_waits_for_it_any_more():
    async def scene():
        desk, left, begun = Desk(9), asyncio.Event(), threading.Event()

        def work(stop):
            begun.set()
            return stop.wait(20)

        running = asyncio.create_task(desk.run(Rank.VIEW, work, left.wait))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        left.set()
        assert await running is True
        assert await desk.run(Rank.VIEW, lambda _: "next", stays) == "next"

    together(scene)


@pytest.mark.parametrize("when", ["waiting", "working"])
def test_a_cancelled_one_gives_its_turn_to_the_next(when):
    async def scene():
        desk, hold = Desk(9), threading.Event()
        first = asyncio.create_task(desk.run(Rank.VIEW, lambda stop: stop.wait(20) or hold.wait(20), stays))
        await settled()
        second = asyncio.create_task(desk.run(Rank.VIEW, lambda _: "second", stays))
        await settled()
        victim, other = (second, first) if when == "waiting" else (first, second)
        victim.cancel()
        hold.set()
        with pytest.raises(asyncio.CancelledError):
            await victim
        if when == "waiting":
            other.cancel()
        else:
            assert await other == "second"
        assert await desk.run(Rank.VIEW, lambda _: "third", stays) == "third"

    together(scene)


def test_a_failure_is_handed_on_and_the_next_is_served():
    async def scene():
        desk = Desk(9)
        with pytest.raises(ZeroDivisionError):
            await desk.run(Rank.VIEW, lambda _: 1 // 0, stays)
        assert await desk.run(Rank.VIEW, lambda _: 4, stays) == 4

    together(scene)


def test_too_many_who_wait_are_told_to_come_again():
    async def scene():
        desk, hold = Desk(2), threading.Event()
        running = [asyncio.create_task(desk.run(Rank.VIEW, lambda _: hold.wait(20), stays)) for _ in range(3)]
        await settled()
        with pytest.raises(Busy):
            await desk.run(Rank.FACTS, lambda _: None, stays)
        hold.set()
        await asyncio.gather(*running)
        assert await desk.run(Rank.FACTS, lambda _: 4, stays) == 4

    together(scene)


def test_a_cache_never_outgrows_its_room():
    cache, made = Bounded(10, len), []

    def make(text):
        return cache.get(text, lambda: made.append(text) or text)

    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert make(text) == text
        assert cache.used <= 10
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]
    make("d" * 11)
    assert (len(cache), cache.used) == (0, 0)

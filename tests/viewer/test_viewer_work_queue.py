"""Who is served when: one at a time, the important first, and nobody who has left."""

import asyncio
import threading

import pytest

from sparsine.viewer.cached import Bounded
from sparsine.viewer.errors import Busy, Stopped
from sparsine.viewer.work_queue import Rank, WorkQueue


async def stays():
    await asyncio.Event().wait()


def together(scene):
    asyncio.run(asyncio.wait_for(scene(), timeout=30))


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_people_look_at_goes_before_thumbnails():
    async def scene():
        queue, done, hold = WorkQueue(9), [], threading.Event()
        first = asyncio.create_task(queue.run(Rank.THUMBNAIL, lambda: hold.wait(20), stays))
        await settled()
        later = [
            asyncio.create_task(queue.run(rank, lambda name=name: done.append(name), stays))
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
        queue, done, hold, left = WorkQueue(9), [], threading.Event(), asyncio.Event()
        first = asyncio.create_task(queue.run(Rank.VIEW, lambda: hold.wait(20), stays))
        await settled()
        gone = asyncio.create_task(queue.run(Rank.VIEW, lambda: done.append("gone"), left.wait))
        after = asyncio.create_task(queue.run(Rank.VIEW, lambda: done.append("after"), stays))
        await settled()
        left.set()
        with pytest.raises(Stopped):
            await gone
        hold.set()
        await asyncio.gather(first, after)
        assert done == ["after"]

    together(scene)


@pytest.mark.parametrize("when", ["waiting", "working"])
def test_a_cancelled_one_gives_its_turn_to_the_next(when):
    async def scene():
        queue, hold = WorkQueue(9), threading.Event()
        first = asyncio.create_task(queue.run(Rank.VIEW, lambda: hold.wait(20), stays))
        await settled()
        second = asyncio.create_task(queue.run(Rank.VIEW, lambda: "second", stays))
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
        assert await queue.run(Rank.VIEW, lambda: "third", stays) == "third"

    together(scene)


def test_a_failure_is_handed_on_and_the_next_is_served():
    async def scene():
        queue = WorkQueue(9)
        with pytest.raises(ZeroDivisionError):
            await queue.run(Rank.VIEW, lambda: 1 // 0, stays)
        assert await queue.run(Rank.VIEW, lambda: 4, stays) == 4

    together(scene)


def test_too_many_who_wait_are_told_to_come_again():
    async def scene():
        queue, hold = WorkQueue(2), threading.Event()
        running = [asyncio.create_task(queue.run(Rank.VIEW, lambda: hold.wait(20), stays)) for _ in range(3)]
        await settled()
        with pytest.raises(Busy):
            await queue.run(Rank.FACTS, lambda: None, stays)
        hold.set()
        await asyncio.gather(*running)
        assert await queue.run(Rank.FACTS, lambda: 4, stays) == 4

    together(scene)


def test_drawings_that_go_on_are_no_hindrance_to_those_who_come_and_wait_however_many_do():
    async def scene():
        queue, hold = WorkQueue(2), threading.Event()
        running = [asyncio.create_task(queue.run(Rank.VIEW, lambda: hold.wait(20), stays))]
        await settled()
        running += [asyncio.create_task(queue.run(Rank.VIEW, lambda: 1, stays, admitted=True)) for _ in range(7)]
        await settled()
        running += [asyncio.create_task(queue.run(Rank.VIEW, lambda: 2, stays)) for _ in range(2)]
        await settled()
        running += [asyncio.create_task(queue.run(Rank.VIEW, lambda: 3, stays, admitted=True))]
        await settled()
        with pytest.raises(Busy):
            await queue.run(Rank.FACTS, lambda: None, stays)
        hold.set()
        assert await asyncio.gather(*running) == [True, *[1] * 7, 2, 2, 3]

    together(scene)


def test_a_cache_never_outgrows_its_room():
    cache, made = Bounded(10, len), []

    def make(text):
        return cache.get(text, lambda: made.append(text) or text)

    for text in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert make(text) == text
        assert cache.used <= 10
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]
    assert make("d" * 11) == "d" * 11
    assert (len(cache), cache.used) == (2, 8)  # what is too large for all of it pushes nothing out

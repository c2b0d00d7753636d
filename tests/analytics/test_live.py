from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from amplitude_ai_integrations.analytics.live import Change, Live

from .running import Running
from .samples import conversation, event


async def following(changes: AsyncGenerator[Change, None]) -> Change:
    return await asyncio.wait_for(anext(changes), 5)


async def waiting(
    live: Live, last_id: int | None = None
) -> tuple[AsyncGenerator[Change, None], asyncio.Task[Change]]:
    """A subscription that is already listening."""
    changes = live.subscribe(last_id)
    task = asyncio.create_task(following(changes))
    while not live._waiting:
        await asyncio.sleep(0)
    return changes, task


async def test_a_change_reaches_who_listens() -> None:
    live = Live()
    _, task = await waiting(live)
    live.publish(["a", "b"], ["b"])
    assert await task == Change(live.seq, ("a", "b"), ("b",))


async def test_a_change_from_another_thread_wakes_the_loop() -> None:
    live = Live()
    _, task = await waiting(live)
    await asyncio.to_thread(live.publish, ["a"])
    assert (await task).session_ids == ("a",)


async def test_a_slow_reader_gets_changes_together() -> None:
    live = Live()
    changes, task = await waiting(live)
    live.publish(["a"], ["a"])
    await task
    live.publish(["b"], ["b"])
    live.publish(["a"])
    live.publish(["b"])
    assert await following(changes) == Change(live.seq, ("b", "a"), ("b",))


async def test_nothing_is_repeated() -> None:
    live = Live()
    changes, task = await waiting(live)
    live.publish(["a"])
    await task
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(anext(changes), 0.02)


async def test_a_reader_that_comes_back_gets_what_it_missed() -> None:
    live = Live()
    seen = live.seq
    live.publish(["a"], ["a"])
    live.publish(["b"])
    assert await following(live.subscribe(seen + 1)) == Change(live.seq, ("b",), ())


async def test_a_reader_that_was_away_too_long_is_told_of_the_gap() -> None:
    live = Live(remembers=2)
    seen = live.seq
    for name in "abc":
        live.publish([name])
    assert await following(live.subscribe(seen)) == Change(live.seq, ("b", "c"), (), is_gap=True)


async def test_a_number_from_before_the_restart_is_a_gap() -> None:
    before = Live().seq - 1_000
    live = Live()
    assert await following(live.subscribe(before)) == Change(live.seq, (), (), is_gap=True)


async def test_what_happens_between_subscribing_and_listening_is_not_lost() -> None:
    live = Live()
    changes = live.subscribe()
    live.publish(["a"])
    assert (await following(changes)).session_ids == ("a",)


async def test_a_number_from_the_future_means_from_now_on() -> None:
    live = Live()
    _, task = await waiting(live, last_id=live.seq + 10**6)
    live.publish(["a"])
    assert (await task).session_ids == ("a",)


async def test_memory_is_bounded_by_the_ids_too() -> None:
    live = Live()
    for start in range(30):
        live.publish([f"{start}-{n}" for n in range(1_000)])
    assert len(live._history) == 20


async def test_closing_ends_every_subscription() -> None:
    live = Live()
    _, task = await waiting(live)
    live.close()
    with pytest.raises(StopAsyncIteration):
        await task
    assert live._waiting == set()


async def test_a_reader_that_leaves_is_forgotten() -> None:
    live = Live()
    changes, task = await waiting(live)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await changes.aclose()
    assert live._waiting == set()
    live.publish(["a"])


def test_a_reader_whose_loop_is_gone_disturbs_nobody() -> None:
    live = Live()
    loop = asyncio.new_event_loop()
    changes = loop.run_until_complete(waiting_without_end(live))
    loop.close()
    live.publish(["a"])
    assert changes is not None


async def waiting_without_end(live: Live) -> AsyncGenerator[Change, None]:
    changes, task = await waiting(live)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return changes


async def test_a_commit_is_announced_after_it_can_be_read(collector: Running) -> None:
    live = collector.app.state.live
    changes, task = await waiting(live)
    await asyncio.to_thread(collector.send, *conversation("a"), event("user", session_id="b"))
    change = await task
    assert (change.session_ids, change.new_session_ids) == (("a", "b"), ("a", "b"))
    assert collector.reader.row("b") is not None
    await asyncio.to_thread(collector.send, *conversation("a"))
    await asyncio.to_thread(collector.send, event("ai", session_id="a"))
    assert await following(changes) == Change(change.seq + 1, ("a",), ())

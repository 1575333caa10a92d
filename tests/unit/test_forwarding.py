"""Events of env.py's thread and of the event loop are told in one order, and all of them."""

from __future__ import annotations

import asyncio

import pytest

from bootstrap.events import Event, LockAwaited
from bootstrap.running.forwarding import Forward


def event(number: int) -> LockAwaited:
    return LockAwaited(holder=str(number), left=0.0)


def numbers(told: list[Event]) -> list[int]:
    return [int(one.holder) for one in told if isinstance(one, LockAwaited)]


async def test_what_one_thread_sends_comes_in_order_before_what_the_loop_says_later() -> None:
    told: list[Event] = []

    def send() -> None:
        for number in range(100):
            forward.send(event(number))

    with Forward(told.append) as forward:
        await asyncio.to_thread(send)
        forward.emit(event(100))
        await asyncio.to_thread(forward.send, event(101))

    assert list(range(102)) == numbers(told)


async def test_somebody_who_only_waits_is_told_too() -> None:
    came = asyncio.Event()

    with Forward(lambda _event: came.set()) as forward:
        await asyncio.to_thread(forward.send, event(1))
        await asyncio.wait_for(came.wait(), 10)


async def test_what_was_sent_is_told_when_the_run_fails() -> None:
    told: list[Event] = []

    def fails() -> None:
        with Forward(told.append) as forward:
            forward.send(event(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    assert [1] == numbers(told)


async def test_what_the_caller_raises_first_is_kept_and_the_rest_is_told() -> None:
    told: list[Event] = []

    def emit(one: Event) -> None:
        told.append(one)
        raise ValueError(len(told))

    with Forward(emit) as forward:
        forward.send(event(1))
        forward.send(event(2))
        with pytest.raises(ValueError, match=r"^1$"):
            forward.check()

    assert [1, 2] == numbers(told)

"""How Python waits for what the native module does on threads of its own: as a coroutine, or as a greenlet.

`start` takes a function that is called with the value or the error, from another thread.
"""

from __future__ import annotations

import contextlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Callable

    from torii_backend._native import Task

    Start = Callable[[Callable[[Any, "BaseException | None"], None]], Task]


async def run(start: Start) -> Any:
    """Await what `start` starts, on asyncio or trio. Cancellation of the coroutine cancels it."""
    if _on_trio():
        return await _run_on_trio(start)
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def done(value: Any, error: BaseException | None) -> None:
        # Nobody waits on a loop that is closed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, future, value, error)

    task = start(done)
    try:
        return await future
    finally:
        # To cancel what has ended wakes the thread for I/O for nothing.
        if future.cancelled() or not future.done():
            task.cancel()


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _on_trio() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except (AttributeError, RuntimeError):
        return False
    return True


async def _run_on_trio(start: Start) -> Any:
    import trio

    token, ended, outcome = trio.lowlevel.current_trio_token(), trio.Event(), _Outcome()

    def done(value: Any, error: BaseException | None) -> None:
        outcome.set(value, error)
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(ended.set)

    task = start(done)
    try:
        await ended.wait()
    finally:
        if not outcome.is_set:
            task.cancel()
    return outcome.get()


def wait(start: Start) -> Any:
    """Wait for what `start` starts as a greenlet: on a socket, as everything else there waits."""
    import socket

    ours, theirs = socket.socketpair()
    outcome = _Outcome()

    def done(value: Any, error: BaseException | None) -> None:
        outcome.set(value, error)
        # It is closed once nobody waits.
        with contextlib.suppress(OSError):
            theirs.send(b"!")

    task = start(done)
    try:
        ours.recv(1)
    finally:
        if not outcome.is_set:
            task.cancel()
        ours.close()
        theirs.close()
    return outcome.get()


class _Outcome:
    """A value or an error that another thread sets."""

    is_set = False

    def set(self, value: Any, error: BaseException | None) -> None:
        self._value, self._error = value, error
        self.is_set = True

    def get(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

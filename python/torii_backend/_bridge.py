"""From the runtime of `_native` to the event loop of asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from torii_backend._native import Task


async def run(start: Callable[[Callable[[Any, BaseException | None], None]], Task]) -> Any:
    """Await what `start` starts, and cancel it if nobody waits any more.

    `start` takes a function that is called with the value or the error, from another thread.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def done(value: Any, error: BaseException | None) -> None:
        # A loop that is closed has nobody who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, future, value, error)

    task = start(done)
    try:
        return await future
    finally:
        # Whose outcome is known may still be ending: to cancel that wakes the runtime for nothing.
        if future.cancelled() or not future.done():
            task.cancel()


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)

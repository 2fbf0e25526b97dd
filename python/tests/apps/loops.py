"""Event loops whose calls are cancelled, time out, and are many."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import torii_backend
from scenario import USER, async_client, descriptors, play

# More issuers than are remembered are in use here, which is reported.
logging.getLogger("torii_backend").addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from collections.abc import Awaitable


def cancelled(url: str, tokens: dict[str, str], rounds: int, seed: int) -> dict[str, Any]:
    """Cancels calls at any moment of theirs. Each ends well or cancelled, and the next one works."""
    chance = random.Random(seed)
    ends = {"answered": 0, "cancelled": 0}

    async def main() -> None:
        torii = async_client(url)
        await torii.users.get(USER)
        before = descriptors()
        prefixes = iter(tokens.items())
        for _ in range(rounds):
            prefix, token = next(prefixes)
            calls: list[asyncio.Task[Any]] = [
                asyncio.ensure_future(call) for call in calls_of(torii, prefix, token)
            ]
            for call in chance.sample(calls, len(calls)):
                await asyncio.sleep(chance.choice((0, chance.random() * 0.003)))
                call.cancel()
            for end in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(end, BaseException):
                    assert isinstance(end, asyncio.CancelledError), repr(end)
                    ends["cancelled"] += 1
                else:
                    ends["answered"] += 1
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert str((await torii.users.get(USER)).id) == USER
        prefix, token = next(prefixes)
        assert (await torii_backend.verify_token_async(token, issuer=url + prefix)).user_id == USER
        ends["descriptors"] = descriptors() - before

    def calls_of(torii: torii_backend.AsyncToriiClient, prefix: str, token: str) -> list[Awaitable[Any]]:
        verifications = [torii_backend.verify_token_async(token, issuer=url + prefix) for _ in range(3)]
        return [*verifications, *(torii.users.get(USER) for _ in range(3)), torii.users.list(limit=1)]

    asyncio.run(main())
    return ends


def in_time(url: str, token: str) -> None:
    """`wait_for` ends calls that hang, again and again."""

    async def main() -> None:
        torii = async_client(url)
        for _ in range(5):
            for call in (torii.users.get(USER), torii_backend.verify_token_async(token, issuer=url)):
                started = time.monotonic()
                try:
                    await asyncio.wait_for(call, 0.05)
                except asyncio.TimeoutError:
                    assert time.monotonic() - started < 2
                else:
                    raise AssertionError("it did not wait")
        print("timed out", flush=True)
        await asyncio.to_thread(input)
        assert str((await torii.users.get(USER)).id) == USER
        assert (await torii_backend.verify_token_async(token, issuer=url)).user_id == USER

    asyncio.run(main())


def in_many_threads(url: str, token: str, loops: int, calls: int) -> int:
    """Loops in several threads, with one client between them."""
    torii, ended = async_client(url), []

    async def main() -> None:
        users = await asyncio.gather(*(torii.users.get(USER) for _ in range(calls)))
        auths = await asyncio.gather(
            *(torii_backend.verify_token_async(token, issuer=url) for _ in range(calls))
        )
        ended.extend([*(str(user.id) == USER for user in users), *(auth.user_id == USER for auth in auths)])

    of_loops = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(loops)]
    for thread in of_loops:
        thread.start()
    for thread in of_loops:
        thread.join()
    return sum(ended)


def watched(url: str, cold: list[tuple[str, str]], calls: int) -> dict[str, float]:
    """Measures how long the loop is kept from its work, while keys and answers are slow in coming."""
    gaps: list[float] = []

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            gaps.append(now - last - 0.005)
            last = now

    async def main() -> float:
        torii = async_client(url)
        # The client and its models load late, once, and that is not what is measured here.
        await torii.users.get(USER)
        gaps.clear()
        watchdog, started = asyncio.create_task(watch()), time.perf_counter()
        verifications = [
            torii_backend.verify_token_async(token, issuer=url + prefix) for prefix, token in cold
        ]
        ends = await asyncio.gather(*verifications, *(torii.users.get(USER) for _ in range(calls)))
        took = time.perf_counter() - started
        watchdog.cancel()
        assert len(ends) == len(cold) + calls
        return took

    took = asyncio.run(main())
    return {"seconds": took, "ticks": len(gaps), "longest gap": max(gaps)}


def while_the_gil_is_held(url: str, tokens: dict[str, str]) -> None:
    """What holds the GIL for longer than a call may take delays its answer, and does not fail it."""
    hold_the_gil = ctypes.PyDLL(None).usleep

    async def main() -> None:
        torii = async_client(url, timeout=1.0, attempt_timeout=1.0)
        calls = [torii.users.get(USER) for _ in range(10)]
        calls += [
            torii_backend.verify_token_async(token, issuer=url + path) for path, token in tokens.items()
        ]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0.05)
        hold_the_gil(2_500_000)
        await asyncio.gather(*tasks)

    asyncio.run(main())


if __name__ == "__main__":
    play(globals())

"""Processes that end while calls are in flight."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

EARLY: list[Callable[[], None]] = []


@atexit.register
def early() -> None:
    """A handler that was registered before the package was imported, and so runs after the package's own."""
    for call in EARLY:
        call()


import torii_backend  # noqa: E402
from scenario import USER, async_client, client, play  # noqa: E402


def in_threads(url: str, token: str, how: str) -> None:
    """The main thread ends while others wait: daemons are left behind, the others waited for."""
    torii, ended = client(url), []

    def end(call: Callable[[], object]) -> None:
        call()
        ended.append(call)

    calls = (lambda: torii.users.get(USER), lambda: torii_backend.verify_token(token, issuer=url))
    for call in calls * 2:
        threading.Thread(target=end, args=(call,), daemon=how == "daemons").start()
    print("waiting", flush=True)
    if how == "daemons":
        input()
    else:
        atexit.register(lambda: print(len(ended), flush=True))


def among_busy_daemons(url: str, token: str) -> None:
    """The main thread ends while daemons come back from calls, and the interpreter lets none of them in."""
    torii, verifier = client(url), torii_backend.Verifier(url, remember_verified=0)
    verifier.warm_up()
    made = [0] * 4

    def repeat(number: int, call: Callable[[], object]) -> None:
        while True:
            call()
            made[number] += 1

    async def calls() -> None:
        async_torii = async_client(url)
        # Once the exit handlers run, coroutines are answered no more.
        with contextlib.suppress(RuntimeError):
            while True:
                await asyncio.gather(*(async_torii.users.get(USER) for _ in range(3)))
                made[3] += 1

    works = (lambda: verifier.verify(token), lambda: verifier.verify(token), lambda: torii.users.get(USER))
    for each in enumerate(works):
        threading.Thread(target=repeat, args=each, daemon=True).start()
    threading.Thread(target=lambda: asyncio.run(calls()), daemon=True).start()
    while min(made) < 3:
        time.sleep(0.01)


def in_a_thread_pool(url: str, token: str) -> None:
    """`sys.exit` in the main thread and in a pool's, which ends only the thread's own work."""
    torii, pool = client(url), ThreadPoolExecutor(4)
    calls = [pool.submit(torii.users.get, USER) for _ in range(4)]
    calls += [pool.submit(torii_backend.verify_token, token, issuer=url) for _ in range(4)]
    calls.append(pool.submit(sys.exit, 4))
    atexit.register(lambda: print(sum(call.exception() is None for call in calls), flush=True))
    sys.exit(3)


async def _in_flight(url: str, token: str) -> list[asyncio.Task[Any]]:
    torii = async_client(url)
    calls = [asyncio.create_task(torii.users.get(USER)) for _ in range(5)]
    calls += [asyncio.create_task(torii_backend.verify_token_async(token, issuer=url)) for _ in range(5)]
    await asyncio.sleep(0)
    print("waiting", flush=True)
    await asyncio.to_thread(input)
    return calls


def a_loop_is_torn_down(url: str, token: str) -> None:
    """`asyncio.run` returns, and cancels what is in flight."""
    calls = asyncio.run(_in_flight(url, token))
    assert all(call.cancelled() for call in calls)


def a_loop_is_closed(url: str, token: str) -> None:
    """A loop is closed before the answers come, and nobody is told."""
    loop = asyncio.new_event_loop()
    calls = loop.run_until_complete(_in_flight(url, token))
    loop.close()
    print("closed", flush=True)
    input()
    time.sleep(0.3)
    for call in calls:
        call._log_destroy_pending = False


def a_loop_stops_on_its_way(url: str, token: str, how: str) -> None:
    """The process ends out of a running loop."""
    leave = {"sys.exit": sys.exit, "os._exit": os._exit}[how]

    async def main() -> None:
        await _in_flight(url, token)
        leave(3)

    asyncio.run(main())


def at_exit(url: str, token: str) -> None:
    """Handlers use the package, at first and again, when nothing else runs any more."""
    torii = client(url)

    def handler() -> None:
        assert torii_backend.verify_token(token, issuer=url).user_id == USER
        assert str(torii.users.get(USER).id) == USER
        asyncio.run(use())
        print("handled", flush=True)

    async def use() -> None:
        assert (await torii_backend.verify_token_async(token, issuer=url)).user_id == USER
        assert str((await async_client(url).users.get(USER)).id) == USER

    atexit.register(handler)
    torii_backend.clear_jwks_cache_for_tests()


def at_exit_after_the_package(url: str, token: str, warm: bool) -> None:
    """Calls for threads complete; those of coroutines complete or say that it is too late."""
    torii, verifier = client(url), torii_backend.Verifier(url)

    async def use() -> None:
        for call in (async_client(url).users.get(USER), verifier.verify_async(token)):
            with contextlib.suppress(RuntimeError):
                await call

    def handler() -> None:
        asyncio.run(use())
        assert verifier.verify(token).user_id == USER
        assert str(torii.users.get(USER).id) == USER
        print("handled", flush=True)

    EARLY.append(handler)
    if warm:
        asyncio.run(use())


class Late:
    """Is destroyed when the interpreter takes its modules apart."""

    def __init__(self, *calls: Callable[[], object]) -> None:
        self._calls = calls

    def __del__(self) -> None:
        for call in self._calls:
            with contextlib.suppress(Exception):
                call()
            # Not suppressed is what a panic in the native module raises, which is no `Exception`.


def in_a_destructor(url: str, token: str, first: bool) -> None:
    """Calls that come when modules are being taken apart work or raise; they neither hang nor crash."""
    torii, verify, verifier = client(url), torii_backend.verify_token, torii_backend.Verifier(url)
    auth = None
    if not first:
        torii.users.get(USER)
        auth = verifier.verify(token)
    late = Late(
        lambda: verify(token, issuer=url),
        lambda: verify("no token", issuer=url),
        lambda: torii.users.get(USER),
        lambda: torii.users.list(),
        lambda: torii.users.get("no id"),
        lambda: repr(torii),
        lambda: repr(auth),
        verifier.counts,
        verifier.status,
        lambda: verifier.verify_async(token).send(None),
    )
    sys.late = late  # type: ignore[attr-defined]


def never_used(url: str) -> None:
    """Clients and verifiers that are only made."""
    torii, verifier = client(url), torii_backend.Verifier(url)
    async_client(url)
    sys.kept = torii, verifier  # type: ignore[attr-defined]


if __name__ == "__main__":
    play(globals())

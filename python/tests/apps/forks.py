"""Processes that fork after they used the package, and while they use it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import itertools
import json
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from typing import Any, Callable

import torii_backend
from scenario import USER, async_client, client, descriptors, play, resident

# More issuers than are remembered are in use here, which is reported.
logging.getLogger("torii_backend").addHandler(logging.NullHandler())

FORKS = {"os.fork": os.fork, "fork(2)": lambda: ctypes.PyDLL(None).fork()}


def in_child(work: Callable[[], object], fork: Callable[[], int] = os.fork, seconds: int = 10) -> None:
    """Does something in a forked child, which has to come to an end well and in time."""
    pid = fork()
    if pid == 0:
        signal.alarm(seconds)
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with {status}"


class Application:
    """Something that uses every part of the package."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.torii, self.async_torii = client(url), async_client(url)

    def use(self) -> None:
        self.verify()
        assert str(self.torii.users.get(USER).id) == USER
        asyncio.run(self.use_async())

    async def use_async(self) -> None:
        auth = await torii_backend.verify_token_async(self.token, issuer=self.url)
        assert auth.user_id == USER
        assert str((await self.async_torii.users.get(USER)).id) == USER

    def verify(self, prefix: str = "", token: str | None = None) -> None:
        auth = torii_backend.verify_token(token or self.token, issuer=self.url + prefix)
        assert auth.user_id == USER

    def verify_async(self, prefix: str, token: str) -> None:
        auth = asyncio.run(torii_backend.verify_token_async(token, issuer=self.url + prefix))
        assert auth.user_id == USER


def after_use(url: str, token: str, fork: str, cold: str, cold_async: str, unknown: str) -> None:
    """Forks, and goes through phases of which the test looks at what the server saw."""
    application = Application(url, token)

    def phase(name: str, work: Callable[[], object]) -> None:
        input()
        work()
        print(name, flush=True)

    def child() -> None:
        phase("known", application.verify)
        phase("api", application.use)
        phase("unknown", lambda: application.verify(token=unknown))
        phase("cold", lambda: application.verify("/cold", cold))
        phase("cold_async", lambda: application.verify_async("/cold-async", cold_async))
        in_child(lambda: phase("grandchild", application.use))

    phase("parent", application.use)
    in_child(child, FORKS[fork], seconds=30)
    phase("parent again", application.use)


def many_times(url: str, token: str, times: int) -> dict[str, int]:
    """Forks again and again, and measures what is left behind."""
    application = Application(url, token)
    application.use()

    def round_of(forks: int) -> tuple[int, int]:
        for _ in range(forks):
            in_child(application.verify)
        application.use()
        return descriptors(), resident()

    first, last = round_of(times // 10), round_of(times)
    return {"descriptors": last[0] - first[0], "MiB": last[1] - first[1]}


def while_in_use(url: str, token: str, times: int) -> dict[str, int]:
    """Forks while other threads fetch keys, call the API and verify. No child waits for what they were at."""
    application = Application(url, token)
    application.use()
    prefixes, ended, made = itertools.count(), threading.Event(), [0] * 4
    full = torii_backend.Verifier(url, remember_verified=0)
    full.verify(token)

    def fetches() -> None:
        issuer = f"{url}/{next(prefixes)}"
        with contextlib.suppress(torii_backend.ToriiAuthError):
            torii_backend.verify_token(forged(token, issuer), issuer=issuer)

    def works(number: int, work: Callable[[], object]) -> None:
        while not ended.is_set():
            work()
            made[number] += 1

    async def calls() -> None:
        async with async_client(url) as torii:
            while not ended.is_set():
                await asyncio.gather(*(torii.users.get(USER) for _ in range(3)))
                made[3] += 1

    works_of_threads = (fetches, lambda: application.torii.users.get(USER), lambda: full.verify(token))
    threads = [threading.Thread(target=works, args=each) for each in enumerate(works_of_threads)]
    threads.append(threading.Thread(target=lambda: asyncio.run(calls())))
    for thread in threads:
        thread.start()

    def child() -> None:
        application.verify()
        full.verify(token)
        fetches()
        application.torii.users.get(USER)

    try:
        for number in range(times):
            in_child(application.use if number % 10 == 9 else child)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    application.use()
    return dict(zip(("fetches", "calls", "verifications", "async calls"), made))


def in_a_loop(url: str, token: str) -> None:
    """Forks in the middle of a running event loop, with calls in flight; the child runs a loop of its own."""
    application = Application(url, token)

    async def main() -> None:
        await application.use_async()
        calls = [asyncio.create_task(application.async_torii.users.get(USER)) for _ in range(3)]
        await asyncio.sleep(0.1)
        in_child(application.use)
        for user in await asyncio.gather(*calls):
            assert str(user.id) == USER

    asyncio.run(main())


def forged(token: str, issuer: str) -> str:
    """A token of another issuer with a wrong signature, which shows only when there are keys."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["iss"] = issuer
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


application: Application


def start(url: str, token: str) -> None:
    global application
    application = Application(url, token)


def work(number: int) -> Any:
    application.use()
    return number, torii_backend.verify_token(application.token, issuer=application.url)


def in_a_pool(url: str, token: str, method: str) -> None:
    """Uses the package here and in the processes of a pool, whose answers come back pickled."""
    start(url, token)
    mine = work(0)
    inherited = method == "fork"
    context = multiprocessing.get_context(method)
    with context.Pool(2, *(() if inherited else (start, (url, token)))) as pool:
        answers = pool.map(work, range(8), chunksize=1)
        pool.close()
        pool.join()
    assert answers == [(number, mine[1]) for number in range(8)]


if __name__ == "__main__":
    play(globals())

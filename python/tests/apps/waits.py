"""Processes that wait for a server, and get a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from typing import Any, Callable

import torii_backend
from scenario import USER, client, play


class Waits:
    """One way to wait for each place where the package does."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self._verifier = torii_backend.Verifier(url)
        self._torii = client(url, timeout=60)
        self._pages = self._torii.users.iterate(limit=1)

    def verify_token(self) -> None:
        torii_backend.verify_token(self._token, issuer=self._url)

    def verify(self) -> None:
        self._verifier.verify(self._token)

    def verify_many(self) -> None:
        assert [auth.user_id for auth in self._verifier.verify_many([self._token] * 20)] == [USER] * 20

    def warm_up(self) -> None:
        self._verifier.warm_up()

    def get(self) -> None:
        assert str(self._torii.users.get(USER).id) == USER

    def create(self) -> None:
        self._torii.users.create(email="x@y.com")

    def next_page(self) -> None:
        next(self._pages)

    def all_pages(self) -> None:
        assert len(list(self._torii.users.iterate(limit=1))) == 2


def interrupted(url: str, token: str, wait: str, then: str) -> None:
    """Waits until Ctrl-C, says when that came through, and works on."""
    waits = Waits(url, token)
    if wait == "next_page":
        waits.next_page()
    print("waiting", flush=True)
    try:
        getattr(waits, wait)()
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
    else:
        raise AssertionError("it did not wait")
    input()
    if then:
        getattr(waits, then)()


def handlers_run(url: str, token: str, wait: str) -> int:
    """Counts the alarms that are handled while a call waits, which it goes on doing."""
    waits, alarms = Waits(url, token), 0

    def on_alarm(*_: Any) -> None:
        nonlocal alarms
        alarms += 1

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    getattr(waits, wait)()
    signal.setitimer(signal.ITIMER_REAL, 0)
    return alarms


class OutOfTimeError(Exception):
    """What a handler raises."""


def a_handler_raises(url: str, token: str, wait: str) -> None:
    """A handler's exception comes out of the call, as gunicorn and pytest-timeout rely on."""
    waits = Waits(url, token)

    def on_alarm(*_: Any) -> None:
        raise OutOfTimeError

    signal.signal(signal.SIGALRM, on_alarm)
    for _ in range(3):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        started = time.monotonic()
        try:
            getattr(waits, wait)()
        except OutOfTimeError:
            assert time.monotonic() - started < 2
        else:
            raise AssertionError("it did not wait")


def while_answers_are_made(url: str, token: str, asynchronous: bool) -> None:
    """A handler's exception that comes while refusals are made is raised, and is no answer."""
    verifier, slow = torii_backend.Verifier(url), ["no token"] * 30_000
    verifier.warm_up()
    making = False

    def on_alarm(*_: Any) -> None:
        if making:
            raise OutOfTimeError

    def make() -> list[Any]:
        if asynchronous:
            return asyncio.run(verifier.verify_many_async(slow))
        return verifier.verify_many(slow)

    signal.signal(signal.SIGALRM, on_alarm)
    started = time.monotonic()
    make()
    longest = time.monotonic() - started
    raised = 0
    for number in range(1, 9):
        signal.setitimer(signal.ITIMER_REAL, longest * number / 8)
        try:
            making = True
            answers = make()
            making = False
            assert {type(answer) for answer in answers} == {torii_backend.ToriiAuthError}
        except OutOfTimeError:
            raised += 1
        making = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert raised > 0


def recursion_is_an_error(url: str, token: str) -> None:
    """So is what happens to the code that makes an error."""
    verifier = torii_backend.Verifier(url)
    verifier.verify_many(["no token"])

    def deep() -> None:
        # The first that has no room for Python's code is the one that counts.
        answer = None
        with contextlib.suppress(RecursionError):
            answer = verifier.verify_many(["no token"])[0]
        assert answer is None or isinstance(answer, torii_backend.ToriiAuthError), answer
        deep()

    with contextlib.suppress(RecursionError):
        deep()


def in_a_thread(url: str, token: str, wait: str) -> None:
    """Ctrl-C is the main thread's; what another thread waits for goes on."""
    waits, outcomes = Waits(url, token), []

    def work(call: Callable[[], None]) -> None:
        outcomes.append(call())

    thread = threading.Thread(target=work, args=(getattr(waits, wait),))
    thread.start()
    with contextlib.suppress(KeyboardInterrupt):
        print("waiting", flush=True)
        while True:
            time.sleep(1)
    print("interrupted", flush=True)
    thread.join()
    assert outcomes == [None]


if __name__ == "__main__":
    play(globals())

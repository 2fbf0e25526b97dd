"""Processes with several threads, and what it takes to have more than one."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Callable

import torii_backend
from scenario import async_client, client, descriptors, play, threads
from torii_backend._testing import ManualClock


def nothing_started(url: str, token: str) -> None:
    """Importing, constructing and verifying with known keys start no thread and open nothing."""
    at_first = 1, 3
    assert (threads(), descriptors()) == at_first, "importing"
    torii, async_torii, verifier = client(url), async_client(url), torii_backend.Verifier(url)
    assert (threads(), descriptors()) == at_first, "constructing"
    del torii, async_torii
    verifier.verify(token)
    known = threads(), descriptors()
    for verify in (verifier.verify, lambda token: asyncio.run(verifier.verify_async(token))):
        for _ in range(100):
            verify(token)
    assert (threads(), descriptors()) == known, "verifying"


def in_threads(count: int, work: Callable[[int], None]) -> float:
    """Does something in several threads that start together; how many seconds it takes."""
    barrier, failures = threading.Barrier(count + 1), []

    def one(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    started = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in started:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    for thread in started:
        thread.join()
    took = time.perf_counter() - start
    if failures:
        raise failures[0]
    return took


def while_keys_change(
    url: str, good: dict[str, str], bad: list[str], count: int, rounds: int
) -> dict[str, int]:
    """Verifies tokens, each of another user, and bad ones in many threads, while keys are fetched anew."""
    clock = ManualClock(int(time.time()))
    verifier = torii_backend.Verifier(url, clock=clock)
    users, ended = list(good.items()), threading.Event()

    def work(number: int) -> None:
        for turn in range(rounds):
            user, token = users[(number * 7 + turn) % len(users)]
            assert verifier.verify(token).user_id == user
            assert torii_backend.verify_token(token, issuer=url).user_id == user
            assert refusal_of(bad[turn % len(bad)]) == "bad_signature"

    def refusal_of(token: str) -> str:
        try:
            verifier.verify(token)
        except torii_backend.ToriiAuthError as refusal:
            return refusal.code
        return "none"

    def renew() -> None:
        while not ended.wait(0.01):
            clock.advance(250)
            torii_backend.clear_jwks_cache_for_tests()

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        in_threads(count, work)
    finally:
        ended.set()
        renewing.join()
    return {"verified": count * rounds * 3}


def speed_up(url: str, token: str, rounds: int, turns: int) -> float:
    """How many times more two threads verify than one in the same time, at best of interleaved rounds."""
    verifier = torii_backend.Verifier(url, remember_verified=0)
    verifier.warm_up()

    def work(_: int) -> None:
        for _ in range(turns):
            verifier.verify(token)

    pairs = [(in_threads(1, work), in_threads(2, work)) for _ in range(rounds)]
    one, two = (min(times) for times in zip(*pairs))
    return 2 * one / two


def many(url: str, token: str, count: int, rounds: int) -> dict[str, float]:
    """How much faster a batch is than one thread, and how many turns another thread had meanwhile."""
    verifier = torii_backend.Verifier(url, remember_verified=0)
    verifier.warm_up()
    tokens, turns, ended = [token] * count, 0, threading.Event()

    def one_by_one() -> float:
        start = time.perf_counter()
        for each in tokens:
            verifier.verify(each)
        return time.perf_counter() - start

    def batch() -> float:
        start = time.perf_counter()
        verifier.verify_many(tokens)
        return time.perf_counter() - start

    def take_turns() -> None:
        nonlocal turns
        while not ended.wait(0.001):
            turns += 1

    one, both = (min(times) for times in zip(*((one_by_one(), batch()) for _ in range(rounds))))
    thread = threading.Thread(target=take_turns)
    thread.start()
    before = turns
    batch()
    meanwhile = turns - before
    ended.set()
    thread.join()
    return {"factor": one / both, "turns": meanwhile}


if __name__ == "__main__":
    play(globals())

"""Processes in which gevent or eventlet has replaced the modules that wait."""

from __future__ import annotations

import sys
import time
from typing import Any

import scenario

LIBRARY = sys.argv[2]
if LIBRARY == "gevent":
    import gevent
    from gevent import monkey

    monkey.patch_all()
    spawn, sleep, Timeout = gevent.spawn, gevent.sleep, gevent.Timeout
else:
    import eventlet

    eventlet.monkey_patch()
    spawn, sleep, Timeout = eventlet.spawn, eventlet.sleep, eventlet.Timeout

import torii_backend  # noqa: E402


def cold(url: str, tokens: dict[str, str]) -> dict[str, Any]:
    """Verifies with the slow keys of several issuers at once, while another greenlet counts."""
    ticks, ended = 0, []

    def count() -> None:
        nonlocal ticks
        while len(ended) < len(tokens):
            sleep(0.01)
            ticks += 1

    def verify(path: str, token: str) -> None:
        ended.append(torii_backend.verify_token(token, issuer=url + path).user_id)

    counting = spawn(count)
    started = time.monotonic()
    greenlets = [spawn(verify, *each) for each in tokens.items()]
    for greenlet in greenlets:
        greenlet.get() if LIBRARY == "gevent" else greenlet.wait()
    seconds = time.monotonic() - started
    counting.kill()
    return {"seconds": seconds, "ticks": ticks, "users": ended}


def calls(url: str) -> dict[str, Any]:
    """Makes slow calls and walks a list of slow pages, in greenlets, while another counts."""
    torii, ticks, ended = torii_backend.create_torii_client(secret_key="sk_test_green", api_url=url), 0, []

    def count() -> None:
        nonlocal ticks
        while len(ended) < 4:
            sleep(0.01)
            ticks += 1

    def get() -> None:
        ended.append(str(torii.users.get(scenario.USER).id))

    def walk() -> None:
        ended.extend(str(user.id) for user in torii.users.iterate())

    counting = spawn(count)
    started = time.monotonic()
    for greenlet in [spawn(get), spawn(get), spawn(get), spawn(walk)]:
        greenlet.get() if LIBRARY == "gevent" else greenlet.wait()
    seconds = time.monotonic() - started
    counting.kill()
    return {"seconds": seconds, "ticks": ticks, "users": ended}


def timed_out(url: str, token: str) -> float:
    """A timeout of the library's own ends a wait; the verifier works on."""
    verifier, started = torii_backend.Verifier(url), time.monotonic()
    try:
        with Timeout(0.2):
            verifier.verify_many([token])
    except Timeout:
        seconds = time.monotonic() - started
    else:
        raise AssertionError("it did not wait")
    print("timed out", flush=True)
    assert input() == "go on"
    verifier.warm_up()
    assert verifier.verify(token).user_id == scenario.USER
    return seconds


if __name__ == "__main__":
    del sys.argv[2]
    scenario.play(globals())

"""Signals that come while a call waits."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

import pytest
from support.keys import USER
from support.scenarios import Scenario, run
from support.standin import BlackHole, Fault, StandIn, eventually
from torii_backend import ToriiClient, ToriiTimeoutError, Verifier, create_torii_client

if TYPE_CHECKING:
    from support.recorder import Recorder

SECRET_KEY = "sk_test_signals"
# Where nothing listens.
NOWHERE = "http://127.0.0.1:1"

# Seconds that Ctrl-C may take on a loaded machine. It is meant to take a tenth; the tests print what it took.
BOUND = 1.0
# What each call waits for.
WAITS = {
    "verify_token": "keys",
    "verify": "keys",
    "verify_many": "keys",
    "warm_up": "keys",
    "get": "api",
    "create": "api",
    "next_page": "page",
    "all_pages": "page",
}


def interrupt(scenario: Scenario) -> None:
    """Ctrl-C, well after the wait began; it has to come through soon."""
    time.sleep(0.1)
    sent = time.monotonic()
    scenario.send(signal.SIGINT)
    delay = float(scenario.hear()) - sent
    print(f"Ctrl-C came through after {delay * 1000:.0f} ms")
    assert delay < BOUND


def interrupted(standin: StandIn, wait: str) -> None:
    """Ctrl-C while a call waits for an answer, and the same call once more."""
    arguments = {"url": standin.url, "token": standin.token(), "wait": wait, "then": wait}
    with Scenario("waits", "interrupted", **arguments) as scenario:
        assert scenario.hear() == "waiting"
        eventually(lambda: standin.count(WAITS[wait]) == 1)
        interrupt(scenario)
        standin.release()
        scenario.say("go on")
        scenario.end()


@pytest.mark.parametrize("half", [False, True], ids=["reply", "body"])
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait_for_an_answer(standin: StandIn, wait: str, half: bool) -> None:
    standin.hold(WAITS[wait], half=half)
    interrupted(standin, wait)


def test_ctrl_c_ends_the_wait_between_two_attempts(standin: StandIn) -> None:
    standin.fault("api", Fault(retry_after=20))
    interrupted(standin, "get")
    assert standin.count("api") == 2


@pytest.mark.parametrize("wait", ["verify_token", "verify_many", "warm_up", "get", "create"])
def test_ctrl_c_ends_a_wait_for_a_connection(wait: str) -> None:
    with contextlib.closing(BlackHole()) as hole:
        arguments = {"url": hole.url, "token": hole.token(), "wait": wait, "then": ""}
        with Scenario("waits", "interrupted", **arguments) as scenario:
            assert scenario.hear() == "waiting"
            interrupt(scenario)
            scenario.say("go on")
            scenario.end()


@pytest.mark.parametrize("wait", ["verify_token", "verify_many", "warm_up", "get", "all_pages"])
def test_handlers_run_while_a_call_waits(standin: StandIn, wait: str) -> None:
    standin.fault(WAITS[wait], Fault(1.0))
    alarms = run("waits", "handlers_run", url=standin.url, token=standin.token(), wait=wait)
    assert alarms >= 3


@pytest.mark.parametrize("wait", ["verify_token", "verify_many", "warm_up", "get", "next_page"])
def test_what_a_handler_raises_comes_out_of_the_call(standin: StandIn, wait: str) -> None:
    standin.hold(WAITS[wait] if wait != "next_page" else "api")
    run("waits", "a_handler_raises", url=standin.url, token=standin.token(), wait=wait)


@pytest.mark.parametrize("wait", ["verify_token", "get"])
def test_ctrl_c_leaves_the_waits_of_other_threads_alone(standin: StandIn, wait: str) -> None:
    kind = WAITS[wait]
    standin.hold(kind)
    with Scenario("waits", "in_a_thread", url=standin.url, token=standin.token(), wait=wait) as scenario:
        assert scenario.hear() == "waiting"
        eventually(lambda: standin.count(kind) == 1)
        scenario.send(signal.SIGINT)
        assert scenario.hear() == "interrupted"
        time.sleep(0.2)
        standin.release()
        scenario.end()
        assert standin.count(kind) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_handlers_exception_is_no_answer_of_many(standin: StandIn, asynchronous: bool) -> None:
    run("waits", "while_answers_are_made", url=standin.url, token="", asynchronous=asynchronous, seconds=60)


def test_an_exception_of_another_kind_is_no_answer_of_many(standin: StandIn) -> None:
    run("waits", "recursion_is_an_error", url=standin.url, token="", seconds=60)


class Interrupting:
    """Ctrl-C comes while it is asked what it is."""

    def interrupt(self, *_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    __str__ = __float__ = __index__ = __fspath__ = interrupt


@pytest.mark.parametrize(
    "use",
    [
        lambda torii: torii.users.get(Interrupting()),
        lambda torii: torii.users.get(USER, timeout=Interrupting()),
        lambda torii: torii.users.list(limit=Interrupting()),
        lambda torii: torii.users.list(cursor=Interrupting()),
        lambda torii: create_torii_client(secret_key=SECRET_KEY, ca_file=Interrupting()),
        lambda torii: Verifier(NOWHERE, ca_file=Interrupting()),
        lambda torii: Verifier(NOWHERE, jwks_file=Interrupting()),
        lambda torii: Verifier(NOWHERE, clock=lambda: Interrupting()),
    ],
)
def test_ctrl_c_while_an_argument_is_read_comes_out(use: Callable[[ToriiClient], object]) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=NOWHERE)
    with pytest.raises(KeyboardInterrupt):
        use(torii)


@pytest.mark.parametrize("place", ["json.loads", "torii_backend.ToriiApiError.__init__"])
def test_ctrl_c_while_an_error_is_made_comes_out(recorder: Recorder, place: str) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=recorder.url)
    for _ in range(2):
        recorder.reply(500, {"code": "broken"})
    with mock.patch(place, Interrupting().interrupt), pytest.raises(KeyboardInterrupt):
        torii.users.create(email="x@y.com")


def test_ctrl_c_while_the_cause_of_an_error_is_made_comes_out(standin: StandIn) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url)
    standin.hold("api")
    place = mock.patch.object(ToriiTimeoutError, "__init__", Interrupting().interrupt)
    with place, pytest.raises(KeyboardInterrupt):
        torii.users.create(email="x@y.com", timeout=0.2)

"""The end of the interpreter, with calls in flight.

`run` and `end` see to the exit code, and to an empty standard error.
"""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

import pytest
from support.scenarios import Scenario, run
from support.standin import Fault, StandIn, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def waiting(standin: StandIn, name: str, calls: int, **arguments: object) -> Iterator[Scenario]:
    """A scenario whose calls hang, of which the server has seen the first."""
    standin.hold("keys")
    standin.hold("api")
    with Scenario("exits", name, url=standin.url, token=standin.token(), **arguments) as scenario:
        assert scenario.hear() == "waiting"
        eventually(lambda: standin.count("keys") == 1 and standin.count("api") == calls)
        yield scenario


def test_daemon_threads_are_left_behind(standin: StandIn) -> None:
    with waiting(standin, "in_threads", calls=2, how="daemons") as scenario:
        scenario.say("end")
        scenario.end(10)


def test_daemon_threads_are_left_behind_as_they_come_back(standin: StandIn) -> None:
    # There is a moment for it, which not every process meets.
    for _ in range(10):
        run("exits", "among_busy_daemons", url=standin.url, token=standin.token(), seconds=20)


def test_other_threads_are_waited_for(standin: StandIn) -> None:
    with waiting(standin, "in_threads", calls=2, how="threads") as scenario:
        standin.release()
        assert scenario.end(10) == 4


def test_a_pool_finishes_what_it_began(standin: StandIn) -> None:
    standin.fault("api", Fault(0.2))
    standin.fault("keys", Fault(0.2))
    ended = run("exits", "in_a_thread_pool", url=standin.url, token=standin.token(), seconds=20, code=3)
    assert ended == 8


def test_a_loop_that_is_torn_down_cancels_its_calls(standin: StandIn) -> None:
    with waiting(standin, "a_loop_is_torn_down", calls=5) as scenario:
        scenario.say("end")
        scenario.end(10)


def test_answers_for_a_closed_loop_are_dropped(standin: StandIn) -> None:
    with waiting(standin, "a_loop_is_closed", calls=5) as scenario:
        scenario.say("close")
        assert scenario.hear() == "closed"
        standin.release()
        scenario.say("end")
        scenario.end(10)


@pytest.mark.parametrize("how", ["sys.exit", "os._exit"])
def test_the_process_ends_out_of_a_running_loop(standin: StandIn, how: str) -> None:
    with waiting(standin, "a_loop_stops_on_its_way", calls=5, how=how) as scenario:
        scenario.say("end")
        scenario.end(10, code=3)


def test_sigterm_ends_a_process_whose_calls_hang(standin: StandIn) -> None:
    with waiting(standin, "in_threads", calls=2, how="daemons") as scenario:
        scenario.send(signal.SIGTERM)
        scenario.end(10, code=-signal.SIGTERM)


def test_handlers_at_exit_verify_and_call(standin: StandIn) -> None:
    with Scenario("exits", "at_exit", url=standin.url, token=standin.token()) as scenario:
        assert scenario.hear() == "handled"
        scenario.end(10)


@pytest.mark.parametrize("warm", [False, True])
def test_a_handler_that_was_registered_before_the_import_does_not_hang(standin: StandIn, warm: bool) -> None:
    with Scenario(
        "exits", "at_exit_after_the_package", url=standin.url, token=standin.token(), warm=warm
    ) as scenario:
        assert scenario.hear() == "handled"
        scenario.end(10)


@pytest.mark.parametrize("first", [False, True])
def test_a_destructor_at_the_end_neither_hangs_nor_crashes(standin: StandIn, first: bool) -> None:
    run("exits", "in_a_destructor", url=standin.url, token=standin.token(), first=first, seconds=20)


def test_what_was_never_used_is_dropped_quietly(standin: StandIn) -> None:
    run("exits", "never_used", url=standin.url, seconds=20)
    assert standin.requests == []

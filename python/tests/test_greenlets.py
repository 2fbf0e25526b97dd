"""gevent and eventlet: a wait leaves the hub to other greenlets."""

from __future__ import annotations

import json

import pytest
from support.scenarios import Scenario
from support.standin import Fault, StandIn

# eventlet warns when it is imported that it is deprecated.
QUIET = ("-W", "ignore")


def start(library: str, name: str, **arguments: object) -> Scenario:
    pytest.importorskip(library, exc_type=ImportError)
    return Scenario("greenlets", name, *QUIET, more=(library,), **arguments)


@pytest.fixture(params=["gevent", "eventlet"])
def library(request: pytest.FixtureRequest) -> str:
    return request.param


def test_waits_of_several_greenlets_overlap(standin: StandIn, library: str) -> None:
    standin.fault("keys", Fault(0.5))
    tokens = {f"/{number}": standin.token(f"/{number}") for number in range(4)}
    with start(library, "cold", url=standin.url, tokens=tokens) as scenario:
        measured = json.loads(scenario.hear())
        scenario.end()
    print(measured)
    assert len(measured["users"]) == 4
    assert measured["seconds"] < 1.5
    assert measured["ticks"] >= 10


def test_calls_of_several_greenlets_overlap(standin: StandIn, library: str) -> None:
    standin.fault("api", Fault(0.5))
    with start(library, "calls", url=standin.url) as scenario:
        measured = json.loads(scenario.hear())
        scenario.end()
    print(measured)
    assert len(measured["users"]) >= 4
    assert measured["ticks"] >= 10


def test_a_timeout_of_the_library_ends_a_wait(standin: StandIn, library: str) -> None:
    standin.hold("keys")
    with start(library, "timed_out", url=standin.url, token=standin.token()) as scenario:
        assert scenario.hear() == "timed out"
        standin.release()
        scenario.say("go on")
        assert float(scenario.hear()) < 2
        scenario.end()

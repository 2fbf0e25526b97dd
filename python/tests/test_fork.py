"""A fork after use, and in the middle of it."""

from __future__ import annotations

import multiprocessing
import os
import sys

import pytest
from support.keys import SigningKey
from support.scenarios import Scenario, run
from support.standin import Fault, StandIn

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

# A process with several threads forks here on purpose, which newer Pythons warn of.
FORKS = ("-W", "ignore::DeprecationWarning")

# What the scenario does, one after the other; between the two of the parent, it is the child.
PHASES = ("parent", "known", "api", "unknown", "cold", "cold_async", "grandchild", "parent again")


@pytest.mark.parametrize("fork", ["os.fork", "fork(2)"])
def test_a_child_has_its_parents_keys_and_connections_of_its_own(standin: StandIn, fork: str) -> None:
    second = SigningKey("second")
    arguments = {
        "url": standin.url,
        "token": standin.token(),
        "fork": fork,
        "unknown": second.token(standin.url),
        "cold": standin.token("/cold"),
        "cold_async": standin.token("/cold-async"),
    }
    fetches: dict[str, int] = {}
    peers: dict[str, set[int]] = {}
    with Scenario("forks", "after_use", *FORKS, **arguments) as scenario:
        for phase in PHASES:
            if phase == "unknown":
                standin.published.append(second)
            before = len(standin.requests)
            scenario.say("go on")
            assert scenario.hear() == phase
            requests = standin.requests[before:]
            fetches[phase] = sum(request.kind == "keys" for request in requests)
            peers[phase] = {request.peer for request in requests if request.kind == "api"}
        scenario.end()
    assert [phase for phase, count in fetches.items() if count] == ["parent", "unknown", "cold", "cold_async"]
    assert set(fetches.values()) == {0, 1}
    assert all(peers[phase] for phase in ("parent", "api", "grandchild"))
    assert not peers["api"] & peers["parent"]
    assert not peers["grandchild"] & (peers["api"] | peers["parent"])
    assert peers["parent again"] <= peers["parent"], (
        "a child closed its parent's connections, or wrote on them"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_thousand_forks_leave_nothing_behind(standin: StandIn) -> None:
    grown = run(
        "forks", "many_times", *FORKS, url=standin.url, token=standin.token(), times=1000, seconds=100
    )
    print(grown)
    assert grown["descriptors"] == 0
    assert grown["MiB"] <= 8
    assert standin.count("keys") == 1


def test_no_child_waits_for_what_its_parents_other_threads_were_at(standin: StandIn) -> None:
    standin.fault("keys", Fault(0.02))
    standin.fault("api", Fault(0.01))
    made = run(
        "forks", "while_in_use", *FORKS, url=standin.url, token=standin.token(), times=200, seconds=100
    )
    print(made)
    assert min(made.values()) >= 10
    assert standin.count("keys") > made["fetches"]


def test_a_child_of_a_running_loop_runs_its_own(standin: StandIn) -> None:
    standin.fault("api", Fault(0.2))
    run("forks", "in_a_loop", *FORKS, url=standin.url, token=standin.token())


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_the_processes_of_a_pool_verify_and_call(standin: StandIn, method: str) -> None:
    run("forks", "in_a_pool", *FORKS, url=standin.url, token=standin.token(), method=method)
    fetches = 1 if method == "fork" else 3
    assert standin.count("keys") <= fetches

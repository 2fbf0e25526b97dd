"""Calls of asyncio that are cancelled, time out, or are many at once."""

from __future__ import annotations

from support.scenarios import Scenario, run
from support.standin import Fault, StandIn, eventually

# The connections that a client keeps for its next calls, and one for each fetch of keys that has just ended.
KEPT = 12


def test_cancellations_at_any_moment_leave_nothing_behind(standin: StandIn) -> None:
    standin.fault("keys", Fault(0.002))
    standin.fault("api", Fault(0.002))
    tokens = {f"/{number}": standin.token(f"/{number}") for number in range(401)}
    ends = run("loops", "cancelled", url=standin.url, tokens=tokens, rounds=400, seed=20260101)
    print(ends)
    # How many come too late is a matter of how fast the machine is.
    assert ends["cancelled"] >= 240
    assert ends["answered"] >= 20
    assert ends["descriptors"] <= KEPT


def test_a_cancelled_call_lets_go_of_its_connection(standin: StandIn) -> None:
    standin.hold("keys")
    standin.hold("api")
    with Scenario("loops", "in_time", url=standin.url, token=standin.token()) as scenario:
        assert scenario.hear() == "timed out"
        assert standin.count("api") == 5
        assert standin.count("keys") == 1, "a cancelled caller's fetch goes on for those who come after it"
        eventually(lambda: standin.connections <= 1)
        standin.release()
        scenario.say("go on")
        scenario.end()


def test_loops_in_several_threads_share_a_client(standin: StandIn) -> None:
    standin.fault("api", Fault(0.01))
    ended = run("loops", "in_many_threads", url=standin.url, token=standin.token(), loops=4, calls=25)
    assert ended == 4 * 2 * 25
    assert standin.count("keys") == 1


def test_the_loop_goes_on_while_keys_and_answers_are_slow(standin: StandIn) -> None:
    standin.fault("keys", Fault(2.0))
    standin.fault("api", Fault(2.0))
    cold = [(f"/{number % 10}", standin.token(f"/{number % 10}")) for number in range(200)]
    measured = run("loops", "watched", url=standin.url, cold=cold, calls=100)
    print(measured)
    assert measured["seconds"] >= 2.0
    assert measured["ticks"] >= 50
    # A call that held up the loop would do so for two seconds; so long does no busy machine.
    assert measured["longest gap"] < 1.5
    assert standin.count("keys") == 10


def test_a_gil_that_is_held_for_long_fails_no_call(standin: StandIn) -> None:
    standin.fault("keys", Fault(0.1))
    standin.fault("api", Fault(0.1))
    tokens = {f"/{number}": standin.token(f"/{number}") for number in range(3)}
    run("loops", "while_the_gil_is_held", url=standin.url, tokens=tokens)

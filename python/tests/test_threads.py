"""Several threads, and none but the application's."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.keys import SigningKey
from support.scenarios import run

if TYPE_CHECKING:
    from support.standin import StandIn


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_started_before_it_is_needed(standin: StandIn) -> None:
    run("parallel", "nothing_started", url=standin.url, token=standin.token())
    assert standin.count("keys") == 1


def test_threads_get_the_right_answers_while_keys_are_renewed(standin: StandIn) -> None:
    # The clock of the test goes fast.
    late = int(time.time()) + 10_000_000
    good = {f"user-{number}": standin.token(sub=f"user-{number}", exp=late) for number in range(100)}
    stranger = SigningKey(standin.key.kid)
    bad = [stranger.token(standin.url, exp=late) for _ in range(10)]
    bad += [token[:-8] + "AAAAAAAA" for token in good.values()]
    run("parallel", "while_keys_change", url=standin.url, good=good, bad=bad, count=8, rounds=400)
    assert standin.count("keys") > 2


def test_two_threads_verify_at_once(standin: StandIn) -> None:
    factor = run("parallel", "speed_up", url=standin.url, token=standin.token(), rounds=60, turns=150)
    print(f"two threads verify {factor:.2f} times as much as one")
    # The figure is for reading; what fails here is a lock that both wait for.
    assert factor > 0


def test_a_batch_is_verified_on_all_cores_while_other_threads_run(standin: StandIn) -> None:
    told = run("parallel", "many", url=standin.url, token=standin.token(), count=4000, rounds=5)
    print(f"a batch verifies {told['factor']:.2f} times as much as one thread")
    # That is for reading. A batch that kept the GIL would leave no turn to anybody.
    assert told["turns"] > 0

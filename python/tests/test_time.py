"""The time that verification goes by in tests: `clock=`, freezegun, time-machine and mocks."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

import pytest
from support.keys import USER, SigningKey
from torii_backend import ToriiAuthError, ToriiConfigError, ToriiTokenExpiredError, Verifier, verify_token
from torii_backend._testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.standin import StandIn

ISSUER = "https://acme.torii.so"
KEY = SigningKey("key-1")
THEN = 1_600_000_000
KEYS: Any = {"keys": [KEY.jwk()]}


def token(at: int, issuer: str = ISSUER) -> str:
    return KEY.token(issuer, iat=at, exp=at + 300)


def at(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


@contextlib.contextmanager
def freezegun(seconds: float) -> Iterator[None]:
    with pytest.importorskip("freezegun").freeze_time(at(seconds)):
        yield


@contextlib.contextmanager
def time_machine(seconds: float) -> Iterator[None]:
    with pytest.importorskip("time_machine").travel(at(seconds), tick=False):
        yield


@contextlib.contextmanager
def mocked(seconds: float) -> Iterator[None]:
    with mock.patch("time.time", return_value=seconds):
        yield


@pytest.fixture(params=[freezegun, time_machine, mocked])
def travel(request: pytest.FixtureRequest) -> Callable[[float], contextlib.AbstractContextManager[None]]:
    return request.param


def code(verify: Callable[[], object]) -> str | None:
    try:
        verify()
    except ToriiAuthError as error:
        return error.code
    return None


def test_time_that_a_test_sets_moves_verification(travel: Any) -> None:
    verifier, now = Verifier(ISSUER, jwks=KEYS), int(time.time())
    old, new = token(THEN), token(now)
    for _ in range(2):
        assert (code(lambda: verifier.verify(new)), code(lambda: verifier.verify(old))) == (None, "expired")
        with travel(THEN + 10):
            assert verifier.verify(old).user_id == USER
            assert asyncio.run(verifier.verify_async(old)).user_id == USER
            assert code(lambda: verifier.verify(new)) == "iat_in_future"
            assert [getattr(each, "code", None) for each in verifier.verify_many([old, new])] == [
                None,
                "iat_in_future",
            ]
            assert verifier.counts().accepted >= 1
        with travel(now + 1000):
            assert code(lambda: verifier.verify(new)) == "expired"


def test_it_moves_the_functions_too(standin: StandIn, travel: Any) -> None:
    now = int(time.time())
    assert verify_token(standin.token(), issuer=standin.url).user_id == USER
    with travel(now + 100_000):
        assert (
            code(lambda: verify_token(standin.token(exp=now + 300, iat=now), issuer=standin.url)) == "expired"
        )
        there = standin.token(iat=now + 100_000, exp=now + 100_300)
        assert verify_token(there, issuer=standin.url).user_id == USER
    assert verify_token(standin.token(), issuer=standin.url).user_id == USER


class Hand:
    seconds: float = THEN

    def time(self) -> float:
        return self.seconds


@pytest.mark.parametrize("kind", ["callable", "object"])
def test_a_verifier_goes_by_the_clock_that_it_is_given(kind: str) -> None:
    hand = Hand()
    verifier = Verifier(ISSUER, jwks=KEYS, clock=hand if kind == "object" else hand.time)
    assert verifier.verify(token(THEN)).user_id == USER
    hand.seconds += 400.5
    with pytest.raises(ToriiTokenExpiredError):
        verifier.verify(token(THEN))
    with pytest.raises(ToriiTokenExpiredError):
        asyncio.run(verifier.verify_async(token(THEN)))


def test_a_clock_that_fails_lets_nothing_in() -> None:
    hand = Hand()
    verifier = Verifier(ISSUER, jwks=KEYS, clock=hand)
    for wrong in (-1.0, float("nan"), 1e300, None, "noon"):
        hand.seconds = wrong  # type: ignore[assignment]
        with pytest.raises(ToriiConfigError, match="clock: must return Unix seconds"):
            verifier.verify(token(THEN))
    hand.seconds = 10**10
    with pytest.raises(ToriiTokenExpiredError):
        verifier.verify(token(THEN))
    with pytest.raises(ToriiConfigError, match="raise nothing") as failed:
        Verifier(ISSUER, jwks=KEYS, clock=lambda: 1 / 0)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_the_module_time_is_a_clock() -> None:
    now = int(time.time())
    assert Verifier(ISSUER, jwks=KEYS, clock=time).verify(token(now)).user_id == USER
    manual = ManualClock(THEN)
    verifier = Verifier(ISSUER, jwks=KEYS, clock=manual)
    with mock.patch("time.time", return_value=float(now)):
        assert verifier.verify(token(THEN)).user_id == USER

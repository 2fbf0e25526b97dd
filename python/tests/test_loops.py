"""Event loops: asyncio, uvloop and trio behave alike, with known keys and without."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Callable

import pytest
from support.keys import USER, SigningKey
from support.standin import Fault, eventually
from torii_backend import (
    AsyncToriiClient,
    ToriiKeysUnavailableError,
    ToriiTokenExpiredError,
    Verifier,
    authenticate_request_async,
    verify_token_async,
)

if TYPE_CHECKING:
    from support.standin import StandIn

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine function in a loop of its own."""
    if request.param == "asyncio":
        return lambda main: asyncio.run(main())
    library = pytest.importorskip(request.param)
    if request.param == "uvloop":
        return lambda main: library.run(main())
    return library.run


async def within(seconds: float, main: Callable[[], Coroutine[Any, Any, Any]]) -> bool:
    """Whether a coroutine ends in time. If not, it is cancelled."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = importlib.import_module("trio")
        with trio.move_on_after(seconds) as scope:
            await main()
        return not scope.cancelled_caught
    try:
        await asyncio.wait_for(main(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


def test_verification_without_and_with_known_keys(standin: StandIn, run: Run) -> None:
    token, headers = standin.token(), {"authorization": f"Bearer {standin.token()}"}
    other = SigningKey("other")

    async def main() -> None:
        verifier = Verifier(standin.url)
        for _ in range(2):
            assert (await verifier.verify_async(token)).user_id == USER
            assert (await verifier.authenticate_request_async(headers)).user_id == USER
            assert (await verify_token_async(token, issuer=standin.url)).user_id == USER
            assert (await authenticate_request_async(headers, issuer=standin.url)).user_id == USER
            await verifier.warm_up_async()
        answers = await verifier.verify_many_async([token, "not a token"])
        assert [getattr(answer, "code", None) for answer in answers] == [None, "malformed"]
        with pytest.raises(ToriiTokenExpiredError):
            await verifier.verify_async(standin.token(exp=1, iat=0))
        # A key that was not seen before is fetched.
        standin.published.append(other)
        assert (await verifier.verify_async(other.token(standin.url))).user_id == USER

    run(main)


def test_calls_of_the_api(standin: StandIn, run: Run) -> None:
    async def main() -> None:
        async with AsyncToriiClient(secret_key="sk_test_loops", api_url=standin.url) as torii:
            for _ in range(2):
                assert str((await torii.users.get(USER)).id) == USER
            assert len([user async for user in torii.users.iterate(limit=1)]) == 2

    run(main)


def test_keys_that_cannot_be_had(standin: StandIn, run: Run) -> None:
    standin.published.clear()
    standin.fault("keys", Fault(retry_after=1))

    async def main() -> None:
        with pytest.raises(ToriiKeysUnavailableError):
            await Verifier(standin.url).verify_async(standin.token())

    run(main)


def test_a_wait_can_be_cancelled(standin: StandIn, run: Run) -> None:
    standin.hold("keys")
    standin.hold("api")
    verifier = Verifier(standin.url)

    async def main() -> None:
        torii = AsyncToriiClient(secret_key="sk_test_loops", api_url=standin.url)
        assert not await within(0.1, lambda: verifier.verify_async(standin.token()))
        assert not await within(0.1, lambda: torii.users.get(USER))
        standin.release()
        assert await within(10, lambda: verifier.verify_async(standin.token()))
        assert await within(10, lambda: torii.users.get(USER))

    run(main)
    eventually(lambda: standin.connections <= 3)

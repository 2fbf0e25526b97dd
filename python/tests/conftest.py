"""The servers that tests ask for by name."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from support.emulator import Emulator
from support.recorder import Recorder
from support.standin import StandIn
from torii_backend import clear_jwks_cache_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Emulator:
    """A local torii without users. Its process, and with it its keys, is the same for all tests."""
    shared_emulator.reset()
    return shared_emulator


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that records requests and plays the replies that it is given."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A stand-in for torii whose answers can be held, delayed and cut in half."""
    standin = StandIn()
    # An earlier one may have had its port, and so its name.
    clear_jwks_cache_for_tests()
    yield standin
    standin.close()

"""The contract's cases over real HTTP: every web adapter tells its clients the same."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conformance import servers
from conformance.runner import CASES, mismatches

APPS = sorted(path.stem for path in Path(__file__).parent.glob("conformance/apps/[a-z]*.py"))


def application_of(name: str) -> Any:
    """The application of an adapter. Where its framework is missing, an old interpreter can run the rest."""
    try:
        return import_module(f"conformance.apps.{name}")
    except ImportError as error:
        ours = (error.name or "").startswith(("torii_backend", "conformance"))
        if ours or os.environ.get("TORII_ADAPTERS") == "all":
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("name", APPS)
def test_clients_are_told_what_the_contract_says(name: str) -> None:
    app = application_of(name)
    with app.served() as port:
        assert mismatches(port, app.ADAPTER) == []


ASGI = [name for name in ("asgi", "starlette", "fastapi") if name in APPS]


@pytest.mark.parametrize("name", ASGI)
def test_a_server_that_can_only_close_a_websocket_closes_it(name: str) -> None:
    app = application_of(name)

    async def without_answers(scope: Any, receive: Any, send: Any) -> None:
        await app.app({**scope, "extensions": {}}, receive, send)

    with servers.uvicorn(without_answers) as port:
        assert mismatches(port, app.ADAPTER._replace(refuses_by_closing=True)) == []


def leaks(message: Any) -> None:
    if message["type"].endswith("response.body") and b'"code"' in message["body"]:
        message["body"] = message["body"].replace(b'{"code"', b'{"why": 1, "code"')


def forgets_no_store(message: Any) -> None:
    if message["type"].endswith("response.start"):
        message["headers"] = [(name, value) for name, value in message["headers"] if name != b"cache-control"]


def challenges_twice(message: Any) -> None:
    if message["type"].endswith("response.start") and message["status"] == 401:
        message["headers"] = [*message["headers"], (b"www-authenticate", b"Basic")]


def answers_200(message: Any) -> None:
    if message["type"].endswith("response.start"):
        message["status"] = 200


def retries_at_once(message: Any) -> None:
    if message["type"].endswith("response.start"):
        message["headers"] = [
            (name, b"0" if name == b"retry-after" else value) for name, value in message["headers"]
        ]


FAULTS = {
    leaks: lambda case: status(case) >= 400,
    forgets_no_store: lambda case: status(case) >= 400,
    challenges_twice: lambda case: status(case) == 401,
    answers_200: lambda case: status(case) >= 400 and "websocket" not in case["needs"],
    retries_at_once: lambda case: status(case) == 503,
}
"""What a sloppy adapter may do, and in which cases the runner must see it."""


def status(case: Any) -> int:
    """The first status of a case that has no other; -1 where a router may answer."""
    return case["expect"]["status"] if isinstance(case["expect"]["status"], int) else -1


@pytest.mark.parametrize("fault", FAULTS)
def test_the_runner_sees_faults(fault: Any) -> None:
    app = application_of("asgi").app

    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        async def altered(message: Any) -> None:
            message = dict(message)
            if scope["path"] != "/hook":
                fault(message)
            if "headers" in message:
                message["headers"] = [each for each in message["headers"] if each[0] != b"content-length"]
            await send(message)

        await app(scope, receive, altered)

    concerned = [
        case["name"]
        for case in CASES
        if FAULTS[fault](case) and case["request"]["target"] != "/hook" and case["request"]["method"] == "GET"
    ]
    assert len(concerned) > 1
    with servers.uvicorn(faulty) as port:
        found = mismatches(port)
    assert [name for name in concerned if not any(each.startswith(f"{name}: ") for each in found)] == []

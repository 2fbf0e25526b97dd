"""What holds for every adapter of an asynchronous framework, over real HTTP."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from conformance import application, servers
from conformance.apps import asgi
from conformance.interleaving import mixups
from conformance.runner import ask
from conformance.wire import Connection
from support.standin import USER, StandIn, eventually
from test_conformance import application_of
from torii_backend.asgi import AuthMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

# Those whose application has a `small` one, too. Frameworks with threads of their own are tested elsewhere.
ADAPTERS = ["asgi", "starlette", "fastapi", "litestar", "aiohttp"]
WAITING = 20


@pytest.mark.parametrize("name", ADAPTERS)
def test_no_request_is_answered_as_another_users(name: str) -> None:
    with application_of(name).served() as port:
        assert mixups(port) == []


def test_a_mixup_would_be_seen() -> None:
    latest: dict[str, Any] = {}

    async def upload(scope: Any, receive: Any, send: Any) -> None:
        latest.update(scope["state"])
        scope["state"] = latest
        await asgi.upload(scope, receive, send)

    app = AuthMiddleware(upload, verifier=application.verifier())
    with servers.uvicorn(app, lifespan="off") as port:
        # All are taken for the one who came last.
        assert len(mixups(port, requests=100)) == 98


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_slow_key_endpoint_holds_up_nobody_else(name: str, standin: StandIn) -> None:
    standin.hold("keys")
    with application_of(name).small(issuer=standin.url) as port, held(port, standin) as waiting:
        eventually(lambda: standin.count("keys") > 0)
        for _ in range(WAITING):
            assert ask(port, {"method": "GET", "target": "/public", "headers": []}).status == 200
        assert not any(connection.is_answered for connection in waiting)
        standin.release()
        answers = [connection.answer("GET", last=False) for connection in waiting]
    assert [(answer.status, USER in answer.body.decode()) for answer in answers] == [(200, True)] * WAITING
    assert standin.count("keys") == 1


@contextmanager
def held(port: int, standin: StandIn) -> Iterator[list[Connection]]:
    """Connections with a request each that waits for keys."""
    head = f"GET /me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {standin.token()}\r\n\r\n"
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port)) for _ in range(WAITING)]
        for connection in connections:
            connection.send(head.encode())
        yield connections

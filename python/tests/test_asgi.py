"""`torii_backend.asgi`: what the contract's cases do not ask of the middleware."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from conformance import application, servers
from conformance.runner import TOKENS, ask
from conformance.wire import Connection
from torii_backend import FromPath, Require, ToriiAuth
from torii_backend.asgi import AuthMiddleware
from torii_backend.errors import ToriiAuthError, ToriiConfigError

BEARER = {"authorization": f"Bearer {TOKENS['tokens']['valid']}"}
PLAIN = {"verifier": application.verifier()}


async def caller(scope: Any, receive: Any, send: Any) -> None:
    auth = scope["state"]["torii"]
    body = str(auth and auth.user_id).encode()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", **scope.get("accept", {})})
        await send({"type": "websocket.send", "text": body.decode()})
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


def test_the_servers_lifespan_reaches_the_application() -> None:
    events = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "a pool"
            for event in ("startup", "shutdown"):
                await receive()
                events.append(event)
                await send({"type": f"lifespan.{event}.complete"})
        else:
            events.append(scope["state"]["pool"])
            await caller(scope, receive, send)

    with servers.uvicorn(AuthMiddleware(app, **PLAIN), lifespan="on") as port:
        assert httpx.get(f"http://127.0.0.1:{port}/", headers=BEARER).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 401
    assert events == ["startup", "a pool", "shutdown"]


async def test_nobody_is_let_in_by_a_protocol_that_is_not_known() -> None:
    with pytest.raises(ToriiConfigError, match="webtransport"):
        await AuthMiddleware(caller, **PLAIN)({"type": "webtransport", "headers": []}, None, None)  # type: ignore


def test_an_answer_is_passed_on_as_it_comes() -> None:
    go_on = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await asyncio.to_thread(go_on.wait, 20)
        await send({"type": "http.response.body", "body": b"second"})

    with (
        servers.uvicorn(AuthMiddleware(app, **PLAIN), lifespan="off") as port,
        httpx.stream("GET", f"http://127.0.0.1:{port}/", headers=BEARER) as reply,
    ):
        parts = reply.iter_raw()
        assert next(parts) == b"first"
        go_on.set()
        assert b"".join(parts) == b"second"


def test_the_hook_is_told_the_cause_and_may_leave_the_answer_as_it_is() -> None:
    causes: list[Any] = []
    app = AuthMiddleware(caller, **PLAIN, on_refused=lambda cause, _: causes.append(cause))
    with servers.uvicorn(app, lifespan="off") as port:
        replies = [
            httpx.get(
                f"http://127.0.0.1:{port}/", headers={"authorization": f"Bearer {TOKENS['tokens'][name]}"}
            )
            for name in ("wrong_issuer", "valid", "expired")
        ]
    assert [reply.status_code for reply in replies] == [401, 200, 401]
    assert [isinstance(cause, ToriiAuthError) and cause.code for cause in causes] == [
        "issuer_mismatch",
        "expired",
    ]


def test_an_optional_middleware_accepts_a_websocket_without_a_caller() -> None:
    app = AuthMiddleware(caller, **PLAIN, optional=True)
    request = {"method": "GET", "target": "/", "headers": [], "websocket": True}
    with servers.uvicorn(app, lifespan="off") as port:
        assert ask(port, request).body == b"None"
        assert ask(port, {**request, "headers": [["authorization", "Bearer {expired}"]]}).status == 401


def test_a_subprotocol_that_the_application_selects_stands() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await caller({**scope, "accept": {"subprotocol": "chat"}}, receive, send)

    guarded = AuthMiddleware(app, verifier=application.verifier("protocol"))
    headers = [["sec-websocket-protocol", "chat, bearer, {valid}"]]
    request = {"method": "GET", "target": "/", "headers": headers, "websocket": True}
    with servers.uvicorn(guarded, lifespan="off") as port:
        answer = ask(port, request)
    assert (answer.status, answer.values("sec-websocket-protocol")) == (101, ["chat"])


def test_a_guard_that_needs_a_path_parameter_lets_nobody_in_around_an_application() -> None:
    app = AuthMiddleware(caller, **PLAIN, require=Require(organization=FromPath("org_id")))
    with servers.uvicorn(app, lifespan="off") as port:
        bearer = {"authorization": f"Bearer {TOKENS['tokens']['admin']}"}
        assert httpx.get(f"http://127.0.0.1:{port}/orgs/organization-1", headers=bearer).status_code == 500


def test_a_connection_serves_several_users_one_after_another() -> None:
    with (
        servers.uvicorn(AuthMiddleware(caller, **PLAIN), lifespan="off") as port,
        Connection(port) as connection,
    ):
        answers = []
        for name in ("user_00", "expired", "user_01", None, "user_00"):
            token = f"Authorization: Bearer {TOKENS['tokens'][name]}\r\n" if name else ""
            connection.send(f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}\r\n".encode())
            answer = connection.answer("GET", last=False)
            answers.append(answer.body.decode() if answer.status == 200 else answer.status)
    assert answers == ["user-00", 401, "user-01", 401, "user-00"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"issuer": "acme"},
        {"issuer": application.ISSUER, **PLAIN},
        {"cookie": "a b", "issuer": application.ISSUER},
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_where_it_is_written(settings: dict[str, Any]) -> None:
    with pytest.raises(ToriiConfigError):
        AuthMiddleware(caller, **settings)


async def test_what_is_let_in_is_a_verified_caller() -> None:
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    headers = [(b"authorization", BEARER["authorization"].encode())]
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    await AuthMiddleware(app, **PLAIN)(scope, None, None)  # type: ignore[arg-type]
    # The scope itself is passed on: middlewares outside read what routers put into it.
    assert scopes == [scope]
    assert scopes[0] is scope
    assert isinstance(scope["state"]["torii"], ToriiAuth)

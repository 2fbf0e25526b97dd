"""ASGI: a middleware that lets only authenticated requests and WebSockets in. It needs no framework."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

from torii_backend._gate import Gate, Refused
from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, MutableMapping

    from typing_extensions import Unpack

    from torii_backend import ToriiAuth
    from torii_backend._gate import GateSettings, Refusal

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["AuthMiddleware"]

_ADMITTED = "torii_backend.admitted"
_PROTOCOL = b"sec-websocket-protocol"


class AuthMiddleware:
    """Lets only authenticated requests and WebSockets in to an ASGI application.

    The caller's `ToriiAuth` is at `scope["state"]["torii"]`, which Starlette and FastAPI call
    `request.state.torii`: `None` for a request without credentials where that is allowed.

    Everything that the middleware is wrapped around is protected, whatever its path: wrap what is protected,
    and leave the rest outside. A refused request is answered before the application sees it. A WebSocket
    gets the same answers, or is closed where the server cannot send them.

    Path parameters are known only inside of a router. `require` with `FromPath` works on a middleware of a
    single route, or with a guard on the route; around an application, it answers 500.

    Args:
        app: The application.
        issuer: The issuer's URL, from the torii dashboard, or a list of them. Keys are fetched with the first
            request.
        verifier: A `Verifier` with settings of its own, in place of `issuer` and the settings of one.
        optional: Let requests without credentials in. Bad ones are refused nonetheless.
        require: What the caller must be: a `Require`. A caller that is not gets 403.
        claims: The type that the caller's `claims` are read into. A token whose claims do not have its shape
            gets 403.
        on_refused: Called with the cause and the `Refusal` of every request that is not let in; it may return
            another one.
        allow_preflight: Let CORS preflight requests in, which carry no credentials, for the application to
            answer.
        settings: Settings of the `Verifier` that is made for `issuer`, such as `audience` and `cookie`. With
            `websocket_protocol=True`, a WebSocket that the application accepts without a subprotocol is
            accepted with `bearer`, which browsers insist on.

    >>> from torii_backend.asgi import AuthMiddleware
    >>> async def app(scope, receive, send):
    ...     body = scope["state"]["torii"].user_id.encode()
    ...     await send({"type": "http.response.start", "status": 200, "headers": []})
    ...     await send({"type": "http.response.body", "body": body})
    >>> app = AuthMiddleware(app, issuer="https://acme.torii.so")

    Raises:
        ToriiConfigError: A setting cannot be used.

    """

    def __init__(self, app: App, **settings: Unpack[GateSettings]) -> None:
        self.app = app
        self._gate = Gate(**settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it."""
        kind = scope["type"]
        if kind == "lifespan":
            return await self.app(scope, receive, send)
        if kind not in ("http", "websocket"):
            raise ToriiConfigError(f"scope: {kind!r} is a protocol that nobody is let in by")
        try:
            send = await admit(self._gate, scope, send)
        except Refused as refused:
            return await answer(scope, send, refused.refusal)
        return await self.app(scope, receive, send)


async def admit(gate: Gate, scope: Scope, send: Send) -> Send:
    """Put the caller into the scope, and return what the application sends with.

    Raises:
        Refused: The request is not let in.

    """
    kind, headers, auth = scope["type"], fields(scope), None
    if not (kind == "http" and gate.is_preflight(scope["method"], headers)):
        auth = await gate.admit_async(headers, scope.get("path_params"))
    # Each request has a scope and a state of its own. Middlewares outside read what is put there.
    scope[_ADMITTED] = (gate, auth)
    scope.setdefault("state", {})["torii"] = auth
    return _selecting(gate.subprotocol(scope.get("subprotocols") or ()), send)


def admitted(scope: Scope) -> tuple[Gate, ToriiAuth | None] | None:
    """Return the innermost middleware's gate and whom it let in; `None` where there is no middleware."""
    return scope.get(_ADMITTED)


def fields(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return a request's header fields as they came: a mapping would hide one that was sent twice."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if scope["type"] != "websocket" or any(name == _PROTOCOL for name, _ in headers):
        return headers
    # Some servers keep this one to themselves.
    offered = ", ".join(scope.get("subprotocols") or ())
    return [*headers, (_PROTOCOL, offered.encode("latin-1"))] if offered else headers


async def answer(scope: Scope, send: Send, refusal: Refusal, content: object = None) -> None:
    """Send the answer to a request or a WebSocket that is not let in, with this body or its own."""
    kind = scope["type"]
    if kind == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            reason = refusal.body.get("code", "")
            return await send({"type": "websocket.close", "code": refusal.close_code, "reason": reason})
        kind = "websocket.http"
    body = json.dumps(refusal.body if content is None else content).encode()
    head = {**refusal.headers, "Content-Type": "application/json"}
    if kind == "http":
        # In an answer to a handshake, some servers say it as well.
        head["Content-Length"] = str(len(body))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head.items()]
    await send({"type": f"{kind}.response.start", "status": refusal.status, "headers": headers})
    return await send({"type": f"{kind}.response.body", "body": body})


def _selecting(subprotocol: str | None, send: Send) -> Send:
    """Accept with `subprotocol` where the application selects none."""
    if subprotocol is None:
        return send

    async def select(message: Message) -> None:
        if message["type"] == "websocket.accept" and message.get("subprotocol") is None:
            message = {**message, "subprotocol": subprotocol}
        await send(message)

    return select

"""Plain ASGI: a table of paths, each with a middleware of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from torii_backend.asgi import AuthMiddleware

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter()


def served() -> AbstractContextManager[int]:
    return servers.uvicorn(app)


def small(**settings: Any) -> AbstractContextManager[int]:
    """A server with `/public`, and with `/me` behind an adapter with these settings."""
    me, public = AuthMiddleware(Answer(application.caller), **settings), Answer(lambda _: {"public": True})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (me if scope["path"] == "/me" else public)(scope, receive, send)

    return servers.uvicorn(app, lifespan="off")


class Application:
    """`scope["path_params"]` comes from here, as from a router."""

    def __init__(self) -> None:
        def protected(path: str, app: Any) -> Any:
            return AuthMiddleware(app, **application.gate(path))

        answers = dict.fromkeys([*application.ANSWERED_BY_CALLER, "/orgs"], application.caller)
        answers["/issuers"] = application.caller_and_issuer
        answers["/optional"] = lambda auth: {"user_id": auth and auth.user_id}
        answers["/claims"] = lambda auth: application.plan(auth.claims)
        self.http = {path: protected(path, Answer(value)) for path, value in answers.items()}
        self.http["/upload"] = protected("/upload", upload)
        self.http["/stream"] = protected("/stream", stream)
        self.http["/public"] = Answer(lambda _: {"public": True})
        self.http["/cors"] = protected("/cors", with_options)
        self.http["/closed"] = protected("/closed", with_options)
        inner = protected("/two", Answer(application.caller_and_issuer))
        self.http["/two"] = AuthMiddleware(inner, verifier=application.verifier("outer"))
        self.websocket = {path: protected(path, live) for path in application.WEBSOCKETS}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        path = scope["path"]
        # An encoded slash does not part segments.
        first, _, rest = scope["raw_path"].decode().lstrip("/").partition("/")
        if first == "orgs" and rest and "/" not in rest:
            path, scope["path_params"] = "/orgs", {"org_id": unquote(rest)}
        app = getattr(self, scope["type"]).get(path, not_found)
        await app(scope, receive, send)


class Answer:
    """Answers GET with what a function makes of the caller."""

    def __init__(self, value: Any, status: int = 200) -> None:
        self.value, self.status = value, status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status = self.status if scope["method"] in ("GET", "HEAD") else 405
        body = json.dumps(self.value(scope.get("state", {}).get("torii"))).encode()
        await respond(send, status, body, [(b"content-type", b"application/json")])


not_found = Answer(lambda _: {}, 404)


async def respond(send: Any, status: int, body: bytes, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers]})
    await send({"type": "http.response.body", "body": body})


async def upload(scope: Any, receive: Any, send: Any) -> None:
    read, more = 0, True
    while more:
        message = await receive()
        read, more = read + len(message["body"]), message.get("more_body", False)
    answer = {"user_id": scope["state"]["torii"].user_id, "bytes": read}
    await respond(send, 200, json.dumps(answer).encode(), [(b"content-type", b"application/json")])


async def stream(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in application.STREAM:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def with_options(scope: Any, receive: Any, send: Any) -> None:
    if scope["method"] == "OPTIONS":
        allowed = [
            (name.lower().encode(), value.encode()) for name, value in application.ALLOWED_ORIGIN.items()
        ]
        return await respond(send, 204, b"", allowed)
    return await Answer(application.caller)(scope, receive, send)


async def live(scope: Any, receive: Any, send: Any) -> None:
    # The middleware selects the subprotocol.
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["state"]["torii"].user_id})
    await send({"type": "websocket.close", "code": 1000})


app = Application()

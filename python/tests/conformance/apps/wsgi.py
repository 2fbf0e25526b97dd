"""Plain WSGI: a table of paths, each with a middleware of its own."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Callable

from torii_backend.wsgi import AuthMiddleware

from conformance import application, servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

ADAPTER = Adapter(lacks=frozenset({"websocket"}))

App = Callable[[dict[str, Any], Any], "Iterable[bytes]"]


def served() -> AbstractContextManager[int]:
    return servers.gunicorn("conformance.apps.wsgi:routed")


def respond(start: Any, status: int, body: bytes, headers: Any = ()) -> list[bytes]:
    start(f"{status} {HTTPStatus(status).phrase}", [*headers])
    return [body]


def answering(value: Callable[[Any], Any]) -> App:
    """Answer GET with what a function makes of the caller."""

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        status = 200 if environ["REQUEST_METHOD"] in ("GET", "HEAD") else 405
        body = json.dumps(value(environ.get("torii.auth"))).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return respond(start, status, b"" if environ["REQUEST_METHOD"] == "HEAD" else body, headers)

    return app


def upload(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    answer = {"user_id": environ["torii.auth"].user_id, "bytes": len(environ["wsgi.input"].read())}
    return respond(start, 200, json.dumps(answer).encode(), [("Content-Type", "application/json")])


def stream(_: dict[str, Any], start: Any) -> Iterable[bytes]:
    start("200 OK", [])
    return iter(application.STREAM)


def with_options(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "OPTIONS":
        return respond(start, 204, b"", application.ALLOWED_ORIGIN.items())
    return answering(application.caller)(environ, start)


def protected(path: str, app: App) -> App:
    return AuthMiddleware(app, **application.gate(path))


ROUTES: dict[str, App] = {
    **{
        path: protected(path, answering(application.caller))
        for path in [*application.ANSWERED_BY_CALLER, "/orgs"]
    },
    "/issuers": protected("/issuers", answering(application.caller_and_issuer)),
    "/optional": protected("/optional", answering(lambda auth: {"user_id": auth and auth.user_id})),
    "/claims": protected("/claims", answering(lambda auth: application.plan(auth.claims))),
    "/upload": protected("/upload", upload),
    "/stream": protected("/stream", stream),
    "/public": answering(lambda _: {"public": True}),
    "/cors": protected("/cors", with_options),
    "/closed": protected("/closed", with_options),
    "/two": AuthMiddleware(
        protected("/two", answering(application.caller_and_issuer)), verifier=application.verifier("outer")
    ),
}


def routed(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    first, _, rest = path[1:].partition("/")
    if first == "orgs" and rest and "/" not in rest:
        # As routers leave what they find.
        path, environ["wsgiorg.routing_args"] = "/orgs", ((), {"org_id": rest})
    app = ROUTES.get(path)
    return respond(start, 404, b"{}") if app is None else app(environ, start)

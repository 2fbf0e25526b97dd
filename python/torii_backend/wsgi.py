"""WSGI: a middleware that lets only authenticated requests through. It needs nothing beside this package."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from torii_backend._gate import Gate, Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    # In the package of types alone, which every checker has.
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Unpack

    from torii_backend._gate import GateSettings

__all__ = ["AuthMiddleware", "Refusal"]

_AUTH = "torii.auth"


class AuthMiddleware:
    """Gives an application the `ToriiAuth` of each request's caller, in `environ["torii.auth"]`.

    It protects all that the application answers. A client cannot set the variable: its headers become
    variables whose names start with `HTTP_`.

    Args:
        app: The application to protect.
        optional: Let requests without credentials through, with `None` in place of the caller. Bad ones are
            refused nonetheless.
        require: What the caller must be: a `Require`. A caller that is not gets 403. Its `FromPath` looks at
            `wsgiorg.routing_args`, where a router before this middleware leaves path parameters. Without
            them, it is answered with 500.
        claims: The type that the caller's `claims` are read into.
        on_refused: Called with the cause and the `Refusal` of every request that is not let in; it may return
            another one.
        allow_preflight: Let CORS preflight requests through, which carry no credentials.
        settings: `issuer`, and other settings of a `Verifier`; or `verifier`, a `Verifier` of your own.

    >>> def application(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [environ["torii.auth"].user_id.encode()]
    >>> application = AuthMiddleware(application, issuer="https://acme.torii.so")

    Raises:
        ToriiConfigError: A setting cannot be used.

    """

    def __init__(self, app: WSGIApplication, **settings: Unpack[GateSettings]) -> None:
        self._app = app
        self._gate = Gate(**settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        # What another middleware has let through counts for that one alone.
        environ[_AUTH] = None
        method = environ.get("REQUEST_METHOD", "")
        if not self._gate.is_preflight(method, environ):
            try:
                environ[_AUTH] = self._gate.admit(environ, _path_parameters(environ))
            except Refused as refused:
                return _answer(refused.refusal, method, start_response)
        return self._app(environ, start_response)


def _path_parameters(environ: WSGIEnvironment) -> Mapping[str, Any] | None:
    # https://wsgi.readthedocs.io/en/latest/specifications/routing_args.html
    _, named = environ.get("wsgiorg.routing_args", ((), None))
    return cast("Mapping[str, Any] | None", named)


def _answer(refusal: Refusal, method: str, start_response: StartResponse) -> Iterable[bytes]:
    body = json.dumps(refusal.body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **refusal.headers}
    try:
        phrase = HTTPStatus(refusal.status).phrase
    except ValueError:
        # A status of `on_refused`.
        phrase = "Refused"
    start_response(f"{refusal.status} {phrase}", list(headers.items()))
    return [] if method == "HEAD" else [body]

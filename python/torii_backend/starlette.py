"""Starlette: a middleware that lets only authenticated requests and WebSockets in, and guards on endpoints.

It comes with `pip install "torii-backend[starlette]"`.
"""

from __future__ import annotations

from functools import wraps
from inspect import isclass, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Callable, TypeVar

try:
    from starlette.requests import HTTPConnection
    from starlette.responses import JSONResponse
    from starlette.websockets import WebSocket
except ImportError as error:
    raise ImportError(
        'torii_backend.starlette needs Starlette: pip install "torii-backend[starlette]"', name=error.name
    ) from error

from torii_backend import Require, asgi
from torii_backend._gate import Refused, not_installed
from torii_backend._stacking import remember, unguarded
from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from torii_backend._gate import Refusal

__all__ = ["AuthMiddleware", "requires"]

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class AuthMiddleware(asgi.AuthMiddleware):
    """The middleware of `torii_backend.asgi`: `request.state.torii` is the caller.

    It protects an application, what is in a `Mount`, or a `Route`, whose path parameters `require` knows.

    >>> from starlette.applications import Starlette
    >>> from torii_backend.starlette import AuthMiddleware
    >>> app = Starlette()
    >>> app.add_middleware(AuthMiddleware, issuer="https://acme.torii.so")
    """

    _inspected = False
    _unguarded: str | None = None

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Let a request in, or answer it."""
        if not self._inspected:
            self._inspected, self._unguarded = True, unguarded(self.app)
        if self._unguarded is not None and scope["type"] != "lifespan":
            mistake = ToriiConfigError(f"requires: must stand below what registers {self._unguarded!r}")
            return await asgi.answer(scope, send, self._gate.refuse(mistake).refusal)
        return await super().__call__(scope, receive, send)


def requires(require: Require) -> Callable[[Endpoint], Endpoint]:
    """Make a guard for an endpoint: a function, a method of a class-based endpoint, or the class.

    The endpoint is behind an `AuthMiddleware`, and takes the request or the WebSocket. A caller that is not
    what `require` says gets 403; a request without credentials, which an optional middleware lets in, 401.

    Where a decorator such as FastAPI's `@app.get(…)` registers the function, `@requires(…)` stands below it.
    Above it, it would guard nothing: the middleware then answers every request with 500.

    >>> from torii_backend import FromPath, Require
    >>> @requires(Require(organization=FromPath("org_id"), role="org:administrator"))
    ... async def members(request):
    ...     return JSONResponse({"user_id": request.state.torii.user_id})
    """

    def guard(endpoint: Any) -> Any:
        if isclass(endpoint):
            return _guarded_class(endpoint, require)
        guarded = _guarded(endpoint, require)
        remember(endpoint, guarded)
        return guarded

    return guard


def _guarded(endpoint: Any, require: Require) -> Any:
    if iscoroutinefunction(endpoint) or iscoroutinefunction(type(endpoint).__call__):

        @wraps(endpoint)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            connection = _connection([*args, *kwargs.values()])
            try:
                _check(connection.scope, require)
            except Refused as refused:
                if isinstance(connection, WebSocket):
                    return await asgi.answer(connection.scope, connection.send, refused.refusal)
                return _response(refused.refusal)
            return await endpoint(*args, **kwargs)

        return guarded

    @wraps(endpoint)
    def guarded_in_thread(*args: Any, **kwargs: Any) -> Any:
        try:
            _check(_connection([*args, *kwargs.values()]).scope, require)
        except Refused as refused:
            return _response(refused.refusal)
        return endpoint(*args, **kwargs)

    return guarded_in_thread


def _guarded_class(endpoint: Any, require: Require) -> Any:
    """Guard what Starlette calls of an `HTTPEndpoint` or a `WebSocketEndpoint`."""
    dispatch = endpoint.dispatch

    @wraps(dispatch)
    async def guarded(self: Any) -> None:
        try:
            _check(self.scope, require)
        except Refused as refused:
            await asgi.answer(self.scope, self.send, refused.refusal)
        else:
            await dispatch(self)

    endpoint.dispatch = guarded
    return endpoint


def _check(scope: asgi.Scope, require: Require) -> None:
    found = asgi.admitted(scope)
    if found is None:
        raise not_installed("requires", "AuthMiddleware")
    gate, auth = found
    gate.check(auth, require, scope.get("path_params"))


def _connection(arguments: list[Any]) -> Any:
    kind: Any = HTTPConnection
    found = next((each for each in arguments if isinstance(each, kind)), None)
    if found is None:
        raise ToriiConfigError("requires: the endpoint takes neither a request nor a WebSocket")
    return found


def _response(refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)

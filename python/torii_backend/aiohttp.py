"""aiohttp: a middleware that lets only authenticated requests and WebSocket handshakes in, and `requires`.

It comes with `pip install "torii-backend[aiohttp]"`.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from weakref import WeakSet

try:
    from aiohttp import web
except ImportError as error:
    raise ImportError(
        'torii_backend.aiohttp needs aiohttp: pip install "torii-backend[aiohttp]"', name=error.name
    ) from error

from torii_backend import ToriiAuth
from torii_backend._gate import Gate, Refused, not_installed
from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from typing import Callable

    from aiohttp.typedefs import Handler, Middleware
    from typing_extensions import Unpack

    from torii_backend import Require
    from torii_backend._gate import GateSettings

__all__ = ["AUTH", "auth_middleware", "requires"]

_Handler = TypeVar("_Handler", bound="Callable[..., Any]")


class _Admitted(NamedTuple):
    gate: Gate
    auth: ToriiAuth[Any] | None


def _key(name: str, kind: type[Any]) -> Any:
    # Releases before 3.14 have only text for keys.
    return web.RequestKey(name, kind) if hasattr(web, "RequestKey") else f"torii_backend.{name}"


if TYPE_CHECKING:
    AUTH: web.RequestKey[ToriiAuth[Any]]
else:
    AUTH = _key("AUTH", ToriiAuth)
_ADMITTED = _key("admitted", _Admitted)
_GUARDED: WeakSet[Any] = WeakSet()


def auth_middleware(**settings: Unpack[GateSettings]) -> Middleware:
    """Make the middleware of an application or a subapplication, which protects everything in it.

    `request[AUTH]` is the caller's `ToriiAuth`. A WebSocket is refused before the upgrade. Where subprotocols
    may hold the token, accept with `web.WebSocketResponse(protocols=["bearer"])`.

    Args:
        settings: As those of `torii_backend.asgi.AuthMiddleware`: `issuer` or `verifier`, `optional`, with
            which `request.get(AUTH)` is `None` without credentials, `require`, `claims`, `on_refused`,
            `allow_preflight`, and a verifier's own.

    >>> from aiohttp import web
    >>> async def me(request):
    ...     return web.json_response({"user_id": request[AUTH].user_id})
    >>> app = web.Application(middlewares=[auth_middleware(issuer="https://acme.torii.so")])
    >>> _ = app.router.add_get("/me", me)

    Raises:
        ToriiConfigError: A setting cannot be used.

    """
    gate = Gate(**settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            await _admit(gate, request)
        except Refused as refused:
            return _response(refused)
        return await handler(request)

    return middleware


async def _admit(gate: Gate, request: web.Request) -> None:
    request[_ADMITTED] = _Admitted(gate, None)
    if gate.is_preflight(request.method, request.raw_headers):
        return
    route = request.match_info.handler
    if route in _GUARDED:
        name = getattr(route, "__qualname__", "the handler")
        error = ToriiConfigError(f"requires: stands above the route of {name}, and so guards nothing")
        raise gate.refuse(error) from error
    auth = await gate.admit_async(request.raw_headers, request.match_info)
    request[_ADMITTED] = _Admitted(gate, auth)
    if auth is not None:
        request[AUTH] = auth
    else:
        request.pop(AUTH, None)


def requires(require: Require) -> Callable[[_Handler], _Handler]:
    """Guard a handler behind `auth_middleware`: a function, or a method such as those of a `web.View`.

    It stands below the decorator of a `web.RouteTableDef`: the function without it is no route.

    >>> from aiohttp import web
    >>> from torii_backend import Require
    >>> @requires(Require(role="org:administrator"))
    ... async def admin(request):
    ...     return web.json_response({"user_id": request[AUTH].user_id})
    """

    def decorate(handler: _Handler) -> _Handler:
        if not iscoroutinefunction(handler):
            name = getattr(handler, "__name__", "handler")
            raise ToriiConfigError(f"requires: {name} is no coroutine function; of a view, guard the methods")

        @wraps(handler)
        async def guarded(*arguments: Any) -> Any:
            # The methods of a view take nothing but the view.
            request = getattr(arguments[-1], "request", arguments[-1])
            try:
                _check(request, require)
            except Refused as refused:
                return _response(refused)
            return await handler(*arguments)

        _GUARDED.add(handler)
        return cast("_Handler", guarded)

    return decorate


def _check(request: web.Request, require: Require) -> None:
    admitted: _Admitted | None = request.get(_ADMITTED)
    if admitted is None:
        raise not_installed("requires", "auth_middleware")
    if not admitted.gate.is_preflight(request.method, request.raw_headers):
        admitted.gate.check(admitted.auth, require, request.match_info)


def _response(refused: Refused) -> web.Response:
    status, headers, body, _ = refused.refusal
    return web.json_response(body, status=status, headers=headers)

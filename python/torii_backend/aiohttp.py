"""aiohttp: a middleware that lets only authenticated requests and WebSocket handshakes in, and `requires`.

It comes with `pip install "torii-backend[aiohttp]"`.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, cast
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


def _key(name: str, kind: type[Any]) -> Any:
    # Releases before 3.14 have only text for keys.
    return web.RequestKey(name, kind) if hasattr(web, "RequestKey") else f"torii_backend.{name}"


if TYPE_CHECKING:
    AUTH: web.RequestKey[ToriiAuth[Any]]
else:
    AUTH = _key("AUTH", ToriiAuth)
_ADMITTED = _key("admitted", tuple)
_GUARDED: WeakSet[Any] = WeakSet()


def auth_middleware(**settings: Unpack[GateSettings]) -> Middleware:
    """Make the middleware of an application or a subapplication, which protects everything in it.

    `request[AUTH]` is the caller's `ToriiAuth`; with `optional=True`, ask `request.get(AUTH)`. A WebSocket is
    refused before the upgrade. Where its subprotocols may hold the token, accept with
    `web.WebSocketResponse(protocols=["bearer"])`.

    Args:
        settings: As those of `torii_backend.asgi.AuthMiddleware`: `issuer` or `verifier`, `optional`,
            `require`, `claims`, `on_refused`, `allow_preflight`, and a verifier's own.

    Raises:
        ToriiConfigError: A setting cannot be used.

    """
    require = settings.pop("require", None)
    gate = Gate(**settings)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            await _admit(gate, require, request)
        except Refused as refused:
            return _response(refused)
        return await handler(request)

    return middleware


async def _admit(gate: Gate, require: Require | None, request: web.Request) -> None:
    request[_ADMITTED] = (gate, None)
    if gate.is_preflight(request.method, request.raw_headers):
        return
    route = request.match_info.handler
    if route in _GUARDED:
        name = getattr(route, "__qualname__", route)
        problem = f"requires: stands above the route of {name}, which has it without the guard"
        raise gate.refuse(ToriiConfigError(problem))
    auth = await gate.admit_async(request.raw_headers)
    if require is not None and auth is not None:
        if request.match_info.http_exception is not None:
            # No route, and so no path parameters that a guard could compare.
            raise request.match_info.http_exception
        gate.check(auth, require, request.match_info)
    request[_ADMITTED] = (gate, auth)
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
    >>> app = web.Application(middlewares=[auth_middleware(issuer="https://acme.torii.so")])
    >>> _ = app.router.add_get("/admin", admin)

    """

    def decorate(handler: _Handler) -> _Handler:
        if not iscoroutinefunction(handler):
            raise ToriiConfigError(
                f"requires: {handler!r} is no coroutine function. Of a view, guard the methods"
            )

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
    admitted: tuple[Gate, ToriiAuth[Any] | None] | None = request.get(_ADMITTED)
    if admitted is None:
        raise not_installed("requires", "auth_middleware")
    gate, auth = admitted
    if not gate.is_preflight(request.method, request.raw_headers):
        gate.check(auth, require, request.match_info)


def _response(refused: Refused) -> web.Response:
    status, headers, body, _ = refused.refusal
    return web.json_response(body, status=status, headers=headers)

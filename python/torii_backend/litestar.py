"""Litestar: a middleware that lets only authenticated requests and WebSockets in, and guards.

It comes with `pip install "torii-backend[litestar]"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from litestar import exceptions
    from litestar.openapi.spec import Components, SecurityScheme
except ImportError as error:
    raise ImportError(
        'torii_backend.litestar needs Litestar: pip install "torii-backend[litestar]"', name=error.name
    ) from error

from torii_backend._gate import Gate, Refused, not_installed
from torii_backend.asgi import admit, admitted, answer

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Callable

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import ASGIApp, Receive
    from typing_extensions import Unpack

    from torii_backend import Require
    from torii_backend._gate import GateSettings, Refusal

    Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

__all__ = ["requires", "torii_auth"]

_REFUSAL = "torii_backend.refusal"
_EXCEPTIONS: dict[int, type[exceptions.HTTPException]] = {
    401: exceptions.NotAuthorizedException,
    403: exceptions.PermissionDeniedException,
    500: exceptions.InternalServerException,
    503: exceptions.ServiceUnavailableException,
}


class torii_auth:  # noqa: N801 -- it is called as a function is
    """Let only authenticated requests in: `middleware=[torii_auth(issuer=…)]` of an application or a router.

    `request.auth` and `request.user` are the caller's `ToriiAuth`; with `optional=True`, `None` without
    credentials. A handler with `exclude_from_auth=True` is open. A refused request raises Litestar's
    exception for its status, such as `NotAuthorizedException`, whose `extra` has the `code` and whose
    `__cause__` is the `ToriiAuthError`. A WebSocket is refused before it is accepted.

    Args:
        exclude_opt_key: The key of a handler's `opt` that opens it, if its value is `True`.
        scheme_name: The security scheme's name in `openapi_components`, which `OpenAPIConfig` takes.
        settings: As those of `torii_backend.asgi.AuthMiddleware`: `issuer` or `verifier`, `optional`,
            `require`, `claims`, `on_refused`, `allow_preflight`, and a verifier's own.

    Raises:
        ToriiConfigError: A setting cannot be used.

    """

    def __init__(self, *, exclude_opt_key: str = "exclude_from_auth", scheme_name: str = "torii",
                 **settings: Unpack[GateSettings]) -> None:  # fmt: skip
        self._gate = Gate(**settings)
        self._open = exclude_opt_key
        header = self._gate.verifier.header
        if header == "authorization":
            scheme = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
        else:
            scheme = SecurityScheme(type="apiKey", name=header, security_scheme_in="header")
        self.openapi_components = Components(security_schemes={scheme_name: scheme})
        self.security_requirement: dict[str, list[str]] = {scheme_name: []}

    def __deepcopy__(self, memo: object) -> torii_auth:
        return self  # Litestar copies its routers with all they hold.

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Wrap the handler of a route, as Litestar asks of a middleware."""

        async def middleware(scope: Any, receive: Receive, send: Any) -> None:
            handler = scope.get("route_handler")
            if handler is not None and handler.opt.get(self._open) is True:
                return await app(scope, receive, send)
            try:
                sending = await admit(self._gate, scope, send)
            except Refused as refused:
                if scope["type"] == "websocket":
                    return await answer(scope, send, refused.refusal, _content(refused.refusal))
                raise _exception(refused) from refused.__cause__
            scope["auth"] = scope["user"] = scope["state"]["torii"]
            return await app(scope, receive, _answering(scope, sending))

        return middleware


def requires(require: Require) -> Guard:
    """Make a guard for a handler, a controller or a router behind `torii_auth`.

    >>> from litestar import Litestar, Request, get
    >>> from torii_backend import Require
    >>> @get("/admin", guards=[requires(Require(role="org:administrator"))])
    ... async def admin(request: Request) -> dict:
    ...     return {"user_id": request.auth.user_id}
    >>> app = Litestar([admin], middleware=[torii_auth(issuer="https://acme.torii.so")])

    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        found = admitted(scope)
        try:
            if found is None:
                raise not_installed("requires", "torii_auth")
            gate, auth = found
            if not gate.is_preflight(scope.get("method", ""), scope["headers"]):
                gate.check(auth, require, scope.get("path_params"))
        except Refused as refused:
            scope[_REFUSAL] = refused.refusal
            raise _exception(refused) from refused.__cause__

    return guard


def _exception(refused: Refused) -> exceptions.HTTPException:
    status, headers, body, _ = refused.refusal
    # Else the content type is the handler's.
    headers = {**headers, "Content-Type": "application/json"}
    kind = _EXCEPTIONS.get(status, exceptions.HTTPException)
    return kind(status_code=status, detail=body.get("message", ""), headers=headers, extra=dict(body))


def _content(refusal: Refusal) -> dict[str, Any]:
    # As Litestar writes an exception.
    return {"status_code": refusal.status, "detail": refusal.body.get("message", ""), "extra": refusal.body}


def _answering(scope: Any, send: Any) -> Any:
    """Answer the handshake that a guard has refused, and that Litestar would close with a code of its own."""

    async def answering(message: Any) -> None:
        refusal = scope.pop(_REFUSAL, None)
        if message["type"] == "websocket.close" and refusal is not None:
            return await answer(scope, send, refusal, _content(refusal))
        await send(message)
        return None

    return answering

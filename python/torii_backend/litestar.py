"""Litestar: a middleware that lets only authenticated requests and WebSockets in, and guards.

It comes with `pip install "torii-backend[litestar]"`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

try:
    from litestar.exceptions import (
        HTTPException,
        InternalServerException,
        NotAuthorizedException,
        PermissionDeniedException,
        ServiceUnavailableException,
        WebSocketException,
    )
    from litestar.openapi.spec import Components, SecurityScheme
except ImportError as error:
    raise ImportError(
        'torii_backend.litestar needs Litestar: pip install "torii-backend[litestar]"', name=error.name
    ) from error

from torii_backend._gate import Gate, Refusal, Refused, not_installed

if TYPE_CHECKING:
    from typing import Callable

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import ASGIApp, Message, Receive, Send

    from torii_backend import Require, ToriiAuth
    from torii_backend._gate import OnRefused

__all__ = ["requires", "torii_auth"]

_KEY = "torii_backend.admitted"
_REFUSAL = "torii_backend.refusal"
_EXCEPTIONS: dict[int, type[HTTPException]] = {
    401: NotAuthorizedException,
    403: PermissionDeniedException,
    500: InternalServerException,
    503: ServiceUnavailableException,
}


class _Admitted(NamedTuple):
    gate: Gate
    auth: ToriiAuth[Any] | None


class torii_auth:  # noqa: N801 -- it is used as a function
    """The middleware: `Litestar(…, middleware=[torii_auth(issuer="https://acme.torii.so")])`.

    `request.auth` and `request.user` are the caller's `ToriiAuth`. A handler with `exclude_from_auth=True` is
    open. `openapi_components` and `security_requirement` are for `OpenAPIConfig`. A refused request raises
    Litestar's exception for its status, whose `extra` has the `code`; a WebSocket is refused before it is
    accepted.

    Args:
        issuer: The issuer's URL, from the torii dashboard. Its keys are fetched with the first request.
        optional: Let requests without credentials in, with `None` for the caller.
        require: What every caller must be. One that is not gets 403.
        claims: The type that the caller's `claims` are read into.
        on_refused: Called with the cause and the `Refusal` of a request; it may return another one.
        allow_preflight: Let CORS preflight requests in, which carry no credentials.
        exclude_opt_key: The key of a handler's `opt` that opens it, if its value is `True`.
        scheme_name: The name of the OpenAPI security scheme.
        settings: `verifier`, a `Verifier`, in place of `issuer`; or settings of the one made for it.

    >>> from litestar import Litestar, Request, get
    >>> @get("/me")
    ... async def me(request: Request) -> dict:
    ...     return {"user_id": request.auth.user_id}
    >>> app = Litestar([me], middleware=[torii_auth(issuer="https://acme.torii.so")])
    """

    def __init__(
        self,
        *,
        issuer: Any = None,
        optional: bool = False,
        require: Require | None = None,
        claims: type[Any] | None = None,
        on_refused: OnRefused | None = None,
        allow_preflight: bool = False,
        exclude_opt_key: str = "exclude_from_auth",
        scheme_name: str = "torii",
        **settings: Any,
    ) -> None:
        self._gate = Gate(
            issuer=issuer, optional=optional, require=require, claims=claims, on_refused=on_refused,
            allow_preflight=allow_preflight, **settings
        )  # fmt: skip
        self._exclude_opt_key = exclude_opt_key
        header = self._gate.verifier.header
        if header == "authorization":
            scheme = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
        else:
            scheme = SecurityScheme(type="apiKey", name=header, security_scheme_in="header")
        self.openapi_components = Components(security_schemes={scheme_name: scheme})
        self.security_requirement: dict[str, list[str]] = {scheme_name: []}

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Wrap a route, as Litestar asks of a middleware."""

        protocol = getattr(self._gate.verifier, "websocket_protocol", False)

        async def middleware(scope: Any, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                send = _answering(scope, send, protocol)
            try:
                await self._admit(scope)
            except WebSocketException as error:
                await send({"type": "websocket.close", "code": error.code, "reason": error.detail})
            else:
                await app(scope, receive, send)

        return middleware

    async def _admit(self, scope: Any) -> None:
        handler = scope.get("route_handler")
        if handler is not None and handler.opt.get(self._exclude_opt_key) is True:
            return
        gate, headers = self._gate, scope["headers"]
        scope[_KEY] = _Admitted(gate, None)
        if gate.is_preflight(scope.get("method", ""), headers):
            return
        try:
            auth = await gate.admit_async(headers, scope.get("path_params"))
        except Refused as refused:
            raise _exception(scope, refused) from refused.__cause__
        scope["auth"] = scope["user"] = auth
        scope[_KEY] = _Admitted(gate, auth)


def requires(require: Require) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Any]:
    """Make a guard for a handler, a controller or a router behind `torii_auth`: `guards=[requires(…)]`.

    >>> from litestar import get
    >>> from torii_backend import Require
    >>> @get("/admin", guards=[requires(Require(role="org:administrator"))])
    ... async def admin() -> str:
    ...     return "Hello"
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        scope: Any = connection.scope
        admitted: _Admitted | None = scope.get(_KEY)
        try:
            if admitted is None:
                raise not_installed("requires", "torii_auth")
            if not admitted.gate.is_preflight(scope.get("method", ""), scope["headers"]):
                admitted.gate.check(admitted.auth, require, scope.get("path_params"))
        except Refused as refused:
            raise _exception(scope, refused) from refused.__cause__

    return guard


def _exception(scope: Any, refused: Refused) -> Exception:
    status, headers, body, close_code = refused.refusal
    if scope["type"] == "websocket":
        scope[_REFUSAL] = refused.refusal
        return WebSocketException(detail=body["code"], code=close_code)
    # Else the content type is the handler's.
    headers = {**headers, "Content-Type": "application/json"}
    kind = _EXCEPTIONS.get(status, HTTPException)
    return kind(status_code=status, detail=body.get("message", ""), headers=headers, extra=dict(body))


def _answering(scope: Any, send: Send, protocol: bool) -> Send:
    """Answer a handshake by HTTP where the server can, and select the subprotocol that the token came with."""

    async def answering(message: Any) -> None:
        refusal: Refusal | None = scope.get(_REFUSAL)
        if message["type"] == "websocket.close" and refusal is not None:
            if "websocket.http.response" in (scope.get("extensions") or {}):
                fields = [*refusal.headers.items(), ("Content-Type", "application/json")]
                headers = [(name.lower().encode(), value.encode()) for name, value in fields]
                start = {
                    "type": "websocket.http.response.start",
                    "status": refusal.status,
                    "headers": headers,
                }
                await send(cast("Message", start))
                message = {"type": "websocket.http.response.body", "body": json.dumps(refusal.body).encode()}
        elif message["type"] == "websocket.accept" and protocol and not message.get("subprotocol"):
            offered = [each.strip().lower() for each in scope.get("subprotocols", [])]
            if "bearer" in offered:
                message = {**message, "subprotocol": "bearer"}
        await send(message)

    return answering

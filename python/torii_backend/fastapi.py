"""FastAPI: a dependency that lets only authenticated requests and WebSockets in.

It comes with `pip install "torii-backend[fastapi]"`.
"""

from collections.abc import Collection, Coroutine
from typing import Any, Callable, Literal, Optional, TypeVar, Union, overload

try:
    from fastapi import HTTPException, WebSocketException
    from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
    from fastapi.openapi.models import SecurityBase as SecurityBaseModel
    from fastapi.requests import HTTPConnection
    from fastapi.security import SecurityScopes
    from fastapi.security.base import SecurityBase
    from fastapi.websockets import WebSocket
except ImportError as error:
    raise ImportError(
        'torii_backend.fastapi needs FastAPI: pip install "torii-backend[fastapi]"', name=error.name
    ) from error

from torii_backend import Require, ToriiAuth
from torii_backend._gate import Gate, OnRefused, Refusal, Refused
from torii_backend.errors import ToriiConfigError
from torii_backend.verify import Verifier

__all__ = ["require_auth"]

_AUTHORIZATION = "authorization"


Claims = TypeVar("Claims")


@overload
def require_auth(
    *,
    issuer: Optional[Union[str, Collection[str]]] = None,
    audience: Union[str, list[str], None] = None,
    leeway: float = 30.0,
    header: str = _AUTHORIZATION,
    cookie: Optional[str] = None,
    websocket_protocol: bool = False,
    optional: Literal[False] = False,
    require: Optional[Require] = None,
    claims: type[Claims],
    on_refused: Optional[OnRefused] = None,
    verifier: Optional[Verifier] = None,
    scheme_name: Optional[str] = None,
) -> Callable[[HTTPConnection], Coroutine[Any, Any, ToriiAuth[Claims]]]: ...


@overload
def require_auth(
    *,
    issuer: Optional[Union[str, Collection[str]]] = None,
    audience: Union[str, list[str], None] = None,
    leeway: float = 30.0,
    header: str = _AUTHORIZATION,
    cookie: Optional[str] = None,
    websocket_protocol: bool = False,
    optional: Literal[False] = False,
    require: Optional[Require] = None,
    claims: None = None,
    on_refused: Optional[OnRefused] = None,
    verifier: Optional[Verifier] = None,
    scheme_name: Optional[str] = None,
) -> Callable[[HTTPConnection], Coroutine[Any, Any, ToriiAuth]]: ...


@overload
def require_auth(
    *,
    issuer: Optional[Union[str, Collection[str]]] = None,
    audience: Union[str, list[str], None] = None,
    leeway: float = 30.0,
    header: str = _AUTHORIZATION,
    cookie: Optional[str] = None,
    websocket_protocol: bool = False,
    optional: bool,
    require: Optional[Require] = None,
    claims: Optional[type[Any]] = None,
    on_refused: Optional[OnRefused] = None,
    verifier: Optional[Verifier] = None,
    scheme_name: Optional[str] = None,
) -> Callable[[HTTPConnection], Coroutine[Any, Any, Optional[ToriiAuth[Any]]]]: ...


def require_auth(
    *,
    optional: bool = False,
    scheme_name: Optional[str] = None,
    cookie: Optional[str] = None,
    **settings: Any,
) -> Callable[[HTTPConnection], Coroutine[Any, Any, Optional[ToriiAuth[Any]]]]:
    """Make a dependency that gives a route the `ToriiAuth` of its caller.

    Args:
        issuer: The issuer's URL, from the torii dashboard. Its keys are fetched with the first request.
        audience: What the token's `aud` must hold one of. Without it, a token that has an `aud` is refused.
        leeway: Seconds that clocks may differ, from 0 to 300.
        header: The header that carries `Bearer` and the token.
        cookie: The name of a cookie that may hold the token as well.
        websocket_protocol: Whether a WebSocket's subprotocols may hold the token: `bearer`, then the token. The
            route has to accept with `await socket.accept(subprotocol="bearer")`.
        optional: Give `None` to a route whose caller sent no credentials. Bad ones are refused nonetheless.
        require: What the caller must be: a `Require`. A caller that is not gets 403.
        claims: The type that the caller's `claims` are read into. A token whose claims do not have its shape gets
            403.
        on_refused: Called with the cause and the `Refusal` of every request that is not let in; it may return
            another one.
        verifier: A `Verifier`, in place of `issuer` and its settings.
        scheme_name: The name of the security scheme in the OpenAPI document: `torii`, and `torii-` and the
            header's name for a header other than `Authorization`.

    A refused token is answered with 401 and `{"detail": {"code": "authentication_failed", "message": …}}`,
    keys that cannot be had with 503 and `Retry-After`. A WebSocket gets the same answers before it is
    accepted, or is closed with 1008 or 1013 where the server cannot send them. The `ToriiAuthError` is the
    `__cause__` of the exception.

    Tokens of torii have no scopes. A route that asks for some, `Security(auth_dep, scopes=…)`, is answered
    with 500, unless a dependency between the two takes `SecurityScopes`.

    >>> from fastapi import Depends, FastAPI
    >>> app = FastAPI()
    >>> auth_dep = require_auth(issuer="https://acme.torii.so")
    >>> @app.get("/me")
    ... async def me(auth=Depends(auth_dep)):
    ...     return {"user_id": auth.user_id}

    Raises:
        ToriiConfigError: A setting cannot be used.

    """
    gate = Gate(optional=optional, **settings, **({} if cookie is None else {"cookie": cookie}))
    if scheme_name is None:
        header = gate.verifier.header
        scheme_name = "torii" if header == _AUTHORIZATION else f"torii-{header}"
    return _RequireAuth(gate, scheme_name)


_NO_SCOPES = SecurityScopes()


class _RequireAuth(SecurityBase):
    """The dependency, and also what the OpenAPI document says: two dependencies would cost twice as much."""

    def __init__(self, gate: Gate, scheme_name: str) -> None:
        self.scheme_name = scheme_name
        self.model = _scheme(gate.verifier.header)
        self._gate = gate

    async def __call__(
        self, request: HTTPConnection, scopes: SecurityScopes = _NO_SCOPES
    ) -> Optional[ToriiAuth[Any]]:
        try:
            if scopes.scopes:
                self._refuse_unread(request, scopes)
            # The fields as they came: a mapping of them would hide one that was sent twice.
            return await self._gate.admit_async(request.scope["headers"], request.scope.get("path_params"))
        except Refused as refused:
            raise _exception(request, refused.refusal) from refused.__cause__

    def _refuse_unread(self, request: HTTPConnection, scopes: SecurityScopes) -> None:
        """Refuse scopes that nobody looks at: everybody with a token would be let in."""
        route = request.scope.get("route")
        if route is None or _unread(route.dependant, self, set(scopes.scopes)):
            problem = (
                f"scopes: {request.url.path} needs {scopes.scope_str!r}, and tokens of torii have no scopes"
            )
            error = ToriiConfigError(problem)
            raise self._gate.refuse(error) from error


def _unread(dependant: Any, dependency: object, scopes: set[str]) -> bool:
    """Whether `dependency` is asked for the scopes where nothing above it takes `SecurityScopes`."""
    if dependant.call is dependency:
        # Versions of FastAPI keep an occurrence's scopes in different places.
        places = ("security_scopes", "parent_oauth_scopes", "own_oauth_scopes")
        return {scope for place in places for scope in getattr(dependant, place, None) or ()} == scopes
    if dependant.security_scopes_param_name is not None:
        return False
    return any(_unread(each, dependency, scopes) for each in dependant.dependencies)


def _scheme(header: str) -> SecurityBaseModel:
    if header == _AUTHORIZATION:
        return HTTPBearer(bearerFormat="JWT", description="A token of torii.")
    # OpenAPI knows no other place for bearer tokens.
    key = {"name": header, "in": APIKeyIn.header, "description": "`Bearer` and a token of torii."}
    return APIKey.model_validate(key)


def _exception(request: HTTPConnection, refused: Refusal) -> Exception:
    if request.scope["type"] == "websocket":
        # An extension of servers, which Starlette uses from 0.37 on.
        answered = "websocket.http.response" in (request.scope.get("extensions") or {})
        if not (answered and hasattr(WebSocket, "send_denial_response")):
            return WebSocketException(refused.close_code, refused.body["code"])
    return HTTPException(refused.status, refused.body, refused.headers)

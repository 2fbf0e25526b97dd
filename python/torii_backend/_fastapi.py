"""The dependency that FastAPI calls, and what it is told: schemes of the OpenAPI document, and exceptions."""

from collections.abc import Coroutine
from inspect import Parameter, Signature
from typing import Annotated, Any, Callable, Generic, Optional, TypeVar

from fastapi import Depends, HTTPException, WebSocketException
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityBaseModel
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette import __version__ as STARLETTE  # noqa: N812

from torii_backend import Require
from torii_backend._gate import Gate, Refusal, Refused
from torii_backend._openapi import scheme
from torii_backend.asgi import fields
from torii_backend.errors import ToriiConfigError

Caller = TypeVar("Caller")

# Before, Starlette answers a WebSocket's `HTTPException` with nothing.
ANSWERS_WEBSOCKETS = tuple(map(int, STARLETTE.split(".")[:2])) >= (0, 41)


class _Cookie(SecurityBase):
    """Says in the OpenAPI document that a cookie is taken as well, and does nothing."""

    def __init__(self, name: str, scheme_name: str) -> None:
        self.scheme_name = scheme_name
        described = {"name": name, "in": APIKeyIn.cookie, "description": "A token of torii."}
        self.model = APIKey.model_validate(described)

    async def __call__(self) -> None: ...


def _unread_scopes(request: HTTPConnection, dependency: object, scopes: SecurityScopes) -> Optional[str]:
    """Say which scopes are asked for that nobody looks at: everybody with a token would be let in."""
    route = request.scope.get("route")
    if route is None or _unread(route.dependant, dependency, set(scopes.scopes)):
        return f"scopes: {request.url.path} needs {scopes.scope_str!r}, and tokens of torii have no scopes"
    return None


def _unread(dependant: Any, dependency: object, scopes: set[str]) -> bool:
    """Whether `dependency` is asked for the scopes where nothing above it takes `SecurityScopes`."""
    if dependant.call is dependency:
        # Versions of FastAPI keep an occurrence's scopes in different places.
        places = ("security_scopes", "parent_oauth_scopes", "own_oauth_scopes")
        return {scope for place in places for scope in getattr(dependant, place, None) or ()} == scopes
    if dependant.security_scopes_param_name is not None:
        return False
    return any(_unread(each, dependency, scopes) for each in dependant.dependencies)


def _scheme_of(header: str) -> SecurityBaseModel:
    """Describe the header that carries the token."""
    described = scheme(header)
    return (HTTPBearer if described["type"] == "http" else APIKey).model_validate(described)


def _signature(cookie: Optional[str], scheme_name: str) -> Signature:
    """Make the signature that FastAPI reads: the OpenAPI document has one scheme for each dependency."""
    parameters: list[tuple[str, Any]] = [("request", HTTPConnection), ("scopes", SecurityScopes)]
    if cookie is not None:
        also = Depends(_Cookie(cookie, f"{scheme_name}-cookie-{cookie}"))
        parameters.append(("cookie", Annotated[None, also]))
    kind = Parameter.KEYWORD_ONLY
    return Signature([Parameter(name, kind, annotation=annotation) for name, annotation in parameters])


def _exception(request: HTTPConnection, refused: Refusal) -> Exception:
    """Make what FastAPI turns into the answer."""
    if request.scope["type"] == "websocket":
        # An extension of servers.
        answered = "websocket.http.response" in (request.scope.get("extensions") or {})
        if not (answered and ANSWERS_WEBSOCKETS):
            return WebSocketException(refused.close_code, refused.body.get("code"))
    return HTTPException(refused.status, refused.body, refused.headers)


_NO_SCOPES = SecurityScopes()


class RequireAuth(SecurityBase, Generic[Caller]):
    """What `require_auth` returns: the dependency, and also what the OpenAPI document says about it."""

    def __init__(self, gate: Gate, scheme_name: str) -> None:
        self.scheme_name = scheme_name
        self.model = _scheme_of(gate.verifier.header)
        self._gate = gate
        self.__signature__ = _signature(getattr(gate.verifier, "_cookie", None), scheme_name)

    async def __call__(
        self, request: HTTPConnection, scopes: SecurityScopes = _NO_SCOPES, **_: None
    ) -> Caller:
        """Return the caller of a request."""
        try:
            if scopes.scopes and (problem := _unread_scopes(request, self, scopes)):
                error = ToriiConfigError(problem)
                raise self._gate.refuse(error) from error
            caller: Any = await self._gate.admit_async(
                fields(request.scope), request.scope.get("path_params")
            )
        except Refused as refused:
            raise _exception(request, refused.refusal) from refused.__cause__
        return caller  # type: ignore[no-any-return]

    def require(self, require: Require) -> Callable[..., Coroutine[Any, Any, Caller]]:
        """Make a dependency for routes that require more of the caller.

        It lets nobody in whom this dependency does not let in. Where that one is optional, a request without
        credentials gets 401.

        >>> from torii_backend import FromPath, Require
        >>> auth_dep = require_auth(issuer="https://acme.torii.so")
        >>> member = auth_dep.require(Require(organization=FromPath("org_id")))
        """

        async def guarded(request: HTTPConnection, auth: Annotated[Any, Depends(self)]) -> Caller:
            try:
                self._gate.check(auth, require, request.scope.get("path_params"))
            except Refused as refused:
                raise _exception(request, refused.refusal) from refused.__cause__
            return auth  # type: ignore[no-any-return]

        return guarded

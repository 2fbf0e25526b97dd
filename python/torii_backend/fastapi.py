"""FastAPI: a dependency that lets only authenticated requests and WebSockets in.

It comes with `pip install "torii-backend[fastapi]"`.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal, Optional, TypeVar, Union, overload

try:
    import fastapi as _  # noqa: F401
except ImportError as error:
    raise ImportError(
        'torii_backend.fastapi needs FastAPI: pip install "torii-backend[fastapi]"', name=error.name
    ) from error

from torii_backend import ToriiAuth
from torii_backend._fastapi import RequireAuth
from torii_backend._gate import Gate
from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from torii_backend._gate import CommonSettings

__all__ = ["RequireAuth", "require_auth"]

_AUTHORIZATION = "authorization"
_LEEWAY = 30.0
Claims = TypeVar("Claims")


@overload
def require_auth(
    *,
    optional: Literal[False] = False,
    claims: type[Claims],
    scheme_name: Optional[str] = None,
    **settings: "Unpack[CommonSettings]",
) -> RequireAuth[ToriiAuth[Claims]]: ...


@overload
def require_auth(
    *,
    optional: Literal[False] = False,
    claims: None = None,
    scheme_name: Optional[str] = None,
    **settings: "Unpack[CommonSettings]",
) -> RequireAuth[ToriiAuth]: ...


@overload
def require_auth(
    *,
    optional: bool,
    claims: Optional[type[Any]] = None,
    scheme_name: Optional[str] = None,
    **settings: "Unpack[CommonSettings]",
) -> RequireAuth[Optional[ToriiAuth[Any]]]: ...


def require_auth(
    *,
    issuer: Union[str, Collection[str], None] = None,
    audience: Union[str, Collection[str], None] = None,
    leeway: float = _LEEWAY,
    scheme_name: Optional[str] = None,
    **settings: Any,
) -> RequireAuth[Any]:
    """Make a dependency that gives a route the `ToriiAuth` of its caller.

    Args:
        issuer: The issuer's URL, from the torii dashboard. Its keys are fetched with the first request.
        audience: What the token's `aud` must hold one of. Without it, a token that has an `aud` is refused.
        leeway: Seconds that clocks may differ, from 0 to 300.
        header: The header that carries `Bearer` and the token.
        cookie: The name of a cookie that may hold the token as well.
        websocket_protocol: Whether a WebSocket's subprotocols may hold the token: `bearer`, then the token.
            The route has to accept with `await socket.accept(subprotocol="bearer")`.
        optional: Give `None` to a route whose caller sent no credentials. Bad ones are refused nonetheless.
        require: What the caller must be: a `Require`. A caller that is not gets 403.
        claims: The type that the caller's `claims` are read into. A token whose claims do not have its shape
            gets 403.
        on_refused: Called with the cause and the `Refusal` of every request that is not let in; it may return
            another one.
        verifier: A `Verifier`, in place of `issuer` and its settings.
        scheme_name: The name of the security scheme in the OpenAPI document: `torii`, and `torii-` and the
            header's name for a header other than `Authorization`. For a cookie,
            `-cookie-` and its name follow.
        settings: Other settings of a `Verifier`.

    A refused token is answered with 401 and `{"detail": {"code": "authentication_failed", "message": …}}`,
    keys that cannot be had with 503 and `Retry-After`. A WebSocket gets the same answers before it is
    accepted, or is closed with 1008 or 1013 where the server cannot send them. The `ToriiAuthError` is the
    `__cause__` of the exception.

    Tokens of torii have no scopes. A route that asks for some, `Security(auth_dep, scopes=…)`, is answered
    with 500, unless a dependency between the two takes `SecurityScopes`.

    Routes that require more of one caller take `auth_dep.require(…)`. However many of them a route depends
    on, its token is verified once.

    >>> from fastapi import Depends, FastAPI
    >>> app = FastAPI()
    >>> auth_dep = require_auth(issuer="https://acme.torii.so")
    >>> @app.get("/me")
    ... async def me(auth=Depends(auth_dep)):
    ...     return {"user_id": auth.user_id}

    Raises:
        ToriiConfigError: A setting cannot be used.

    """
    if "allow_preflight" in settings:
        raise ToriiConfigError(
            "allow_preflight: FastAPI's CORSMiddleware answers before a dependency is asked"
        )
    # A `verifier` has an audience and a leeway of its own.
    own = {"audience": (audience, None), "leeway": (leeway, _LEEWAY)}
    settings.update({name: value for name, (value, default) in own.items() if value != default})
    gate = Gate(issuer=issuer, **settings)
    if scheme_name is None:
        header = gate.verifier.header
        scheme_name = "torii" if header == _AUTHORIZATION else f"torii-{header}"
    return RequireAuth(gate, scheme_name)

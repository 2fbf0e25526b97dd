"""Verification: a token in, a `ToriiAuth` or a `ToriiAuthError` out.

`verify_token` or, with settings, a `Verifier`. A token whose key is at hand is verified without I/O.
"""

from __future__ import annotations

from torii_backend import _native
from torii_backend._auth import ToriiAuth  # noqa: TC001
from torii_backend._native import (
    Verification,
    authenticate_request,
    clear_jwks_cache_for_tests,
    verify_token,
)
from torii_backend.errors import ToriiAuthError, ToriiConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from os import PathLike
    from typing import Any, NoReturn, Protocol, Union

    from typing_extensions import Self

    class HasItems(Protocol):
        """A mapping, or what is not quite one, such as werkzeug's headers."""

        def items(self) -> Iterable[tuple[Any, Any]]: ...

    class HasTime(Protocol):
        """A clock such as the module `time`."""

        def time(self) -> float: ...

    Clock = Union[Callable[[], float], HasTime, _native.ManualClock]
    # Names and values are text or bytes.
    Headers = Union[HasItems, Sequence[tuple[Any, Any]]]
else:
    # For `typing.get_type_hints`, with what every interpreter has loaded.
    from _collections_abc import Collection, Iterable, Mapping  # noqa: TC003
    from os import PathLike  # noqa: TC003

    Any = Clock = Headers = NoReturn = Self = object

__all__ = [
    "Verifier",
    "authenticate_request",
    "authenticate_request_async",
    "clear_jwks_cache_for_tests",
    "verify_token",
    "verify_token_async",
    "verify_webhook",
]

for _function in (authenticate_request, clear_jwks_cache_for_tests, verify_token):
    # For `help` and `pydoc`: this is where they are imported from.
    _function.__module__ = __name__

_STALE_LIMIT = 86400.0
_TIMEOUT = 5.0


class Verifier(_native.Verifier):
    """Verifies the tokens of one issuer or several, with settings of your own.

    Making one opens no connection and starts no thread. Verifiers of one issuer share its keys, unless a
    source of keys, `stale_limit`, `timeout`, `proxy`, `ca_file` or `clock` is given. Threads may share a
    verifier, and so may a fork's children.

    Args:
        issuer: The issuer's URL, from the torii dashboard: https, or http on loopback. It is configuration:
            never take it from a token or a request. A list of URLs accepts the tokens of each of these
            issuers, signed by a key of that issuer.
        audience: What the token's `aud` must hold one of: a text or a list. Without it, a token with an `aud`
            is refused.
        leeway: Whole seconds that clocks may differ, from 0 to 300.
        authorized_parties: What the token's `azp` must be one of. Without it, `azp` is not looked at.
        allowed_types: What the `typ` in the token's header must be one of. Without it, `JWT`, `at+jwt` and no
            `typ` at all are taken.
        header: The header that `authenticate_request` reads. Unless it is `authorization`, that one is not
            looked at.
        cookie: The name of a cookie that may hold the token as well, if no other place does. A browser sends
            it along with requests that other sites make it send: protect what changes something against that.
        websocket_protocol: Whether the token may also follow `bearer` in a WebSocket's subprotocols, as
            `new WebSocket(url, ["bearer", token])` sends it. The server has to accept with `bearer`.
        jwks_url: Where the keys are, if not at the issuer. Only one of this and the next four can be given,
            and none for several issuers.
        jwks: The keys themselves: a key set as text, bytes or dict. No network is used.
        jwk: A single key, likewise. Without a `kid` it answers to every one.
        public_key: A P-256 public key as PEM, which answers to every `kid`.
        jwks_file: The path of a file with any of these three, read once, now.
        keys: What `export_keys` of another process returned, for a start without a fetch.
        stale_limit: Seconds after the last successful fetch for which keys are used while newer ones cannot
            be had, up to a week.
        timeout: Seconds that fetching the keys may take, and so how long the first token may wait: 0.1 to 30.
        proxy: The proxy to fetch keys through, `http://user:password@host:port`; "" for none. Unless given,
            `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say. This machine is never asked for through a proxy.
        ca_file: A file of certificates in PEM: the servers of keys are trusted by these and no others. Unless
            given, `SSL_CERT_FILE`, `SSL_CERT_DIR` and `REQUESTS_CA_BUNDLE` name them, and else the system.
        remember_verified: How many verified tokens are remembered, so that seeing one again costs no check of
            its signature. It changes no decision; 0 remembers none.
        allow_insecure_http: Whether the address of the keys may be plain http beyond loopback: whoever is on
            the way can then replace them.
        clock: For tests: what returns the present time in Unix seconds, a callable or an object with a method
            `time`. It is asked at the start of each call. Without it the time is the system's, or what
            freezegun or time-machine makes of it.

    >>> from torii_backend import Verifier
    >>> verifier = Verifier(issuer, leeway=10)
    >>> auth = verifier.verify(token)
    >>> verifier.counts()
    ToriiVerifyCounts(accepted=1, refused={})

    Raises:
        ToriiConfigError: A setting cannot be used; the message names it.

    """

    def __init__(
        self,
        issuer: str | Collection[str],
        *,
        audience: str | Collection[str] | None = None,
        leeway: float = 30.0,
        authorized_parties: Collection[str] | None = None,
        allowed_types: Collection[str] | None = None,
        header: str = "authorization",
        cookie: str | None = None,
        websocket_protocol: bool = False,
        jwks_url: str | None = None,
        jwks: str | bytes | Mapping[str, Any] | None = None,
        jwk: str | bytes | Mapping[str, Any] | None = None,
        public_key: str | bytes | None = None,
        jwks_file: str | PathLike[str] | None = None,
        keys: str | None = None,
        stale_limit: float = _STALE_LIMIT,
        timeout: float = _TIMEOUT,
        proxy: str | None = None,
        ca_file: str | PathLike[str] | None = None,
        remember_verified: int = 10000,
        allow_insecure_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            issuer,
            audience=audience,
            leeway=leeway,
            authorized_parties=authorized_parties,
            allowed_types=allowed_types,
            header=header,
            cookie=cookie,
            websocket_protocol=websocket_protocol,
            jwks_url=jwks_url,
            jwks=jwks,
            jwk=jwk,
            public_key=public_key,
            jwks_file=jwks_file,
            keys=keys,
            # With the defaults, the keys are shared with other verifiers of the issuer.
            stale_limit=None if stale_limit is _STALE_LIMIT else stale_limit,
            timeout=None if timeout is _TIMEOUT else timeout,
            proxy=proxy,
            ca_file=ca_file,
            remember_verified=remember_verified,
            allow_insecure_http=allow_insecure_http,
            clock=clock,
        )
        self._cookie, self._websocket_protocol = cookie, websocket_protocol

    @classmethod
    def from_env(cls, **settings: Any) -> Self:
        """Make one for the issuer in the environment variable `TORII_ISSUER`.

        `TORII_AUDIENCE`, if it is set, is the audience, or several separated by commas. Other settings are
        given as to the constructor.

        >>> Verifier.from_env(leeway=10).verify(token).user_id == user_id
        True

        Raises:
            ToriiConfigError: `TORII_ISSUER` is not set, or a setting cannot be used.

        """
        from os import environ

        issuer, audience = (environ.get(name, "").strip() for name in ("TORII_ISSUER", "TORII_AUDIENCE"))
        if not issuer:
            raise ToriiConfigError("TORII_ISSUER: is not set")
        if audience:
            settings.setdefault("audience", [each.strip() for each in audience.split(",")])
        return cls(issuer, **settings)

    async def verify_async(self, token: str | bytes) -> ToriiAuth:
        """Verify a token in a coroutine.

        Like `verify`, but what has to wait for keys leaves the event loop to others. Nothing else waits.
        """
        begun = self._begin_verify(token)
        del token
        return await _answer(begun) if isinstance(begun, Verification) else begun

    async def verify_many_async(self, tokens: Iterable[str | bytes]) -> list[ToriiAuth | ToriiAuthError]:
        """Verify many tokens in a coroutine. Like `verify_many`."""
        begun = self._begin_verify_many(tokens)
        del tokens
        return await _answer(begun) if isinstance(begun, Verification) else begun

    async def authenticate_request_async(self, headers: Headers) -> ToriiAuth:
        """Verify the token in a request's headers in a coroutine. Like `authenticate_request`."""
        begun = self._begin_authenticate(headers)
        del headers
        return await _answer(begun) if isinstance(begun, Verification) else begun

    async def warm_up_async(self) -> None:
        """Have keys at hand before the first token comes. Like `warm_up`."""
        begun = self._begin_warm_up()
        if begun is not None:
            await _answer(begun)


async def verify_token_async(
    token: str | bytes, *, issuer: str, audience: str | Collection[str] | None = None, leeway: float = 30.0
) -> ToriiAuth:
    """Verify the token of an end-user in a coroutine and return its claims.

    Like `verify_token`, but what has to wait for keys leaves the event loop to others. Nothing else waits.

    >>> import asyncio
    >>> from torii_backend import verify_token_async
    >>> auth = asyncio.run(verify_token_async(token, issuer=issuer))
    >>> auth.user_id == user_id
    True
    """
    begun = _native.begin_verification(token, issuer=issuer, audience=audience, leeway=leeway)
    del token
    return await _answer(begun) if isinstance(begun, Verification) else begun


async def authenticate_request_async(
    headers: Headers,
    *,
    issuer: str,
    audience: str | Collection[str] | None = None,
    leeway: float = 30.0,
    header: str = "authorization",
) -> ToriiAuth:
    """Verify the token in a request's headers in a coroutine and return its claims.

    Like `authenticate_request`, but what has to wait for keys leaves the event loop to others.

    >>> import asyncio
    >>> from torii_backend import authenticate_request_async
    >>> headers = [(b"authorization", b"Bearer " + token.encode())]
    >>> auth = asyncio.run(authenticate_request_async(headers, issuer=issuer))
    >>> auth.user_id == user_id
    True
    """
    begun = _native.begin_verification(
        headers, issuer=issuer, audience=audience, leeway=leeway, header=header, is_request=True
    )
    del headers
    return await _answer(begun) if isinstance(begun, Verification) else begun


def verify_webhook(*, secret: str, headers: Headers, payload: bytes | str) -> NoReturn:
    """Raise `NotImplementedError`: torii sends no webhooks yet. The name is kept for when it does.

    >>> from torii_backend import verify_webhook
    >>> verify_webhook(secret="whsec_", headers={}, payload=b"")
    Traceback (most recent call last):
        ...
    NotImplementedError: verify_webhook: torii sends no webhooks yet
    """
    # No `ToriiAuthError`, which a server would answer with 401 for ever.
    raise NotImplementedError("verify_webhook: torii sends no webhooks yet")


async def _answer(verification: Verification) -> Any:
    """Raise a bad answer, or wait for the one that there is not yet.

    Callers drop the token before: what reports exceptions shows the variables of every frame.
    """
    verification.raise_if_refused()
    from torii_backend._bridge import run

    return await run(verification.start)

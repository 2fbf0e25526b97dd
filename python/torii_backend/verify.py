"""Verification: a token in, a `ToriiAuth` or a `ToriiAuthError` out.

`verify_token` or, with settings, a `Verifier`. A token whose key is at hand is verified without I/O.
"""

from __future__ import annotations

from torii_backend import _native
from torii_backend._native import (
    Verification,
    authenticate_request,
    clear_jwks_cache_for_tests,
    verify_token,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any, NoReturn, Protocol, Union

    from torii_backend._native import ToriiAuth
    from torii_backend.errors import ToriiAuthError

    class HasItems(Protocol):
        """A mapping, or what is not quite one, such as werkzeug's headers."""

        def items(self) -> Iterable[tuple[Any, Any]]: ...

    # Names and values are text or bytes.
    Headers = Union[HasItems, Sequence[tuple[Any, Any]]]

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


class Verifier(_native.Verifier):
    """Verifies the tokens of one issuer, with settings of your own.

    Making one opens no connection and starts no thread. Verifiers of one issuer share its keys, unless
    `stale_limit` or a source of keys is given. Threads may share a verifier, and so may a fork's children.

    Args:
        issuer: The issuer's URL, from the torii dashboard: https, or http on loopback. It is configuration:
            never take it from a token or a request.
        audience: What the token's `aud` must hold one of: a text or a list. Without it, a token with an `aud`
            is refused.
        leeway: Whole seconds that clocks may differ, from 0 to 300.
        authorized_parties: What the token's `azp` must be one of. Without it, `azp` is not looked at.
        allowed_types: What the `typ` in the token's header must be one of. Without it, `JWT`, `at+jwt` and no
            `typ` at all are taken.
        header: The header that `authenticate_request` reads. Unless it is `authorization`, that one is not
            looked at.
        jwks_url: Where the keys are, if not at the issuer. Only one of this and the next four can be given.
        jwks: The keys themselves: a key set as text, bytes or dict. No network is used.
        jwk: A single key, likewise. Without a `kid` it answers to every one.
        public_key: A P-256 public key as PEM, which answers to every `kid`.
        jwks_file: The path of a file with any of these three, read once, now.
        keys: What `export_keys` of another process returned, for a start without a fetch.
        stale_limit: Seconds after the last successful fetch for which keys are used while newer ones cannot
            be had, up to a week.
        remember_verified: How many verified tokens are remembered, so that seeing one again costs no check of
            its signature. It changes no decision; 0 remembers none.
        allow_insecure_http: Whether the address of the keys may be plain http beyond loopback: whoever is on
            the way can then replace them.

    >>> from torii_backend import Verifier
    >>> verifier = Verifier(issuer, leeway=10)
    >>> auth = verifier.verify(token)
    >>> verifier.counts()
    ToriiVerifyCounts(accepted=1, refused={})

    Raises:
        ToriiConfigError: A setting cannot be used; the message names it.

    """

    __slots__ = ()

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
    begun = _native.begin_verify_token(token, issuer=issuer, audience=audience, leeway=leeway)
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
    begun = _native.begin_authenticate_request(
        headers, issuer=issuer, audience=audience, leeway=leeway, header=header
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

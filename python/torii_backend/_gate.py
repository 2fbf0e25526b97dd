"""The gate of every web adapter: a request in, its caller or the answer to the client out.

Adapters take a request's headers from their framework, ask `Gate`, and render its `Refused`. What a client
is told is decided here alone, by the table in `docs/adapters.md`.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional  # noqa: F401

from torii_backend.errors import ToriiAuthError, ToriiConfigError, ToriiDeniedError, ToriiTokenExpiredError
from torii_backend.verify import Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torii_backend import Require, ToriiAuth
    from torii_backend.verify import Headers

OnRefused = Callable[[Exception, "Refusal"], "Optional[Refusal]"]

_log = logging.getLogger("torii_backend")


class Refusal(NamedTuple):
    """The answer to a request that is not let in. A framework puts `body` where its own errors have details."""

    status: int
    """401 or 403: the client's business; 503: the key endpoint's; 500: the application's own."""

    headers: dict[str, str]
    """All but `Content-Type`, which is `application/json`."""

    body: dict[str, str]
    """`code` and `message`; for 403 also `guard`, the name of the guard that does not agree."""

    close_code: int
    """What a WebSocket is closed with where no HTTP answer can be sent (RFC 6455, 7.4, and IANA's registry)."""


class Refused(Exception):
    """A request that is not let in. Its `__cause__` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.body["code"])
        self.refusal = refusal


class Gate:
    """Lets requests in or refuses them.

    Args:
        issuer: The issuer's URL, or a list of them. One of `issuer` and `verifier` must be given.
        verifier: A `Verifier` with settings of its own.
        optional: Let a request without credentials in, without a caller.
        require: What the caller must be.
        claims: The type that the caller's `claims` are read into.
        on_refused: Called with the cause and the `Refusal` of every request that is not let in. It may return
            another `Refusal`, which is then the answer. The cause is not meant for the client.
        allow_preflight: Let CORS preflight requests in, which carry no credentials.
        settings: Settings of the `Verifier` that is made for `issuer`.

    """

    __slots__ = ("_claims", "_failing", "_on_refused", "_optional", "_preflight", "_require", "verifier")

    def __init__(
        self,
        *,
        issuer: Any = None,
        verifier: Verifier | None = None,
        optional: bool = False,
        require: Require | None = None,
        claims: type[Any] | None = None,
        on_refused: OnRefused | None = None,
        allow_preflight: bool = False,
        **settings: Any,
    ) -> None:
        if verifier is None:
            if issuer is None:
                raise ToriiConfigError("issuer: must be given, or else a verifier")
            verifier = Verifier(issuer, **settings)
        elif issuer is not None or settings:
            given = ", ".join(["issuer", *settings] if issuer is not None else settings)
            raise ToriiConfigError(
                f"verifier: has settings of its own, and {given} cannot be given beside it"
            )
        self.verifier = verifier
        self._optional = optional
        self._require = require
        self._claims = _reader(claims)
        self._on_refused = on_refused
        self._preflight = allow_preflight
        self._failing = 0

    def admit(self, headers: Headers, path: Mapping[str, Any] | None = None) -> ToriiAuth | None:
        """Return the caller, or `None` for a request without credentials where that is allowed.

        `path` has the decoded path parameters.

        Raises:
            Refused: The request is not let in.

        """
        try:
            return self._checked(self.verifier.authenticate_request(headers), path)
        except Exception as error:
            return self._refuse(error)

    async def admit_async(self, headers: Headers, path: Mapping[str, Any] | None = None) -> ToriiAuth | None:
        """As `admit`, in a coroutine."""
        try:
            return self._checked(await self.verifier.authenticate_request_async(headers), path)
        except Exception as error:
            return self._refuse(error)

    def check(self, auth: ToriiAuth | None, require: Require, path: Mapping[str, Any] | None = None) -> None:
        """Check a caller against one more requirement, that of a single route. `None`, for no caller, has none.

        Raises:
            Refused: It is not let in.

        """
        try:
            if auth is None:
                raise ToriiAuthError(
                    "header_missing: no credentials were sent",
                    code="header_missing",
                    www_authenticate="Bearer",
                )
            require.check(auth, path, now=self.verifier._now)
        except Exception as error:
            # Also where requests without credentials are let in: this route needs a caller.
            raise self.refuse(error) from error

    def is_preflight(self, method: str, headers: Headers) -> bool:
        """Whether it is a CORS preflight that is let in: `OPTIONS` with `Access-Control-Request-Method`."""
        if not self._preflight or method != "OPTIONS":
            return False
        names = headers.keys() if hasattr(headers, "keys") else (name for name, _ in headers)  # type: ignore[union-attr]
        return any(_name(name) == "access-control-request-method" for name in names)

    def refuse(self, error: Exception) -> Refused:
        """Make the refusal for an error that the adapter met itself."""
        return Refused(self._answer(error))

    def _checked(self, auth: ToriiAuth, path: Mapping[str, Any] | None) -> ToriiAuth:
        if self._require is not None:
            self._require.check(auth, path, now=self.verifier._now)
        if self._claims is not None:
            auth._set_claims(self._claims(auth))
        if self._failing:
            self._failing = 0
            _log.info("requests are authenticated again")
        return auth

    def _refuse(self, error: Exception) -> None:
        if self._optional and isinstance(error, ToriiAuthError) and error.code == "header_missing":
            return
        raise Refused(self._answer(error)) from error

    def _answer(self, error: Exception) -> Refusal:
        refusal = self._refusal(error)
        if self._on_refused is not None:
            try:
                return self._on_refused(error, refusal) or refusal
            except Exception:
                _log.exception("on_refused failed")
        return refusal

    def _refusal(self, error: Exception) -> Refusal:
        """Make the answer, and log the cause: once when a failure of ours begins, and not for each request."""
        headers = {"Cache-Control": "no-store"}
        status = error.http_status if isinstance(error, ToriiAuthError) else 500
        challenge = getattr(error, "www_authenticate", None)
        if challenge is not None:
            headers["WWW-Authenticate"] = challenge
        if isinstance(error, ToriiDeniedError):
            _log.debug("request refused: %s", error)
            body = {"code": "permission_denied", "message": "Permission denied.", "guard": error.guard}
            return Refusal(403, headers, body, 1008)
        if status == 401:
            _log.debug("request refused: %s", error)
            code = "expired" if isinstance(error, ToriiTokenExpiredError) else "authentication_failed"
            return Refusal(401, headers, {"code": code, "message": "Authentication failed."}, 1008)
        level = logging.DEBUG if self._failing == status else logging.ERROR
        self._failing = status
        if status == 503:
            _log.log(level, "requests are refused, the issuer's keys cannot be had: %s", error)
            # Rounded up, so that a client that waits that long has waited long enough.
            wait = getattr(error, "retry_after", None) or 0.0
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
            message = "Authentication is temporarily unavailable."
            return Refusal(503, headers, {"code": "keys_unavailable", "message": message}, 1013)
        trace = None if isinstance(error, ToriiConfigError) else error
        _log.log(level, "requests are refused, the configuration is wrong: %s", error, exc_info=trace)
        return _misconfigured()


def _misconfigured() -> Refusal:
    message = "Authentication is not configured correctly."
    headers = {"Cache-Control": "no-store"}
    return Refusal(500, headers, {"code": "configuration_error", "message": message}, 1011)


def not_installed(guard: str, middleware: str) -> Refused:
    """Make the refusal of a guard on a route that no middleware of ours has let the request through to."""
    error = ToriiConfigError(f"{guard}: the route is not behind {middleware}")
    _log.error("a request is refused, the configuration is wrong: %s", error)
    refused = Refused(_misconfigured())
    refused.__cause__ = error
    return refused


def _reader(claims: type[Any] | None) -> Callable[[ToriiAuth], Any] | None:
    if claims is None:
        return None
    from torii_backend._claims import reader

    read = reader(claims)

    def checked(auth: ToriiAuth) -> Any:
        try:
            return read(auth)
        except ValueError as problem:
            raise ToriiDeniedError.of("claims") from problem

    return checked


def _name(name: str | bytes) -> str:
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    return text.lower().replace("_", "-").removeprefix("http-")

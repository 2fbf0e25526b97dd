"""What goes wrong, and whose business it is.

`ToriiAuthError` and its subclasses come out of verification, `ToriiApiError` and its subclasses out of the
API client. No message holds a token, a secret key or the value of a claim.
"""

from __future__ import annotations

from torii_backend import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:
    # For `typing.get_type_hints`, without loading `typing`.
    Any = object


class ToriiAuthError(Exception):
    """A token, or the header it came in, is refused: 401.

    `code` is stable and made to be compared: `expired`, `bad_signature`, `claim_missing:sub`,
    `header_missing`, …
    """

    http_status: int = 401
    """The status that a server answers its client with."""

    retry_after: float | None = None
    """Seconds until another attempt is worth while; `None` when none is."""

    def __init__(
        self,
        message: str,
        cause: BaseException | None = None,
        *,
        code: str = "authentication_failed",
        www_authenticate: str | None = 'Bearer error="invalid_token"',
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.code = code
        self.www_authenticate = www_authenticate
        """The `WWW-Authenticate` challenge of a 401 (RFC 6750, section 3); it never says what was wrong."""


class ToriiTokenExpiredError(ToriiAuthError):
    """The token was good until its `exp`: the client should get a new one."""


class ToriiKeysUnavailableError(ToriiAuthError):
    """The issuer's keys cannot be had, which says nothing about the token: 503, and worth trying again."""

    http_status = 503

    def __init__(
        self,
        message: str,
        cause: BaseException | None = None,
        *,
        code: str = "jwks_unavailable",
        www_authenticate: str | None = None,
        retry_after: float = 1.0,
    ) -> None:
        super().__init__(message, cause, code=code, www_authenticate=www_authenticate)
        self.retry_after = retry_after


class ToriiDeniedError(ToriiAuthError):
    """A verified caller is not let in by a guard: 403. `guard` is the guard's name."""

    http_status = 403

    def __init__(
        self,
        message: str,
        cause: BaseException | None = None,
        *,
        guard: str,
        code: str = "permission_denied",
        www_authenticate: str | None = None,
    ) -> None:
        if www_authenticate is None:
            www_authenticate = 'Bearer error="insufficient_scope"'
            if guard.isascii() and guard.isprintable() and not {'"', "\\"} & set(guard):
                www_authenticate += f', error_description="guard: {guard}"'
        super().__init__(message, cause, code=code, www_authenticate=www_authenticate)
        self.guard = guard

    @classmethod
    def of(cls, guard: str) -> ToriiDeniedError:
        """Make one for the guard of this name."""
        return cls(f"permission_denied: the caller does not satisfy the guard `{guard}`", guard=guard)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


class ToriiConfigError(ToriiAuthError, ValueError):
    """A setting of a verifier or of a client cannot be used: 500, and a matter for whoever wrote it."""

    http_status = 500

    def __init__(
        self,
        message: str,
        cause: BaseException | None = None,
        *,
        code: str = "config_error",
        www_authenticate: str | None = None,
    ) -> None:
        super().__init__(message, cause, code=code, www_authenticate=www_authenticate)


class ToriiApiError(Exception):
    """The API refused a call, or a call failed.

    `status` is the reply's status, or 0 where there was no reply. `body` is the reply's JSON, or its text
    where it is not JSON. `code` and `support_id` are the problem document's (RFC 9457), or `None`.
    """

    def __init__(
        self,
        message: str,
        status: int,
        body: Any = None,
        *,
        operation: str | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.operation = operation
        """The method that was called, such as `users.get`."""
        self.attempts = attempts
        """How many attempts were made; 0 where nothing was sent, or where it is not known."""
        self.retry_after = retry_after
        """Seconds that the server asked to be left alone, if it did."""
        self.request_id = request_id
        """What the reply calls the request (`X-Request-Id`), if it does."""
        self.code = _member(body, "code")
        self.support_id = _member(body, "supportId", "support_id")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


class ToriiNotFoundError(ToriiApiError):
    """torii refused with 404: what the call names is not there."""


class ToriiConflictError(ToriiApiError):
    """torii refused with 409: what is there does not allow the call, such as another user's address."""


class ToriiRequestError(ToriiApiError, ValueError):
    """An argument cannot be sent, such as an id that is not one. Nothing was sent."""


class ToriiTransportError(ToriiApiError):
    """No reply came, and repeating the call does no harm: it was never sent, or it only reads or sets."""


class ToriiTimeoutError(ToriiTransportError, TimeoutError):
    """No reply came in time."""


class ToriiOutcomeUnknownError(ToriiApiError):
    """The call may have been carried out, and its answer was lost. `hint` says how to find out."""

    hint: str = ""


class ToriiReplyError(ToriiApiError):
    """The reply is not what the API promises, or a list's cursors lead nowhere."""


def _restored(kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


def _member(body: Any, *names: str) -> str | None:
    """Look for a member of a problem document, at its top and in `properties`, where Spring may put it."""
    found = (_get(members, name) for members in (body, _get(body, "properties")) for name in names)
    return next((value for value in found if isinstance(value, str)), None)


def _get(members: Any, name: str) -> Any:
    try:
        return members[name]
    except (KeyError, TypeError):
        return None


_native.register(*(value for value in list(globals().values()) if isinstance(value, type)))

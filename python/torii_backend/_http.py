"""What a web application answers to requests that verification refuses, for adapters of all frameworks."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torii_backend.errors import ToriiAuthError

_log = logging.getLogger("torii_backend")


class Refusal(NamedTuple):
    """A reply in place of the application's. A framework puts `body` where its own errors have details."""

    status: int
    """401: the client's business; 503: the key endpoint's; 500: the application's own."""

    headers: dict[str, str]

    body: dict[str, str]
    """`code` and `message`."""

    close_code: int
    """What a WebSocket is closed with instead (RFC 6455, section 7.4, and IANA's registry)."""


def refusal(error: ToriiAuthError) -> Refusal:
    """Make the reply to a request that was not authenticated, and write the cause to the log `torii_backend`.

    A 401 says what is wrong with the token. What is behind a 503 or a 500 is for operators, in the log alone.
    """
    headers = {"Cache-Control": "no-store"}
    if error.http_status == 401:
        _log.debug("request refused: %s", error)
        if error.www_authenticate is not None:
            headers["WWW-Authenticate"] = error.www_authenticate
        return _refusal(401, headers, "authentication_failed", str(error), close_code=1008)
    if error.http_status == 503:
        _log.error("request refused, the issuer's keys cannot be had: %s", error)
        headers["Retry-After"] = str(_whole_seconds(error.retry_after or 0.0))
        return _refusal(
            503, headers, "keys_unavailable", "Authentication is temporarily unavailable.", close_code=1013
        )
    _log.error("request refused, the verifier is misconfigured: %s", error)
    return _refusal(
        500, headers, "configuration_error", "Authentication is not configured correctly.", close_code=1011
    )


def _refusal(status: int, headers: dict[str, str], code: str, message: str, *, close_code: int) -> Refusal:
    return Refusal(status, headers, {"code": code, "message": message}, close_code)


def _whole_seconds(wait: float) -> int:
    # Rounded up, so that a client that waits that long has waited long enough.
    return max(1, math.ceil(wait))

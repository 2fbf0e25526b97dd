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


class Refusals:
    """Makes the replies to requests that were not authenticated. The log `torii_backend` has the causes.

    Every 401 has the same body: a client does not learn why its token was refused, which is logged at debug.
    What an operator has to act on is logged as an error when it begins, and not for each request.
    """

    def __init__(self) -> None:
        self._failing = 0

    def reply(self, error: ToriiAuthError) -> Refusal:
        """Make the reply to a request that `error` refuses."""
        headers = {"Cache-Control": "no-store"}
        status = error.http_status
        if status == 401:
            _log.debug("request refused: %s", error)
            if error.www_authenticate is not None:
                headers["WWW-Authenticate"] = error.www_authenticate
            return _refusal(401, headers, "authentication_failed", "Authentication failed.", close_code=1008)
        level = logging.DEBUG if self._failing == status else logging.ERROR
        self._failing = status
        if status == 503:
            _log.log(level, "requests are refused, the issuer's keys cannot be had: %s", error)
            headers["Retry-After"] = str(_whole_seconds(error.retry_after or 0.0))
            message = "Authentication is temporarily unavailable."
            return _refusal(503, headers, "keys_unavailable", message, close_code=1013)
        _log.log(level, "requests are refused, the configuration is wrong: %s", error)
        message = "Authentication is not configured correctly."
        return _refusal(500, headers, "configuration_error", message, close_code=1011)

    def accepted(self) -> None:
        """Take note of a request that was authenticated."""
        if self._failing:
            self._failing = 0
            _log.info("requests are authenticated again")


def _refusal(status: int, headers: dict[str, str], code: str, message: str, *, close_code: int) -> Refusal:
    return Refusal(status, headers, {"code": code, "message": message}, close_code)


def _whole_seconds(wait: float) -> int:
    # Rounded up, so that a client that waits that long has waited long enough.
    return max(1, math.ceil(wait))

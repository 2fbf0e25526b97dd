"""django-ninja: an `auth=` for an API, a router or an operation.

It comes with `pip install "torii-backend[ninja]"`. `torii_backend.django` and its middleware are not needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

try:
    from django.urls import ResolverMatch
    from ninja.errors import HttpError
except ImportError as error:
    raise ImportError(
        'torii_backend.ninja needs django-ninja: pip install "torii-backend[ninja]"', name=error.name
    ) from error

from torii_backend._django import Gates, answer, check_csrf, fields
from torii_backend._gate import Gate, Refusal, Refused
from torii_backend._openapi import scheme

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI
    from typing_extensions import Unpack

    from torii_backend import ToriiAuth
    from torii_backend._gate import GateSettings

__all__ = ["Nobody", "Refusal", "RefusedError", "ToriiBearer", "answer_refused"]


class Nobody:
    """What `request.auth` is for a request without a caller, with `optional`: ninja takes nothing false."""

    user_id = None


class RefusedError(HttpError):
    """A request that is not let in. Its handler is that of `answer_refused`, or one of your own."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.refusal.status, refused.refusal.body.get("message", "Refused."))
        self.refused = refused


def answer_refused(api: NinjaAPI) -> None:
    """Answer refused requests in full: with a code, a challenge and `Retry-After`.

    Without it, ninja's own handler of errors answers with the same status and a text alone.
    """

    def handler(_request: HttpRequest, error: Any) -> HttpResponse:
        return answer(error.refused)

    api.add_exception_handler(RefusedError, handler)


class ToriiBearer:
    """Makes `request.auth` the `ToriiAuth` of the caller, in plain and in asynchronous operations.

    The keywords are those of `torii_backend.django.require_auth`; without `issuer` or `verifier`, the setting
    `TORII` has the verifier. With `optional`, look at `request.torii`, which is `None` where there is no
    caller. In a list, `auth=[…]`, it comes last, since it refuses where others return nothing. A token in a
    cookie needs a CSRF token beside it, as with ninja's own cookies.

    >>> from ninja import NinjaAPI
    >>> api = NinjaAPI(auth=ToriiBearer(issuer="https://acme.torii.so"))
    >>> answer_refused(api)

    Raises:
        ToriiConfigError: A setting cannot be used.

    """

    def __init__(self, **options: Unpack[GateSettings]) -> None:
        self._gates = Gates(options)

    @property
    def openapi_security_schema(self) -> dict[str, str]:
        """What the API's document says."""
        return scheme(self._gates().verifier.header)

    @property
    def is_async(self) -> bool:
        """Whether an asynchronous operation asks, since that runs in an event loop. ninja looks each time."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    def __call__(self, request: HttpRequest) -> Any:
        """Return the caller, or a coroutine that does; or raise `RefusedError`."""
        gate = self._gates()
        return self._wait(gate, request) if self.is_async else self._admit(gate, request)

    def _admit(self, gate: Gate, request: HttpRequest) -> Any:
        try:
            passes = gate.is_preflight(request.method or "", request.META)
            return _found(gate, request, None if passes else gate.admit(fields(request), _path(request)))
        except Refused as refused:
            raise RefusedError(refused) from refused.__cause__

    async def _wait(self, gate: Gate, request: HttpRequest) -> Any:
        try:
            passes = gate.is_preflight(request.method or "", request.META)
            return _found(
                gate, request, None if passes else await gate.admit_async(fields(request), _path(request))
            )
        except Refused as refused:
            raise RefusedError(refused) from refused.__cause__


def _path(request: HttpRequest) -> dict[str, Any] | None:
    match = request.resolver_match
    return match.kwargs if isinstance(match, ResolverMatch) else None


def _found(gate: Gate, request: Any, auth: ToriiAuth[Any] | None) -> Any:
    if auth is not None and not getattr(request, "_ninja_csrf_exempt", False):
        check_csrf(request, gate)
    request.torii = auth
    return Nobody() if auth is None else auth

"""What the adapters of Django and of frameworks on it share: the setting `TORII`, answers, and CSRF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from torii_backend._gate import Gate, Refused
from torii_backend._settings import NAMES, in_small, verifier_of
from torii_backend.errors import ToriiConfigError, ToriiDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from torii_backend._gate import GateSettings

OF_MIDDLEWARE = frozenset({"optional", "require", "user"})
# Functions and types, which settings may also name.
_IMPORTED = frozenset({"claims", "clock", "on_refused", "require", "user", "verifier"})

_read: tuple[Any, dict[str, Any]] = (None, {})


def configured() -> dict[str, Any]:
    """Return the setting `TORII` as keywords, its verifier made. The same dict until a test overrides it.

    Raises:
        ToriiConfigError: It cannot be used.

    """
    global _read
    given: Any = getattr(settings, "TORII", None)
    if given is None:
        raise ToriiConfigError("TORII: is not set")
    if _read[0] is not given:
        _read = given, _keywords(given)
    return _read[1]


def _keywords(given: dict[str, Any]) -> dict[str, Any]:
    found = in_small(given, NAMES | OF_MIDDLEWARE, 'TORII["{}"]')
    for name, value in found.items():
        if name in _IMPORTED and isinstance(value, str):
            try:
                found[name] = import_string(value)
            except ImportError as error:
                raise ToriiConfigError(f"{name}: {error}") from error
    return {"verifier": verifier_of(found), **found}


class Gates:
    """The gate of one protection: of its options alone if these name an issuer, else of `TORII` and them."""

    def __init__(self, options: GateSettings) -> None:
        self._options: Any = options
        own = "issuer" in options or "verifier" in options
        self._made: tuple[Any, Gate] | None = (None, Gate(**self._options)) if own else None
        self._own = own

    def __call__(self) -> Gate:
        if self._own and self._made is not None:
            return self._made[1]
        base = configured()
        if self._made is None or self._made[0] is not base:
            shared = {name: value for name, value in base.items() if name not in OF_MIDDLEWARE}
            self._made = base, Gate(**{**shared, **self._options})
        return self._made[1]


def fields(request: HttpRequest) -> Any:
    """Return the headers. Those of ASGI as they came, where some versions take `X_Token` for `X-Token`."""
    if isinstance(request, ASGIRequest):
        return request.scope["headers"]
    # What ninja's client for tests makes has names of its own in `META`.
    return request.META if isinstance(request, WSGIRequest) else request.headers


def admit(gate: Gate, request: Any, path: Mapping[str, Any] | None = None) -> HttpResponse | None:
    """Put the caller into `request.torii`, or return the answer to a request that is not let in."""
    request.torii = None
    try:
        if not gate.is_preflight(request.method, request.META):
            request.torii = gate.admit(fields(request), path)
    except Refused as refused:
        return answer(refused)
    return None


async def admit_async(gate: Gate, request: Any, path: Mapping[str, Any] | None = None) -> HttpResponse | None:
    """As `admit`, in a coroutine."""
    request.torii = None
    try:
        if not gate.is_preflight(request.method, request.META):
            request.torii = await gate.admit_async(fields(request), path)
    except Refused as refused:
        return answer(refused)
    return None


def answer(refused: Refused) -> HttpResponse:
    """Render the answer to a request that is not let in."""
    status, headers, body, _ = refused.refusal
    return JsonResponse(body, status=status, headers=headers)


def is_async(view: Any) -> bool:
    """Whether a view returns a coroutine. From `method_decorator`, `dispatch` comes as a partial method."""
    owner = getattr(getattr(view, "func", None), "__self__", None)
    return iscoroutinefunction(view) or getattr(owner, "view_is_async", False) is True


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:  # noqa: ARG002
        return reason


def check_csrf(request: HttpRequest, gate: Gate) -> None:
    """Check a request whose token did not come in the header, in a framework that exempts its views.

    A browser adds a cookie to what another site makes it send.

    Raises:
        Refused: It has no CSRF token, and changes something.

    """
    if request.META.get("HTTP_" + gate.verifier.header.upper().replace("-", "_")):
        return
    csrf: Any = _Csrf(lambda _: HttpResponse())
    csrf.process_request(request)
    if csrf.process_view(request, None, (), {}) is not None:
        error = ToriiDeniedError.of("csrf")
        raise gate.refuse(error) from error

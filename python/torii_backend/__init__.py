"""Backend SDK for torii: verify end-users' tokens, manage users, sessions, organizations and invitations.

`verify_token` and `Verifier` verify without a round trip per request. `create_torii_client` and
`AsyncToriiClient` call the backend API with a secret key. What only they need, pydantic above all, is loaded
with the first of them.
"""

from __future__ import annotations

from torii_backend._auth import ToriiAuth
from torii_backend._native import __version__
from torii_backend.errors import (
    ToriiApiError,
    ToriiAuthError,
    ToriiConfigError,
    ToriiConflictError,
    ToriiDeniedError,
    ToriiKeysUnavailableError,
    ToriiNotFoundError,
    ToriiOutcomeUnknownError,
    ToriiReplyError,
    ToriiRequestError,
    ToriiTimeoutError,
    ToriiTokenExpiredError,
    ToriiTransportError,
)
from torii_backend.verify import (
    Verifier,
    authenticate_request,
    authenticate_request_async,
    clear_jwks_cache_for_tests,
    verify_token,
    verify_token_async,
    verify_webhook,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from torii_backend._require import FromPath, Require
    from torii_backend.aio import AsyncToriiClient
    from torii_backend.client import ToriiClient, create_torii_client
    from torii_backend.models import (
        ToriiCreateUserInput,
        ToriiCursorPageUser,
        ToriiProblemDetail,
        ToriiSession,
        ToriiUpdateUserInput,
        ToriiUser,
    )
    from torii_backend.types import ToriiActiveOrganization, ToriiActor, ToriiKeyStatus, ToriiVerifyCounts

__all__ = [
    "AsyncToriiClient",
    "FromPath",
    "Require",
    "ToriiActiveOrganization",
    "ToriiActor",
    "ToriiApiError",
    "ToriiAuth",
    "ToriiAuthError",
    "ToriiClient",
    "ToriiConfigError",
    "ToriiConflictError",
    "ToriiCreateUserInput",
    "ToriiCursorPageUser",
    "ToriiDeniedError",
    "ToriiKeyStatus",
    "ToriiKeysUnavailableError",
    "ToriiNotFoundError",
    "ToriiOutcomeUnknownError",
    "ToriiProblemDetail",
    "ToriiReplyError",
    "ToriiRequestError",
    "ToriiSession",
    "ToriiTimeoutError",
    "ToriiTokenExpiredError",
    "ToriiTransportError",
    "ToriiUpdateUserInput",
    "ToriiUser",
    "ToriiVerifyCounts",
    "Verifier",
    "__version__",
    "authenticate_request",
    "authenticate_request_async",
    "clear_jwks_cache_for_tests",
    "create_torii_client",
    "verify_token",
    "verify_token_async",
    "verify_webhook",
]

# Where the names live that are loaded when they are first used.
_LATE = {
    "AsyncToriiClient": "aio",
    "FromPath": "_require",
    "Require": "_require",
    "ToriiActiveOrganization": "types",
    "ToriiActor": "types",
    "ToriiClient": "client",
    "ToriiCreateUserInput": "models",
    "ToriiCursorPageUser": "models",
    "ToriiKeyStatus": "types",
    "ToriiProblemDetail": "models",
    "ToriiSession": "models",
    "ToriiUpdateUserInput": "models",
    "ToriiUser": "models",
    "ToriiVerifyCounts": "types",
    "create_torii_client": "client",
}


# Modules that are loaded likewise.
_MODULES = ("aio", "client", "models", "types")


def __getattr__(name: str) -> object:
    if name not in _LATE and name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    value = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})

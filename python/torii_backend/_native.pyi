from collections.abc import Callable, Collection, Iterable
from os import PathLike
from typing import Any, Generic, TypeVar, final
from uuid import UUID

from typing_extensions import Self, disjoint_base

from torii_backend._auth import ToriiAuth
from torii_backend.errors import ToriiAuthError
from torii_backend.types import ToriiActiveOrganization, ToriiActor, ToriiKeyStatus, ToriiVerifyCounts
from torii_backend.verify import Headers

__all__ = [
    "Auth",
    "Client",
    "Field",
    "ManualClock",
    "Pages",
    "Request",
    "Requirement",
    "Task",
    "Verification",
    "Verifier",
    "__version__",
    "authenticate_request",
    "begin_verification",
    "clear_jwks_cache_for_tests",
    "register",
    "verify_es256",
    "verify_jws",
    "verify_token",
]

_T = TypeVar("_T", covariant=True)

__version__: str

def register(*classes: type[Any]) -> None: ...

@final
class Field(Generic[_T]):
    def __get__(self, instance: object, owner: type[Any] | None = None, /) -> _T: ...

@disjoint_base
class Auth:
    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self: ...
    @property
    def _is_verified(self) -> bool: ...
    user_id: Field[str]
    environment_id: Field[str]
    issuer: Field[str]
    email_verified: Field[bool]
    profile_complete: Field[bool]
    impersonating: Field[bool]
    locale: Field[str | None]
    raw: Field[dict[str, Any]]
    @property
    def actor(self) -> ToriiActor | None: ...
    @property
    def organization(self) -> ToriiActiveOrganization | None: ...
    @property
    def audience(self) -> tuple[str, ...]: ...
    @property
    def jwt_id(self) -> str | None: ...
    @property
    def issued_at(self) -> int: ...
    @property
    def not_before(self) -> int | None: ...
    @property
    def expires_at(self) -> int: ...

@final
class Requirement:
    def __new__(cls, guards: str) -> Self: ...
    def check(self, auth: ToriiAuth[Any], path: dict[str, Any] | None, now: int) -> None: ...

@disjoint_base
class Verifier:
    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self: ...
    def __init__(self, issuer: str | Collection[str], **settings: Any) -> None: ...
    @property
    def issuer(self) -> str: ...
    @property
    def header(self) -> str: ...
    def _now(self) -> int: ...
    def verify(self, token: str | bytes) -> ToriiAuth: ...
    def verify_many(self, tokens: Iterable[str | bytes]) -> list[ToriiAuth | ToriiAuthError]: ...
    def authenticate_request(self, headers: Headers) -> ToriiAuth: ...
    def warm_up(self) -> None: ...
    def status(self) -> ToriiKeyStatus: ...
    def statuses(self) -> dict[str, ToriiKeyStatus]: ...
    def counts(self) -> ToriiVerifyCounts: ...
    def export_keys(self) -> str | None: ...
    def _begin_verify(self, token: str | bytes) -> ToriiAuth | Verification: ...
    def _begin_verify_many(
        self, tokens: Iterable[str | bytes]
    ) -> list[ToriiAuth | ToriiAuthError] | Verification: ...
    def _begin_authenticate(self, headers: Headers) -> ToriiAuth | Verification: ...
    def _begin_warm_up(self) -> Verification | None: ...

@final
class Verification:
    def raise_if_refused(self) -> None: ...
    def start(self, done: Callable[[Any, BaseException | None], None]) -> Task: ...

def verify_token(
    token: str | bytes, *, issuer: str, audience: str | Collection[str] | None = None, leeway: float = 30.0
) -> ToriiAuth: ...
def authenticate_request(
    headers: Headers,
    *,
    issuer: str,
    audience: str | Collection[str] | None = None,
    leeway: float = 30.0,
    header: str = "authorization",
) -> ToriiAuth: ...
def clear_jwks_cache_for_tests() -> None: ...
def begin_verification(
    given: Any,
    *,
    issuer: str,
    audience: str | Collection[str] | None,
    leeway: float | None,
    header: str | None = None,
    is_request: bool = False,
) -> ToriiAuth | Verification: ...

@final
class ManualClock:
    def __new__(cls, unix_seconds: int) -> Self: ...
    def advance(self, seconds: float) -> None: ...
    def jump_wall_seconds(self, seconds: int) -> None: ...

def verify_es256(x: bytes, y: bytes, message: bytes, signature: bytes) -> bool: ...
def verify_jws(token: str, jwks: str) -> bytes: ...

@final
class Task:
    def cancel(self) -> None: ...

@final
class Request:
    def __new__(
        cls,
        operation: str,
        *ids: str | UUID,
        body: bytes | None = None,
        **options: Any,
    ) -> Self: ...
    @property
    def operation(self) -> str: ...

@final
class Client:
    def __new__(
        cls,
        secret_key: str | None,
        *,
        api_url: str | None,
        timeout: float,
        attempt_timeout: float,
        connect_timeout: float,
        allow_insecure_http: bool,
        user_agent_suffix: str | None,
        proxy: str | None,
        ca_file: str | PathLike[str] | None,
        max_idle_connections: int | None,
    ) -> Self: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def api_url(self) -> str: ...
    def call(self, request: Request, described: bool = False) -> Any: ...
    def start(
        self, request: Request, done: Callable[[Any, BaseException | None], None], described: bool = False
    ) -> Task: ...
    def pages(self, request: Request) -> Pages: ...
    def close(self) -> None: ...

@final
class Pages:
    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...
    def start(self, done: Callable[[Any, BaseException | None], None]) -> Task: ...

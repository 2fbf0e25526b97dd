"""Django: a middleware for all views, and a decorator and a mixin for single ones.

It comes with `pip install "torii-backend[django]"`. The setting `TORII` names the issuer:

    INSTALLED_APPS = [..., "torii_backend.django.ToriiConfig"]
    MIDDLEWARE = [..., "torii_backend.django.AuthMiddleware"]
    TORII = {"ISSUER": "https://acme.torii.so"}

It may also have other settings of a `Verifier`, in capitals, or `VERIFIER`, one of your own, and these:

- `ON_REFUSED`, `CLAIMS`, `ALLOW_PREFLIGHT`: as for `torii_backend.wsgi.AuthMiddleware`.
- `OPTIONAL` and `REQUIRE`: likewise, and for the middleware alone.
- `USER`: a function from a `ToriiAuth` to what the middleware puts into `request.user`, which it leaves
  alone without. It is called at the first use. List the middleware after Django's `AuthenticationMiddleware`.

Functions and types can be given as dotted names. The app is for `manage.py check`, which then says which
setting is wrong, and for drf-spectacular's documents.
"""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar, cast, overload

try:
    from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
    from django.utils.functional import SimpleLazyObject
except ImportError as error:
    raise ImportError(
        'torii_backend.django needs Django: pip install "torii-backend[django]"', name=error.name
    ) from error

from torii_backend._django import Gates, admit, admit_async, answer, configured, is_async
from torii_backend._django_app import ToriiConfig
from torii_backend._gate import Gate, Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from typing_extensions import Unpack

    from torii_backend._gate import GateSettings

__all__ = ["AuthMiddleware", "Refusal", "RequireAuthMixin", "ToriiConfig", "require_auth"]

View = TypeVar("View", bound=Callable[..., Any])


class AuthMiddleware:
    """Lets only authenticated requests through. The `ToriiAuth` of the caller is `request.torii`.

    With `OPTIONAL`, that is `None` for a request without credentials. A `REQUIRE` with a `FromPath` is
    checked when the view is known. Asynchronous requests take no thread.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        options = dict(configured())
        self._user = options.pop("user", None)
        self._require: Any = options.get("require")
        self._get_response = get_response
        self._waits = iscoroutinefunction(get_response)
        if self._waits:
            markcoroutinefunction(self)
        if self._require is not None and self._require._from_path:  # noqa: SLF001
            del options["require"]
            self.process_view = self._check_path_async if self._waits else self._check_path
        self._gate = Gate(**options)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer a request, or return a coroutine that does so."""
        if self._waits:
            return self._wait(request)
        refused = admit(self._gate, request)
        return self._enter(request) if refused is None else refused

    async def _wait(self, request: HttpRequest) -> Any:
        refused = await admit_async(self._gate, request)
        return await self._enter(request) if refused is None else refused

    def _enter(self, request: Any) -> Any:
        if self._user is not None and request.torii is not None:
            find, waits = partial(self._user, request.torii), iscoroutinefunction(self._user)
            request.user = SimpleLazyObject(async_to_sync(find) if waits else find)
            request.auser = find if waits else sync_to_async(find)
        return self._get_response(request)

    def _check_path(self, request: Any, _view: object, _arguments: object, path: Mapping[str, Any]) -> Any:
        try:
            if request.torii is not None:
                self._gate.check(request.torii, self._require, path)
        except Refused as refused:
            return answer(refused)
        return None

    async def _check_path_async(self, *arguments: Any) -> Any:
        return self._check_path(*arguments)


@overload
def require_auth(view: View) -> View: ...
@overload
def require_auth(**options: Unpack[GateSettings]) -> Callable[[View], View]: ...
def require_auth(view: Any = None, **options: Unpack[GateSettings]) -> Any:
    """Protect a view, plain or asynchronous. Its caller's `ToriiAuth` is `request.torii`.

    `require`, `optional` and other options are those of `torii_backend.wsgi.AuthMiddleware`; `FromPath` looks
    at what the URL pattern captures by name. Without `issuer` or `verifier`, `TORII` has the verifier.

    >>> from torii_backend import FromPath, Require
    >>> @require_auth(require=Require(organization=FromPath("org_id")))
    ... def orders(request, org_id): ...
    """
    gates = Gates(options)

    def decorate(view: View) -> View:
        async def waiting(request: HttpRequest, *arguments: Any, **path: Any) -> Any:
            refused = await admit_async(gates(), request, path)
            return await view(request, *arguments, **path) if refused is None else refused

        def plain(request: HttpRequest, *arguments: Any, **path: Any) -> Any:
            refused = admit(gates(), request, path)
            return view(request, *arguments, **path) if refused is None else refused

        return cast("View", wraps(view)(waiting if is_async(view) else plain))

    return decorate if view is None else decorate(view)


class RequireAuthMixin:
    """Protects a class-based view. It comes before `View`, and `auth_options` are those of `require_auth`."""

    auth_options: ClassVar[GateSettings] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        first = next((each for each in cls.__mro__ if "as_view" in vars(each)), cls)
        if not issubclass(first, RequireAuthMixin):
            raise TypeError(f"{cls.__name__}: RequireAuthMixin must come before {first.__name__}")

    @classmethod
    def as_view(cls, **arguments: Any) -> Any:
        """Return the protected view."""
        view: Any = super()
        return require_auth(**cls.auth_options)(view.as_view(**arguments))

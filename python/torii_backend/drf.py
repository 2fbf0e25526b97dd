"""Django REST framework: an authentication class, and permission classes for guards.

It comes with `pip install "torii-backend[drf]"`. Its setting is `TORII`, as `torii_backend.django` says,
whose middleware is not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

try:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
    from rest_framework.permissions import BasePermission, OperationHolderMixin
except ImportError as error:
    raise ImportError(
        'torii_backend.drf needs Django REST framework: pip install "torii-backend[drf]"', name=error.name
    ) from error

from torii_backend import Require, ToriiAuth
from torii_backend._django import Gates, check_csrf, fields
from torii_backend._gate import Refused, not_installed

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from torii_backend._gate import GateSettings

__all__ = ["Caller", "Requires", "ToriiAuthentication"]


class Caller:
    """What `request.user` is: not a row of a database, but enough for permissions and throttles."""

    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False

    def __init__(self, auth: ToriiAuth[Any]) -> None:
        self.id = self.pk = auth.user_id

    def __str__(self) -> str:
        return self.id


class ToriiAuthentication(BaseAuthentication):
    """Makes `request.auth` the `ToriiAuth` of the caller, and `request.user` a `Caller` with its id.

    As everywhere in the framework, a request without credentials is anonymous, and permission classes keep it
    out: `Requires`, or the framework's `IsAuthenticated`. Bad credentials are refused here; those of another
    scheme are left to the authentication class that follows, if there is one.

    For settings other than `TORII`, make a subclass with `auth_options`, the keywords of
    `torii_backend.django.require_auth`. A token in a cookie needs a CSRF token beside it, as with sessions.
    """

    auth_options: ClassVar[GateSettings] = {}
    gates: ClassVar[Gates] = Gates({})

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.gates = Gates(cls.auth_options)

    def authenticate(self, request: Request) -> tuple[Any, ToriiAuth[Any]] | None:
        """Return the caller, or `None` where there is none."""
        gate, context = self.gates(), request.parser_context or {}
        if gate.is_preflight(request.method or "", request.META):
            return None
        whole = request._request  # noqa: SLF001
        try:
            auth = gate.admit(fields(whole), context.get("kwargs"))
            if auth is None:
                return None
            check_csrf(whole, gate)
        except Refused as refused:
            error: Any = refused.__cause__
            # The challenge of what is not `Bearer` and a token names no error.
            last = not request.authenticators or request.authenticators[-1] is self
            foreign = error.www_authenticate == "Bearer" and not last
            if error.code == "header_missing" or foreign:
                return None
            raise _exception(refused, context.get("view")) from error
        return self.user(auth), auth

    def user(self, auth: ToriiAuth[Any]) -> Any:
        """Return what becomes `request.user`: override it for a user of your own."""
        return Caller(auth)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Return the challenge of a 401. Without one, the framework answers 403 in its place."""
        return "Bearer"


class Requires(OperationHolderMixin, BasePermission):
    """Lets callers in that satisfy a `Require`, or, without one, all callers.

    >>> class Orders(APIView):
    ...     authentication_classes = [ToriiAuthentication]
    ...     permission_classes = [Requires(Require(role="org:administrator"))]
    """

    def __init__(self, require: Require | None = None) -> None:
        self._require = Require() if require is None else require

    def __call__(self) -> Requires:
        """Return itself, since the framework calls what is in `permission_classes`."""
        return self

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the caller is let in, or raise what the client is told."""
        ours = [each for each in request.authenticators or () if isinstance(each, ToriiAuthentication)]
        # `force_authenticate` of the framework's tests puts an authentication of its own there.
        gate = (ours[0] if ours else ToriiAuthentication()).gates()
        known = isinstance(request.auth, ToriiAuth)
        try:
            if gate.is_preflight(request.method or "", request.META):
                return True
            if not ours and not known:
                raise not_installed("Requires", "ToriiAuthentication")
            gate.check(cast("Any", request.auth) if known else None, self._require, view.kwargs)
        except Refused as refused:
            # As a part of another permission, such as `Requires() | ReadOnly`, it does not decide alone.
            alone: Any = view.permission_classes
            if refused.refusal.status != 500 and all(each is not self for each in alone):
                return False
            raise _exception(refused, view) from refused.__cause__
        return True


class _Unauthenticated(AuthenticationFailed):
    # The framework would make it a 403 where the first authentication class has no challenge.
    status_code: Any = property(lambda _: 401, lambda _, __: None)


def _exception(refused: Refused, view: APIView | None) -> APIException:
    """Make the exception that is rendered as the answer. The view has the headers of all its answers."""
    status, headers, body, _ = refused.refusal
    if view is not None:
        view.headers.update(headers)
    kind = {401: _Unauthenticated, 403: PermissionDenied}.get(status, APIException)
    error = kind(body, body.get("code"))
    error.status_code = status
    return error

"""Django REST framework: an authentication class, and permission classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.handlers.wsgi import WSGIHandler
from django.urls import path

from conformance import application
from conformance.apps import _project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponseBase

_project.configure(
    __name__,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["torii_backend.drf.ToriiAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)

from rest_framework.decorators import api_view, authentication_classes, permission_classes  # noqa: E402
from rest_framework.permissions import AllowAny  # noqa: E402
from rest_framework.request import Request  # noqa: E402, TC002
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from torii_backend.drf import Requires, ToriiAuthentication  # noqa: E402


def authentication(where: str) -> type[ToriiAuthentication]:
    options = application.gate(where)
    options.pop("require", None)

    class Own(ToriiAuthentication):
        auth_options = options

    return ToriiAuthentication if options == {"verifier": application.verifier()} else Own


class Protected(APIView):
    permission_classes = [Requires()]

    def get(self, request: Request, **_: Any) -> Response:
        return Response(application.caller(request.auth))


def protected(where: str) -> Any:
    class View(Protected):
        authentication_classes = [authentication(where)]
        permission_classes = [Requires(application.gate(where).get("require"))]

    return View.as_view()


class Upload(Protected):
    def post(self, request: Request) -> Response:
        return Response({"user_id": request.user.id, "bytes": _project.size(request._request)})


class Stream(Protected):
    def get(self, request: Request, **_: Any) -> HttpResponseBase:
        return _project.streamed(request._request)


class Issuers(Protected):
    authentication_classes = [authentication("/issuers")]

    def get(self, request: Request, **_: Any) -> Response:
        return Response(application.caller_and_issuer(request.auth))


class Claims(Protected):
    authentication_classes = [authentication("/claims")]

    def get(self, request: Request, **_: Any) -> Response:
        return Response(application.plan(request.auth.claims))


class Closed(Protected):
    def options(self, request: Request) -> HttpResponseBase:
        return _project.allowed()


class Cors(Closed):
    authentication_classes = [authentication("/cors")]


@api_view(["GET"])
@permission_classes([AllowAny])
def optional(request: Request) -> Response:
    return Response({"user_id": request.auth and request.auth.user_id})


@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def public(request: Request) -> Response:
    return Response({"public": True})


VIEWS = {
    **{where: protected(where) for where in application.ANSWERED_BY_CALLER},
    "/orgs/<org_id>": protected("/orgs"),
    "/upload": Upload.as_view(),
    "/stream": Stream.as_view(),
    "/issuers": Issuers.as_view(),
    "/claims": Claims.as_view(),
    "/closed": Closed.as_view(),
    "/cors": Cors.as_view(),
    "/optional": optional,
    "/public": public,
}
urlpatterns = [path(where[1:], view) for where, view in VIEWS.items()]
handler = WSGIHandler()


def wsgi(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    return _project.served(environ, start, handler)

"""A WSGI application with a protected page of each adapter, each with an issuer and keys of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.conf import settings

ISSUER = os.environ["TORII_ISSUER"]
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests alone",
    TORII={"ISSUER": f"{ISSUER}/drf"},
)

import django  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from flask import Flask  # noqa: E402
from torii_backend.django import require_auth  # noqa: E402
from torii_backend.flask import Torii, current_auth  # noqa: E402
from torii_backend.wsgi import AuthMiddleware  # noqa: E402

django.setup()

from ninja import NinjaAPI  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from torii_backend.drf import Requires, ToriiAuthentication  # noqa: E402
from torii_backend.ninja import ToriiBearer  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

flask = Flask(__name__)
torii = Torii(flask, issuer=f"{ISSUER}/flask")
api = NinjaAPI(auth=ToriiBearer(issuer=f"{ISSUER}/ninja"))


@flask.get("/flask")
@torii.require_auth()
def flask_view() -> Any:
    return {"user": current_auth.user_id}


@require_auth(issuer=f"{ISSUER}/django")
def django_view(request: Any) -> JsonResponse:
    return JsonResponse({"user": request.torii.user_id})


class View(APIView):
    authentication_classes = [ToriiAuthentication]
    permission_classes = [Requires()]

    def get(self, request: Any) -> Response:
        return Response({"user": request.auth.user_id})


@api.get("ninja")
def operation(request: HttpRequest) -> Any:
    return {"user": request.auth.user_id}


urlpatterns = [path("django", django_view), path("drf", View.as_view()), path("", api.urls)]


def public(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    start("200 OK", [("Content-Length", "2")])
    return [b"{}"]


APPS = {"/public": public, "/wsgi": AuthMiddleware(public, issuer=f"{ISSUER}/wsgi"), "/flask": flask}
handler = WSGIHandler()


def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    return APPS.get(environ["PATH_INFO"], handler)(environ, start)

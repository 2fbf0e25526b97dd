"""Pages on Django and an API on Django REST framework, in one file: its README says how to run it."""

from __future__ import annotations

import os
import secrets
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIServer, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from torii_backend import Require, ToriiAuthError, Verifier

SESSION, STATE = "session", "sign-in-state"
ISSUER = os.environ["TORII_ISSUER"]

HOME = """<!doctype html><meta charset="utf-8"><title>Example</title><h1>Example</h1>
<p>Anybody may read this page.</p>
<p><a href="/sign-in">Sign in</a> · <a href="/account">Your account</a></p>"""
ACCOUNT = """<!doctype html><title>Your account</title><h1>Your account</h1>
<p>You are {}. <a href="/admin">Administration</a></p>
<p><a href="/api/me">The same from the API</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>"""


def ask_to_sign_in(_: Exception, refusal: Any) -> Any:
    """Send the browser to sign in; all else is answered as ever."""
    return refusal._replace(status=303, headers={"Location": "/sign-in"}) if refusal.status == 401 else None


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    INSTALLED_APPS=["torii_backend.django.ToriiConfig"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["torii_backend.drf.ToriiAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(),
    TORII={"VERIFIER": Verifier(ISSUER, cookie=SESSION), "ON_REFUSED": ask_to_sign_in},
)
django.setup()

from rest_framework.request import Request  # noqa: E402, TC002
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from torii_backend.django import require_auth  # noqa: E402
from torii_backend.drf import Requires  # noqa: E402


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(HOME)


@require_auth
def account(request: Any) -> HttpResponse:
    return HttpResponse(format_html(ACCOUNT, request.torii.user_id))


class Me(APIView):
    permission_classes = [Requires()]

    def get(self, request: Request) -> Response:
        return Response({"user_id": request.user.id})


class Admin(APIView):
    permission_classes = [Requires(Require(organization=True, role="org:administrator"))]

    def get(self, request: Request) -> Response:
        return Response({"message": "Administrators see this."})


def sign_in(request: HttpRequest) -> HttpResponse:
    state = secrets.token_urlsafe()
    back = request.build_absolute_uri(f"/signed-in?state={state}")
    reply = redirect(f"{ISSUER}/sign-in?{urlencode({'redirect_url': back})}")
    reply.set_cookie(STATE, state, path="/signed-in", **cookie(request))
    return reply


def signed_in(request: HttpRequest) -> HttpResponse:
    # A link of somebody else's must not sign this browser in as them.
    state = request.COOKIES.get(STATE)
    if not state or request.GET.get("state") != state:
        return HttpResponse("Please sign in again.", status=400)
    token = request.GET.get("torii_token", "")
    try:
        settings.TORII["VERIFIER"].verify(token)
    except ToriiAuthError as error:
        return HttpResponse("Please sign in again.", status=error.http_status)
    # To an address without the token, which must not stay in the browser's history.
    reply = redirect("/account")
    reply.set_cookie(SESSION, token, **cookie(request))
    reply.delete_cookie(STATE, path="/signed-in")
    return reply


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    reply = redirect("/")
    reply.delete_cookie(SESSION)
    return reply


def cookie(request: HttpRequest) -> dict[str, Any]:
    """Make a cookie that scripts cannot read, and that other sites' forms do not send."""
    return {"httponly": True, "samesite": "Lax", "secure": request.is_secure()}


urlpatterns = [
    path("", home),
    path("account", account),
    path("admin", Admin.as_view()),
    path("api/me", Me.as_view()),
    path("sign-in", sign_in),
    path("signed-in", signed_in),
    path("sign-out", sign_out),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "3000"))
    server = make_server("127.0.0.1", port, get_wsgi_application(), Server)
    print(f"open http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()

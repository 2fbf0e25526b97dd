"""A Django project: views behind the middleware, and views with the decorator and the mixin."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from conformance import application
from conformance.apps import _project

if TYPE_CHECKING:
    from collections.abc import Iterable

_project.configure(__name__)

from torii_backend.django import RequireAuthMixin, require_auth  # noqa: E402


def caller(request: HttpRequest, **_: Any) -> HttpResponse:
    return JsonResponse(application.caller(request.torii))


async def caller_async(request: HttpRequest, **_: Any) -> HttpResponse:
    return JsonResponse(application.caller(request.torii))


def mixed(where: str) -> Any:
    class Mixed(RequireAuthMixin, View):
        auth_options = application.gate(where)

        def get(self, request: HttpRequest) -> HttpResponse:
            return caller(request)

    return Mixed.as_view()


def mixed_async(where: str) -> Any:
    class Mixed(RequireAuthMixin, View):
        auth_options = application.gate(where)

        async def get(self, request: HttpRequest) -> HttpResponse:
            return caller(request)

    return Mixed.as_view()


def dispatched(where: str) -> Any:
    @method_decorator(require_auth(**application.gate(where)), name="dispatch")
    class Dispatched(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return caller(request)

    return Dispatched.as_view()


def dispatched_async(where: str) -> Any:
    @method_decorator(require_auth(**application.gate(where)), name="dispatch")
    class Dispatched(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return caller(request)

    return Dispatched.as_view()


def decorated(where: str) -> Any:
    return require_auth(**application.gate(where))(caller)


def decorated_async(where: str) -> Any:
    return require_auth(**application.gate(where))(caller_async)


KINDS = cycle([decorated, decorated_async, mixed, mixed_async, dispatched, dispatched_async])


async def upload(request: HttpRequest) -> HttpResponse:
    # Others have their turn after the middleware's.
    await asyncio.sleep(0)
    return JsonResponse({"user_id": request.torii.user_id, "bytes": _project.size(request)})


async def stream(request: HttpRequest) -> HttpResponseBase:
    return _project.streamed(request)


def with_options(request: HttpRequest) -> HttpResponse:
    return _project.allowed() if request.method == "OPTIONS" else caller(request)


@require_auth(**application.gate("/issuers"))
async def issuers(request: HttpRequest) -> HttpResponse:
    return JsonResponse(application.caller_and_issuer(request.torii))


@require_auth(verifier=application.verifier("outer"))
@require_auth
def two(request: HttpRequest) -> HttpResponse:
    return JsonResponse(application.caller_and_issuer(request.torii))


@require_auth(**application.gate("/optional"))
def optional(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user_id": request.torii and request.torii.user_id})


@require_auth(claims=application.Claims)
def claims(request: HttpRequest) -> HttpResponse:
    return JsonResponse(application.plan(request.torii.claims))


def public(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"public": True})


# Behind the middleware, and not protected by themselves.
BEHIND = {"/me": caller_async, "/upload": upload, "/stream": stream, "/closed": with_options}
DECORATED = {
    **{
        where: kind(where)
        for where, kind in zip(application.ANSWERED_BY_CALLER, KINDS)
        if where not in BEHIND
    },
    "/issuers": issuers,
    "/two": two,
    "/optional": optional,
    "/claims": claims,
    "/cors": require_auth(**application.gate("/cors"))(with_options),
    "/public": public,
}
urlpatterns = [
    *(path(where[1:], view) for where, view in {**BEHIND, **DECORATED}.items()),
    path("orgs/<org_id>", require_auth(require=application.ORGS)(caller)),
]

MIDDLEWARE = ["torii_backend.django.AuthMiddleware"]
with override_settings(MIDDLEWARE=MIDDLEWARE):
    behind_wsgi, behind_asgi = WSGIHandler(), ASGIHandler()
with override_settings(MIDDLEWARE=[]):
    plain_wsgi, plain_asgi = WSGIHandler(), ASGIHandler()


def _is_decorated(where: str) -> bool:
    return where in DECORATED or where.startswith("/orgs/")


def wsgi(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    app = plain_wsgi if _is_decorated(environ["PATH_INFO"]) else behind_wsgi
    return _project.served(environ, start, app)


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    await (plain_asgi if _is_decorated(scope["path"]) else behind_asgi)(scope, receive, send)

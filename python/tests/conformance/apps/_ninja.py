"""django-ninja: plain and asynchronous operations, and an `auth=` for each."""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest  # noqa: TC002
from django.urls import path

from conformance import application
from conformance.apps import _project

_project.configure(__name__)

from ninja import NinjaAPI  # noqa: E402
from torii_backend.ninja import ToriiBearer, answer_refused  # noqa: E402

api = NinjaAPI(auth=ToriiBearer(), docs_url=None, openapi_url=None)
answer_refused(api)


def caller(request: HttpRequest) -> Any:
    return application.caller(request.auth)


async def caller_async(request: HttpRequest) -> Any:
    return application.caller(request.auth)


for number, where in enumerate(application.ANSWERED_BY_CALLER):
    auth: dict[str, Any] = {} if where == "/me" else {"auth": ToriiBearer(**application.gate(where))}
    operation = caller_async if number % 2 else caller
    api.api_operation(["GET", "HEAD"], where, operation_id=where, **auth)(operation)


@api.get("/orgs/{org_id}", auth=ToriiBearer(require=application.ORGS))
async def organization(request: HttpRequest, org_id: str) -> Any:
    return application.caller(request.auth)


@api.post("/upload")
def upload(request: HttpRequest) -> Any:
    return {"user_id": request.auth.user_id, "bytes": _project.size(request)}


@api.get("/stream")
async def stream(request: HttpRequest) -> Any:
    return _project.streamed(request)


@api.get("/issuers", auth=ToriiBearer(**application.gate("/issuers")))
def issuers(request: HttpRequest) -> Any:
    return application.caller_and_issuer(request.auth)


@api.get("/claims", auth=ToriiBearer(claims=application.Claims))
async def claims(request: HttpRequest) -> Any:
    return application.plan(request.auth.claims)


@api.get("/optional", auth=ToriiBearer(optional=True))
async def optional(request: HttpRequest) -> Any:
    return {"user_id": request.auth.user_id}


@api.get("/public", auth=None)
def public(request: HttpRequest) -> Any:
    return {"public": True}


def with_options(request: HttpRequest) -> Any:
    return _project.allowed() if request.method == "OPTIONS" else application.caller(request.auth)


for where in ("/cors", "/closed"):
    auth = {"auth": ToriiBearer(**application.gate(where))}
    api.api_operation(["GET", "OPTIONS"], where, operation_id=where, **auth)(with_options)

urlpatterns = [path("", api.urls)]
asgi = ASGIHandler()

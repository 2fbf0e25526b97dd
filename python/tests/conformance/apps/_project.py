"""What the applications on Django share. They run in processes of their own, as settings are global."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse

from conformance import application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from django.http import HttpRequest


def configure(urls: str, **more: Any) -> None:
    """Set Django up, with `TORII` for the plain verifier."""
    torii = {"VERIFIER": application.verifier()}
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="for tests alone", TORII=torii, **more
    )
    django.setup()


def size(request: HttpRequest) -> int:
    """Read the body. As a WSGI application, Django passes over one that comes in chunks."""
    return len(request.body if isinstance(request, ASGIRequest) else request.META["wsgi.input"].read())


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        for part in application.STREAM:
            yield part

    return StreamingHttpResponse(parts() if isinstance(request, ASGIRequest) else iter(application.STREAM))


def allowed() -> HttpResponse:
    """Answer OPTIONS."""
    return HttpResponse(status=204, headers=application.ALLOWED_ORIGIN)


def served(environ: dict[str, Any], start: Any, app: Any) -> Iterable[bytes]:
    """Answer HEAD without a body. Django leaves that to the server, and older gunicorns do not do it."""
    response = app(environ, start)
    if environ["REQUEST_METHOD"] != "HEAD":
        return response
    response.close()
    return []

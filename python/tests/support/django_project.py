"""A Django project in the process of the tests, whose settings they override."""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.urls import path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def configure() -> None:
    """Set Django up, once for all tests."""
    if settings.configured:
        return
    more = [name for name in ("drf_spectacular",) if find_spec(name)]
    settings.configure(
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=[
            *more,
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "torii_backend.django.ToriiConfig",
        ],
        ROOT_URLCONF=urls({}),
        SECRET_KEY="for tests alone",
    )
    django.setup()


def urls(views: Mapping[str, Callable[..., Any]]) -> Any:
    """Return a module for `ROOT_URLCONF`."""
    module: Any = ModuleType("urls")
    module.urlpatterns = [path(where, view) for where, view in views.items()]
    return module


def session_user(get_response: Any) -> Any:
    """A middleware that finds a user of its own."""

    def middleware(request: Any) -> Any:
        request.user = "ada of the session"
        return get_response(request)

    return middleware


def spectacular() -> Any:
    """Return what describes a view."""
    from drf_spectacular.openapi import AutoSchema

    return AutoSchema()

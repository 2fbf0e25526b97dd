"""The app for Django's `INSTALLED_APPS`, with its system checks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks

from torii_backend._django import OF_MIDDLEWARE, configured
from torii_backend._settings import NAMES
from torii_backend.errors import ToriiConfigError

MIDDLEWARE = "torii_backend.django.AuthMiddleware"


class ToriiConfig(AppConfig):
    """The app, for its system checks, and for drf-spectacular's documents."""

    name = "torii_backend.django"
    label = "torii"
    verbose_name = "torii"

    def ready(self) -> None:
        """Tell drf-spectacular about the authentication class, now that both can be imported."""
        if apps.is_installed("drf_spectacular"):
            import_module("torii_backend._spectacular")


@checks.register(checks.Tags.security)
def _checked(**_options: Any) -> list[checks.CheckMessage]:
    """Say which of the settings is wrong."""
    installed = MIDDLEWARE in settings.MIDDLEWARE
    if not installed and not hasattr(settings, "TORII"):
        return []
    try:
        found = configured()
    except ToriiConfigError as wrong:
        name, _, problem = str(wrong).partition(": ")
        setting = f'TORII["{name.upper()}"]' if name in NAMES | OF_MIDDLEWARE else name
        return [checks.Error(f"{setting}: {problem}", id="torii.E001")]
    idle = [] if installed else sorted(OF_MIDDLEWARE & found.keys())
    return [
        checks.Warning(
            f'TORII["{name.upper()}"]: has no effect without the middleware',
            hint=f"Add {MIDDLEWARE} to MIDDLEWARE.",
            id="torii.W001",
        )
        for name in idle
    ]

"""Decorators in the wrong order: an endpoint that is registered without the guard that stands above it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_GUARDED = "__torii_guarded__"


def remember(endpoint: Any, guarded: Any) -> None:
    """Note that `guarded` has been made of `endpoint`."""
    for layer in _layers(endpoint):
        if hasattr(layer, "__dict__"):
            layer.__dict__[_GUARDED] = guarded


def unguarded(app: Any) -> str | None:
    """Name an endpoint of an application that is registered as it is, though its name means the guarded one.

    An application may well register both. A name inside of a function tells nothing: the guarded one has to
    be registered too. `app` is an application of Starlette, or a middleware around one.
    """
    endpoints = list(_endpoints(app))
    registered = {id(layer) for endpoint in endpoints for layer in _layers(endpoint)}
    for endpoint in endpoints:
        guarded = getattr(endpoint, "__dict__", {}).get(_GUARDED)
        name = getattr(endpoint, "__qualname__", "")
        if guarded is None:
            continue
        if "<locals>" in name:
            mistaken = id(guarded) not in registered
        else:
            named = vars(sys.modules.get(endpoint.__module__, sys)).get(name)
            mistaken = any(layer is guarded for layer in _layers(named))
        if mistaken:
            return str(name)
    return None


def _layers(endpoint: Any) -> Iterator[Any]:
    """Go from a decorated function to what it wraps."""
    while endpoint is not None:
        yield endpoint
        endpoint = getattr(endpoint, "__wrapped__", None)


def _endpoints(app: Any) -> Iterator[Any]:
    """Find the endpoints behind a chain of middlewares."""
    while app is not None:
        for route in getattr(app, "routes", None) or ():
            yield getattr(route, "endpoint", None)
            # FastAPI keeps an included router as it is.
            inside = getattr(route, "app", None) or getattr(route, "original_router", None)
            yield from _endpoints(inside)
        app = getattr(app, "app", None)

"""Decorators in the wrong order: an endpoint that is registered without the guard that stands above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_GUARDED = "__torii_guarded__"


def remember(endpoint: Any, guarded: Any) -> None:
    """Note that `guarded` is what has to be registered in place of `endpoint`."""
    for layer in _layers(endpoint):
        if hasattr(layer, "__dict__"):
            layer.__dict__[_GUARDED] = guarded


def unguarded(app: Any) -> str | None:
    """Name an endpoint of an application that is registered as it is, while its guarded form is not.

    An application may well register both. `app` is one of Starlette, or a middleware around it.
    """
    endpoints = list(_endpoints(app))
    registered = {id(layer) for endpoint in endpoints for layer in _layers(endpoint)}
    for endpoint in endpoints:
        guarded = getattr(endpoint, "__dict__", {}).get(_GUARDED)
        if guarded is not None and id(guarded) not in registered:
            return str(getattr(endpoint, "__qualname__", endpoint))
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

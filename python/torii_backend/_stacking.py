"""Decorators in the wrong order: an endpoint that is registered without the guard that stands above it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    bare = (endpoint for endpoint in endpoints if is_unguarded(endpoint, endpoints))
    return next((str(getattr(endpoint, "__qualname__", "")) for endpoint in bare), None)


def is_unguarded(endpoint: Any, registered: Iterable[Any]) -> bool:
    """Whether an endpoint is registered as it is, though its name means its guarded form."""
    guarded = getattr(endpoint, "__dict__", {}).get(_GUARDED)
    if guarded is None:
        return False
    name = getattr(endpoint, "__qualname__", "")
    if "<locals>" in name:
        return all(guarded is not layer for each in registered for layer in _layers(each))
    named = vars(sys.modules.get(endpoint.__module__, sys)).get(name)
    return any(layer is guarded for layer in _layers(named))


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

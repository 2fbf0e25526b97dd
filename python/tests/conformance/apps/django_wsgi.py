"""Django as a WSGI application."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from conformance import servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter(lacks=frozenset({"websocket"}))

if find_spec("django") is None:
    raise ImportError("django is not installed", name="django")


def served() -> AbstractContextManager[int]:
    return servers.gunicorn("conformance.apps._django:wsgi")

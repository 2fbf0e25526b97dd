"""Django REST framework. An authentication class stands alone: it has no layers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from conformance import servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter(lacks=frozenset({"websocket", "layers"}))

if find_spec("rest_framework") is None:
    raise ImportError("rest_framework is not installed", name="rest_framework")


def served() -> AbstractContextManager[int]:
    return servers.gunicorn("conformance.apps._drf:wsgi")

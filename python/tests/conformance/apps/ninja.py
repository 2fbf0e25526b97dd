"""django-ninja. One `auth=` lets in or refuses: it has no layers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from conformance import servers
from conformance.runner import Adapter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ADAPTER = Adapter(lacks=frozenset({"websocket", "layers"}))

if find_spec("ninja") is None:
    raise ImportError("ninja is not installed", name="ninja")


def served() -> AbstractContextManager[int]:
    return servers.uvicorn_process("conformance.apps._ninja:asgi")

"""A token's claims as a type of the application's own: a pydantic model, a dataclass, or a `msgspec.Struct`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Callable

    from torii_backend import ToriiAuth


def reader(claims: type[Any]) -> Callable[[ToriiAuth], Any]:
    """Return a function that reads the claims of a token.

    It raises a `ValueError` where they do not have the type's shape.
    """
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None and isinstance(claims, type) and issubclass(claims, msgspec.Struct):
        return lambda auth: msgspec.convert(auth.raw, claims)
    from pydantic import TypeAdapter

    validate = TypeAdapter(claims).validate_python
    return lambda auth: validate(auth.raw)

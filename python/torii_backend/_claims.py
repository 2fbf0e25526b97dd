"""A token's claims as a type of the application's own: a pydantic model, a dataclass or another."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torii_backend.errors import ToriiConfigError

if TYPE_CHECKING:
    from typing import Callable

    from torii_backend import ToriiAuth


def reader(claims: Any) -> Callable[[ToriiAuth[Any]], Any]:
    """Return a function that reads the claims of a token.

    It raises a `ValueError` where they do not have the type's shape.
    """
    # What pydantic makes for a type takes milliseconds.
    return _reader(claims)


@lru_cache(maxsize=128)
def _reader(claims: Any) -> Callable[[ToriiAuth[Any]], Any]:
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None and isinstance(claims, type) and issubclass(claims, msgspec.Struct):
        return _struct_reader(msgspec, claims)
    from pydantic import PydanticUserError, TypeAdapter

    try:
        validate = TypeAdapter(claims).validate_python
    except PydanticUserError as error:
        raise ToriiConfigError(f"claims: pydantic cannot read into {claims!r}: {error.message}") from error
    return lambda auth: validate(auth.raw)


def _struct_reader(msgspec: Any, claims: Any) -> Callable[[ToriiAuth[Any]], Any]:
    def read(auth: ToriiAuth[Any]) -> Any:
        try:
            return msgspec.convert(auth.raw, claims)
        except msgspec.ValidationError as problem:
            # It is a `ValueError` only in newer releases.
            raise ValueError(str(problem)) from problem

    return read

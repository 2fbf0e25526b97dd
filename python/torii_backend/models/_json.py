"""What JSON can say of metadata, without loss."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_jsonable_python

_DEEPEST = 126
"""Levels of a bag. With the document around it they are as many as JSON readers commonly take."""
_BITS = 1023
"""Bits of a whole number. Readers that make a double of a larger one refuse the document."""


def plain_json(value: Any, path: str, depth: int = 1) -> Any:
    """Return `value` as dicts with text keys, lists and scalars. `path` is what errors call it.

    Whole numbers and floats stay as they are; `Decimal`, `UUID`, instants and the like become text.

    Raises:
        PydanticSerializationError: JSON has nothing that says the same.

    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        if value.bit_length() > _BITS:
            raise _refused(path, "is a number beyond what a double holds")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(path, "is NaN or infinite, and JSON has no such value")
        return float(value)
    if depth > _DEEPEST:
        raise _refused(path.partition(".")[0], f"has more than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        members = cast("Mapping[object, Any]", value)
        return {
            _key(key, path): plain_json(each, f"{path}.{key}", depth + 1) for key, each in members.items()
        }
    if isinstance(value, (list, tuple, deque, AbstractSet)):
        items = cast("Iterable[Any]", value)
        return [plain_json(each, f"{path}.{index}", depth + 1) for index, each in enumerate(items)]
    try:
        made = to_jsonable_python(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused(path, f"cannot be written as JSON: {error}") from None
    return plain_json(made, path, depth)


def _key(key: Any, path: str) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise _refused(path, f"has a key that is no text but {type(key).__name__}")
    return _text(key, path)


def _text(text: str, path: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused(path, "has surrogates, which UTF-8 has not") from None
    return str(text)


def _refused(path: str, problem: str) -> PydanticSerializationError:
    return PydanticSerializationError(f"{path}: {problem}")

"""What both clients share: from a method's arguments to a request, and from a reply's bytes to a model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from torii_backend._native import Request
from torii_backend.errors import ToriiReplyError, ToriiRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torii_backend._fields import Id
    from torii_backend.models._base import Input
    from torii_backend.models.inputs import Filter

T = TypeVar("T")


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()
"""Stands for an argument that was not given, where `None` says something."""


def writing(
    operation: str,
    kind: type[Input],
    body: Input | Mapping[str, Any] | None,
    /,
    *ids: Id,
    timeout: float | None = None,
    attempt_timeout: float | None = None,
    retries: bool = True,
    **fields: Any,
) -> Request:
    """Make a request with a body, which is given as a model, as a mapping or as keywords."""
    if body is not None and fields:
        raise TypeError(f"{operation} takes a body or keywords ({', '.join(fields)}), not both")
    data = _json(operation, kind, fields if body is None else body)
    return Request(
        operation, *ids, body=data, timeout=timeout, attempt_timeout=attempt_timeout, retries=retries
    )


def listing(
    operation: str,
    kind: type[Filter],
    /,
    *,
    limit: int | None = None,
    cursor: Id | None = None,
    timeout: float | None = None,
    attempt_timeout: float | None = None,
    retries: bool = True,
    **filters: Any,
) -> Request:
    """Make a request for a list with a filter, of which only what was given travels."""
    given = {
        name: value
        for name, value in filters.items()
        if value is not UNSET and (value is not None or name in kind.nullable)
    }
    return Request(
        operation,
        body=_json(operation, kind, given),
        limit=limit,
        cursor=cursor,
        timeout=timeout,
        attempt_timeout=attempt_timeout,
        retries=retries,
    )


def origins_request(operation: str, origins: Iterable[str], **options: Any) -> Request:
    """Make a request whose body is a list of texts."""
    try:
        data = _adapter(list[str]).dump_json(_adapter(list[str]).validate_python(origins))
    except ValueError as error:
        raise _refused(operation, error) from None
    return Request(operation, body=data, **options)


def read(request: Request, kind: type[T], reply: bytes | None) -> T:
    """Make a model of a reply."""
    try:
        return _adapter(kind).validate_json(reply or b"")
    except ValidationError as error:
        message = f"{request.operation}: the reply is not what the API promises: {_problems(error)}"
        raise ToriiReplyError(message, 200, operation=request.operation) from None


def _json(operation: str, kind: type[Input], given: Input | Mapping[str, Any]) -> bytes:
    try:
        model = kind.model_validate(dict(given) if isinstance(given, Mapping) else given)
        return model.model_dump_json(by_alias=True, exclude_unset=True, warnings="error").encode()
    except ValueError as error:
        raise _refused(operation, error) from None


def _refused(operation: str, error: ValueError) -> ToriiRequestError:
    message = f"{operation}: the request cannot be sent: {_problems(error)}"
    return ToriiRequestError(message, 0, operation=operation)


def _problems(error: ValueError) -> str:
    """Say what is wrong and where, without the values."""
    if not isinstance(error, ValidationError):
        return str(error)
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in problems)


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)

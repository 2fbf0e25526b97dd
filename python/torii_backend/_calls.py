"""What both clients share: from a method's arguments to a request, and from a reply's bytes to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from torii_backend._native import Request
from torii_backend.errors import ToriiReplyError, ToriiRequestError

if TYPE_CHECKING:
    from torii_backend._fields import Id
    from torii_backend.models._base import Input
    from torii_backend.models.inputs import Filter

T = TypeVar("T")
OPTIONS = {"timeout", "attempt_timeout", "retries"}


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What a method returns, and what came with it."""

    value: T

    status: int
    """The reply's status, such as 200."""

    headers: Mapping[str, str]
    """The reply's headers: names are lower-case, and the values of a repeated header are joined by commas."""

    request_id: str | None
    """What the reply calls the request (`X-Request-Id`), if it does."""

    attempts: int
    """How many attempts were made, 1 or more."""


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
    **fields: Any,
) -> Request:
    """Make a request with a body, which is given as a model, as a mapping or as keywords."""
    options = {name: fields.pop(name) for name in OPTIONS & fields.keys()}
    if body is not None and fields:
        problem = f"{operation}: takes a body or keywords ({', '.join(fields)}), not both"
        raise ToriiRequestError(problem, 0, operation=operation)
    data = _json(operation, kind, fields if body is None else body)
    return Request(operation, *ids, body=data, **options)


def listing(operation: str, kind: type[Filter], /, **given: Any) -> Request:
    """Make a request for a list with a filter, of which only what was given travels."""
    options = {name: given.pop(name) for name in (OPTIONS | {"limit", "cursor"}) & given.keys()}
    filters = {
        name: value
        for name, value in given.items()
        if value is not UNSET and (value is not None or name in kind.nullable)
    }
    return Request(operation, body=_json(operation, kind, filters), **options)


def origins_request(operation: str, origins: Iterable[str], **options: Any) -> Request:
    """Make a request whose body is a list of texts."""
    try:
        data = _adapter(list[str]).dump_json(_adapter(list[str]).validate_python(origins))
    except ValueError as error:
        raise _refused(operation, error) from None
    return Request(operation, body=data, **options)


def read(request: Request, kind: type[T], reply: Any, *, described: bool = False) -> T:
    """Make a model of a reply; if it is described, a `Reply` of the model, which `with_reply` declares."""
    json, about = reply if described else (reply, None)
    try:
        key: Any = kind
        value: Any = None if key is type(None) else _adapter(key).validate_json(json or b"")
    except ValidationError as error:
        message = f"{request.operation}: the reply is not what the API promises: {_problems(error)}"
        raise ToriiReplyError(message, 200, operation=request.operation) from None
    if about is None:
        return value  # type: ignore[no-any-return]
    status, fields, request_id, attempts = about
    headers: dict[str, str] = {}
    for name, text in fields:
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return Reply(value, status, headers, request_id, attempts)  # type: ignore[return-value]


def _json(operation: str, kind: type[Input], given: Input | Mapping[str, Any]) -> bytes:
    try:
        if isinstance(given, kind):
            # A model can be changed in ways that check nothing.
            given = given.given_as(kind)
        model = kind.model_validate(dict(given) if isinstance(given, Mapping) else given)
        return model.to_json().encode()
    except ValueError as error:
        raise _refused(operation, error) from None


def _refused(operation: str, error: ValueError) -> ToriiRequestError:
    message = f"{operation}: the request cannot be sent: {_problems(error)}"
    return ToriiRequestError(message, 0, operation=operation)


def _problems(error: ValueError) -> str:
    """Say what is wrong and where, without the values."""
    if not isinstance(error, ValidationError):
        # pydantic says around it in which of its functions it came up.
        return str(error).rpartition("PydanticSerializationError: ")[2]
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in problems)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)

"""What `authenticate_request` takes for headers."""

from __future__ import annotations

import itertools
from collections import ChainMap, OrderedDict, UserDict
from http.client import HTTPMessage
from io import BytesIO
from types import MappingProxyType, SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from support.keys import USER, SigningKey
from torii_backend import (
    ToriiAuthError,
    ToriiConfigError,
    Verifier,
)

ISSUER = "https://acme.torii.so"
KEY = SigningKey("key-1")
BEARER = f"Bearer {KEY.token(ISSUER)}"
OTHER = f"Bearer {KEY.token(ISSUER)}"


def verifier(**settings: Any) -> Verifier:
    return Verifier(ISSUER, jwks={"keys": [KEY.jwk()]}, **settings)


def code(headers: object, **settings: Any) -> str:
    """What becomes of the headers: `accepted`, or the code of the refusal."""
    try:
        assert verifier(**settings).authenticate_request(headers).user_id == USER
    except ToriiAuthError as error:
        return error.code
    return "accepted"


def message(*fields: tuple[str, str]) -> HTTPMessage:
    made = HTTPMessage()
    for name, value in fields:
        made[name] = value
    return made


class Text(str):
    """A text as enumerations and template engines have them."""

    __slots__ = ()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": BEARER},
        {"AUTHORIZATION": BEARER, "accept": "*/*"},
        {"authorization": BEARER.encode()},
        {b"authorization": BEARER.encode()},
        {"authorization": [BEARER]},
        {"authorization": (BEARER.encode(),)},
        {Text("authorization"): Text(BEARER)},
        {"HTTP_AUTHORIZATION": BEARER, "wsgi.input": BytesIO(), "REQUEST_METHOD": "GET", "SERVER_PORT": 80},
        OrderedDict(Authorization=BEARER),
        UserDict(Authorization=BEARER),
        MappingProxyType({"Authorization": BEARER}),
        ChainMap({}, {"Authorization": BEARER}),
        [(b"accept", b"*/*"), (b"authorization", BEARER.encode())],
        ((b"Authorization", BEARER.encode()),),
        [["authorization", BEARER]],
        message(("Authorization", BEARER)),
        Headers({"Authorization": BEARER}),
        httpx.Headers({"Authorization": BEARER}),
        {1: "one", None: None, "authorization": BEARER},
    ],
    ids=lambda headers: type(headers).__name__,
)
def test_any_mapping_of_headers_is_read(headers: object) -> None:
    assert code(headers) == "accepted"


@pytest.mark.parametrize("name", ["authorization", "accept"])
def test_what_follows_ten_thousand_headers_counts_as_if_it_were_the_token_again(name: str) -> None:
    most = [("authorization", BEARER)] + [("accept", "*/*")] * 9_999
    assert code(most) == "accepted"
    assert code([*most, (name, OTHER)]) == "header_ambiguous"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": BEARER, "authorization": OTHER},
        {"authorization": [BEARER, OTHER]},
        {"authorization": [None, BEARER, None, OTHER]},
        {"authorization": BEARER, b"authorization": BEARER},
        {"Authorization": BEARER, "HTTP_AUTHORIZATION": BEARER},
        [(b"authorization", BEARER.encode())] * 2,
        message(("Authorization", BEARER), ("authorization", OTHER)),
        Headers(raw=[(b"authorization", BEARER.encode())] * 2),
        httpx.Headers([("authorization", BEARER), ("authorization", OTHER)]),
        itertools.repeat,
    ],
    ids=lambda headers: type(headers).__name__,
)
def test_a_header_that_came_twice_is_refused(headers: Any) -> None:
    if headers is itertools.repeat:
        headers = SimpleNamespace(items=lambda: itertools.repeat(("authorization", BEARER)))
    assert code(headers) == "header_ambiguous"


@pytest.mark.parametrize(
    "headers", [{}, [], {"authorization": None}, {"authorization": []}, {"authorization": ""}, {"": BEARER}]
)
def test_no_header_is_no_credentials(headers: object) -> None:
    assert code(headers) == "header_missing"


@pytest.mark.parametrize(
    "headers",
    [
        Headers({"HTTP_AUTHORIZATION": BEARER}),
        message(("HTTP_AUTHORIZATION", BEARER)),
        [(b"HTTP_AUTHORIZATION", BEARER.encode())],
        {"http_authorization": BEARER},
        {"HTTP_authorization": BEARER},
        {"HTTP_X_AUTHORIZATION": BEARER},
        {b"HTTP_AUTHORIZATION": BEARER},
    ],
)
def test_a_variable_of_the_environment_is_no_header_that_a_client_sent(headers: object) -> None:
    assert code(headers) == "header_missing"


@pytest.mark.parametrize(
    "value", [7, 1.5, True, {}, object(), [7], [[BEARER]], bytearray(BEARER.encode()), "Bearer \ud800", "\0"]
)
def test_a_value_that_no_header_has_is_malformed(value: object) -> None:
    assert code({"authorization": value}) == "header_malformed"


def test_another_header_is_read_alone() -> None:
    header = {"header": "X-Torii-Token"}
    assert code({"x-torii-token": BEARER, "authorization": "Basic YTpi"}, **header) == "accepted"
    assert code({"HTTP_X_TORII_TOKEN": BEARER}, **header) == "accepted"
    assert code({"authorization": BEARER}, **header) == "header_missing"
    assert verifier(**header).header == "x-torii-token"


@pytest.mark.parametrize(
    "headers", [None, 7, object(), "authorization", SimpleNamespace(items=lambda: 1 / 0)]
)
def test_what_is_no_mapping_is_a_mistake_of_the_servers(headers: object) -> None:
    with pytest.raises(ToriiConfigError, match="headers: must be a mapping") as refused:
        verifier().authenticate_request(headers)
    assert refused.value.http_status == 500
    assert refused.value.cause is refused.value.__cause__ is not None


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_refusal(interruption: type[BaseException]) -> None:
    def items() -> None:
        raise interruption

    with pytest.raises(interruption):
        verifier().authenticate_request(SimpleNamespace(items=items))


def test_a_mapping_may_have_an_attribute_for_every_name() -> None:
    class Fields(dict[str, str]):
        """As Sanic's headers: an attribute is the field of that name, or an empty text."""

        def __getattr__(self, name: str) -> str:
            return self.get(name.replace("_", "-"), "")

    assert code(Fields(Authorization=BEARER)) == "accepted"
    assert code(Fields(Authorization="Bearer x")) == "malformed"

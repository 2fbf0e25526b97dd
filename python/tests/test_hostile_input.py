"""Whatever is passed for a token, for headers or for a setting: only a `ToriiAuthError` comes out."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
from decimal import Decimal
from fractions import Fraction
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from support.keys import SigningKey
from torii_backend import (
    ToriiAuthError,
    Verifier,
    authenticate_request,
    authenticate_request_async,
    verify_token,
    verify_token_async,
)

ISSUER = "https://acme.torii.so"
KEY = SigningKey("key-1")
BEARER = f"Bearer {KEY.token(ISSUER)}"


def fail(*_: object) -> Any:
    raise ZeroDivisionError


class Hostile:
    """Fails whatever is done to it."""

    __getattr__ = __iter__ = __len__ = __getitem__ = __eq__ = __hash__ = __bool__ = __str__ = __repr__ = fail
    __float__ = __int__ = __index__ = __fspath__ = __call__ = fail


class HostileDict(dict[Any, Any]):
    __iter__ = keys = items = values = __getitem__ = get = fail


class HostileList(list[Any]):
    __iter__ = __len__ = __getitem__ = fail


class HostileText(str):
    __slots__ = ()
    __str__ = __len__ = __eq__ = __hash__ = lower = encode = fail


def recursive() -> list[Any]:
    itself: list[Any] = []
    itself.append(itself)
    return itself


# fmt: off
OBJECTS: list[Any] = [
    None, True, False, 0, 1, -1, 30, 2**64, -(2**64), 10**400, 0.0, -0.0, 1.5, -1.0, 1e308, math.inf,
    -math.inf, math.nan, 1j, Decimal(30), Decimal("nan"), Fraction(1, 2), ..., NotImplemented, "", " ", "x",
    "a.b.c", "..", "\0", "\n", "\ud800", "\udfff.a.b", "é", "\U0001f600", "Bearer", "x" * 100_000,
    "." * 70_000, "http://", "https://", "https:///", "https://acme.torii.so:99999", "ftp://acme.torii.so",
    "https://[::1", "\ud800://x", b"", b"x", b"a.b.c", b"\xff\xfe", bytearray(b"a.b.c"),
    memoryview(b"a.b.c"), b"x" * 100_000, [], [None], [1], [[]], ["x"], ["\ud800"], [b"x"], [("a",)],
    [("a", "b", "c")], [("authorization", "x")], [(1, 2)], (), (None,), ("x",), ("authorization", "x"),
    set(), {1}, {"x"}, frozenset({"x"}), range(10**15), range(3), {}, {None: None},
    {"authorization": object()}, {"authorization": b"\xff"}, {"authorization": [object()]}, {1: 2},
    {"keys": []}, {"keys": [{"d": 1}]}, {"a": object()}, {"\ud800": "\ud800"}, iter([]), iter(["x"]),
    (each for each in ["x"]), itertools.count(), object(), object, type, int, str, len, print, lambda: None,
    lambda *_: "x", Exception("x"), ValueError, Hostile(), Hostile, HostileDict(a=1), HostileDict(),
    HostileList(["x"]), HostileText("x"), HostileText("a.b.c"), SimpleNamespace(),
    SimpleNamespace(items=None), SimpleNamespace(items=lambda: None), SimpleNamespace(items=lambda: ["ab"]),
    SimpleNamespace(items=lambda: itertools.count()), SimpleNamespace(multi_items=Hostile()),
    Path("/nowhere"), BytesIO(b"x"), recursive(), HTTPMessage(), ISSUER, KEY.jwk(), asyncio, pytest,
]
SETTINGS = [
    "audience", "leeway", "authorized_parties", "allowed_types", "header", "jwks_url", "jwks", "jwk",
    "public_key", "jwks_file", "keys", "stale_limit", "remember_verified", "allow_insecure_http", "clock",
    "timeout", "proxy", "ca_file",
]
# fmt: on


def uses(thing: Any) -> list[Callable[[], object]]:
    ours = Verifier(ISSUER, jwks={"keys": [KEY.jwk()]})
    return [
        lambda: ours.verify(thing),
        lambda: asyncio.run(ours.verify_async(thing)),
        lambda: ours.verify_many([thing]),
        lambda: asyncio.run(ours.verify_many_async([thing])),
        lambda: ours.authenticate_request(thing),
        lambda: asyncio.run(ours.authenticate_request_async(thing)),
        lambda: ours.authenticate_request({"authorization": thing}),
        lambda: ours.authenticate_request([(thing, BEARER)]),
        lambda: ours.authenticate_request([thing]),
        lambda: verify_token(thing, issuer=ISSUER),
        lambda: verify_token("a.b.c", issuer=thing),
        lambda: verify_token("a.b.c", issuer=ISSUER, audience=thing),
        lambda: verify_token("a.b.c", issuer=ISSUER, audience=[thing]),
        lambda: verify_token("a.b.c", issuer=ISSUER, leeway=thing),
        lambda: asyncio.run(verify_token_async(thing, issuer=thing, audience=thing, leeway=thing)),
        lambda: authenticate_request(thing, issuer=ISSUER, header=thing),
        lambda: asyncio.run(authenticate_request_async(thing, issuer=ISSUER)),
        lambda: Verifier(thing),
        *(lambda name=name: Verifier(ISSUER, **{name: thing}) for name in SETTINGS),
    ]


@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_nothing_but_a_torii_auth_error_comes_out(number: int) -> None:
    for use in uses(OBJECTS[number]):
        with contextlib.suppress(ToriiAuthError):
            use()

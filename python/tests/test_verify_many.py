"""`Verifier.verify_many`: the answers of `verify`, in order and in place."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.keys import SigningKey
from support.standin import Fault, eventually
from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    ToriiKeysUnavailableError,
    ToriiTokenExpiredError,
    Verifier,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.standin import StandIn

    Answers = list[Any]
    Many = Callable[[Verifier, Iterable[Any]], Answers]


def blocking(verifier: Verifier, tokens: Iterable[Any]) -> Answers:
    return verifier.verify_many(tokens)


def asynchronous(verifier: Verifier, tokens: Iterable[Any]) -> Answers:
    return asyncio.run(verifier.verify_many_async(tokens))


@pytest.fixture(params=[blocking, asynchronous])
def many(request: pytest.FixtureRequest) -> Many:
    return request.param


def one_by_one(verifier: Verifier, tokens: Iterable[Any]) -> Answers:
    def answer(token: Any) -> Any:
        try:
            return verifier.verify(token)
        except ToriiAuthError as error:
            return error

    return list(map(answer, tokens))


def told(answer: Any) -> Any:
    if isinstance(answer, ToriiAuth):
        return answer
    return type(answer), str(answer), answer.code, answer.http_status, answer.www_authenticate, answer.cause


@pytest.mark.parametrize("remember", [0, 10_000])
def test_answers_are_those_of_verify_in_the_order_of_the_tokens(
    standin: StandIn, many: Many, remember: int
) -> None:
    verifier = Verifier(standin.url, remember_verified=remember)
    tokens = [standin.token(sub=f"user-{number}") for number in range(300)]
    tokens[7::50] = [
        standin.token(iat=1, exp=2),
        SigningKey(standin.key.kid).token(standin.url),
        SigningKey("nobody's").token(standin.url),
        "not.a.token",
        "\ud800",
        "",
    ]
    expected = list(map(told, one_by_one(verifier, tokens)))
    for _ in range(2):
        answers = many(verifier, tokens)
        assert [told(answer) for answer in answers[:57] + answers[258:]] == expected[:57] + expected[258:]
        assert [answer.user_id for answer in answers[58:107]] == [f"user-{each}" for each in range(58, 107)]
        assert type(answers[7]) is ToriiTokenExpiredError
        assert [answers[place].code for place in range(57, 300, 50)] == [
            "bad_signature",
            "kid_unknown",
            "malformed",
            "malformed",
            "malformed",
        ]


@pytest.mark.parametrize(
    "form", [list, tuple, iter, lambda tokens: (token for token in tokens), dict.fromkeys]
)
def test_tokens_come_in_any_iterable(standin: StandIn, many: Many, form: Any) -> None:
    tokens = [standin.token(sub="a"), standin.token(sub="b").encode()]
    assert [auth.user_id for auth in many(Verifier(standin.url), form(tokens))] == ["a", "b"]


def test_nothing_comes_of_nothing(standin: StandIn, many: Many) -> None:
    assert many(Verifier(standin.url), []) == []
    assert standin.count("keys") == 0


def test_more_than_fits_into_one_slice_comes_out_whole(standin: StandIn, many: Many) -> None:
    good, bad = standin.token(), "x"
    answers = many(Verifier(standin.url), [good, bad, 7] * 4000)
    assert [type(answer) for answer in answers] == [ToriiAuth, ToriiAuthError, ToriiAuthError] * 4000


@pytest.mark.parametrize("thing", [None, 7, b"\xff", bytearray(b"x"), ["x"], object()])
def test_what_is_no_token_is_refused_in_its_place(standin: StandIn, many: Many, thing: Any) -> None:
    token = standin.token()
    first, error, last = many(Verifier(standin.url), [token, thing, token])
    assert first == last
    assert type(error) is ToriiAuthError
    assert str(error) == "malformed: the token is neither a str nor bytes of UTF-8"


@pytest.mark.parametrize("tokens", ["a.b.c", b"a.b.c", None, 7])
def test_what_is_no_batch_is_a_mistake_of_the_caller(standin: StandIn, many: Many, tokens: Any) -> None:
    with pytest.raises(TypeError):
        many(Verifier(standin.url), tokens)


def test_what_an_iterable_raises_comes_out(standin: StandIn, many: Many) -> None:
    def tokens() -> Any:
        yield standin.token()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        many(Verifier(standin.url), tokens())


def test_a_batch_fetches_the_keys_once_and_counts_as_its_tokens_do(standin: StandIn, many: Many) -> None:
    verifier = Verifier(standin.url)
    standin.fault("keys", Fault(0.1))
    many(verifier, [standin.token(sub=f"user-{number}") for number in range(100)] + ["x"])
    assert standin.count("keys") == 1
    assert verifier.counts().accepted == 100
    assert verifier.counts().refused == {"malformed": 1}


def test_keys_that_cannot_be_had_are_an_error_of_each_token(many: Many) -> None:
    nowhere = "http://127.0.0.1:1"
    answers = many(Verifier(nowhere), [SigningKey("nobody's").token(nowhere)] * 3)
    assert [(type(answer), answer.http_status) for answer in answers] == [
        (ToriiKeysUnavailableError, 503)
    ] * 3


def test_a_batch_leaves_the_event_loop_to_others(standin: StandIn) -> None:
    standin.hold("keys")

    async def both() -> Answers:
        batch = asyncio.create_task(Verifier(standin.url).verify_many_async([standin.token()]))
        await asyncio.to_thread(eventually, lambda: standin.count("keys") > 0)
        assert not batch.done()
        standin.release()
        return await batch

    assert [type(answer) for answer in asyncio.run(both())] == [ToriiAuth]


def test_a_batch_that_nobody_awaits_any_more_ends(standin: StandIn) -> None:
    verifier = Verifier(standin.url, remember_verified=0)
    verifier.warm_up()
    token, count = standin.token(), 20_000

    async def given_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(verifier.verify_many_async([token] * count), 0.05)

    asyncio.run(given_up())
    before = -1
    while before != (before := verifier.counts().accepted):
        time.sleep(0.5)
    assert before < count

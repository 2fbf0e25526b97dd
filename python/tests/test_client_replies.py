"""What comes back from the client for threads: walked lists, and errors."""

from __future__ import annotations

import pickle
import socket
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from support.documents import page, user
from support.standin import USER, StandIn
from torii_backend import (
    ToriiApiError,
    ToriiClient,
    ToriiConflictError,
    ToriiNotFoundError,
    create_torii_client,
    models,
)
from torii_backend.errors import (
    ToriiOutcomeUnknownError,
    ToriiReplyError,
    ToriiTimeoutError,
    ToriiTransportError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Callable

    from support.recorder import Recorder

SECRET_KEY = "sk_test_replies"


@pytest.fixture
def torii(recorder: Recorder) -> Iterator[ToriiClient]:
    with create_torii_client(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        yield torii


def test_a_list_is_walked_page_by_page(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, 2, cursor=user(2)["id"]))
    recorder.reply(200, page(cursor="any text & more"))
    recorder.reply(200, page(3))
    walk = torii.users.iterate(limit=2, name=None)
    assert recorder.requests == []
    assert str(next(walk).id) == user(1)["id"]
    assert len(recorder.requests) == 1
    assert [str(each.id) for each in walk] == [user(2)["id"], user(3)["id"]]
    assert list(walk) == []
    assert [request.path.partition("?")[2] for request in recorder.requests] == [
        "limit=2",
        f"limit=2&cursor={user(2)['id']}",
        "limit=2&cursor=any+text+%26+more",
    ]
    assert {request.body for request in recorder.requests} == {b'{"name":null}'}


def test_a_pages_cursor_leads_to_the_next(recorder: Recorder, torii: ToriiClient) -> None:
    for cursor in (user(2)["id"], "any text"):
        recorder.reply(200, page(1, cursor=cursor))
        recorder.reply(200, page(2))
        first = torii.users.list()
        assert isinstance(first.next_cursor, UUID) is (cursor == user(2)["id"])
        assert torii.users.list(cursor=first.next_cursor).has_more is False
        assert recorder.requests.pop().path.endswith("cursor=" + cursor.replace(" ", "+"))


def test_a_circle_of_cursors_is_no_endless_list(recorder: Recorder, torii: ToriiClient) -> None:
    for number in range(20):
        recorder.reply(200, page(number, cursor="ab"[number % 2]))
    walk = torii.users.iterate()
    with pytest.raises(ToriiReplyError, match=r"^users.list: .*same cursor"):
        list(walk)
    assert 2 <= len(recorder.requests) <= 6
    assert list(walk) == []


def test_a_list_without_a_way_on_is_an_error_after_its_items(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, more=True))
    walk = torii.users.iterate()
    assert str(next(walk).id) == user(1)["id"]
    with pytest.raises(ToriiReplyError, match="has no cursor"):
        next(walk)


def test_a_walk_goes_on_where_it_failed(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, cursor="two"))
    recorder.reply(403, {"code": "forbidden"})
    recorder.reply(200, page(2))
    walk = torii.users.iterate(retries=False)
    assert str(next(walk).id) == user(1)["id"]
    with pytest.raises(ToriiApiError) as refused:
        next(walk)
    assert refused.value.code == "forbidden"
    assert [str(each.id) for each in walk] == [user(2)["id"]]
    assert [request.path[-3:] for request in recorder.requests[1:]] == ["two", "two"]


def refused_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_refusal_says_what_torii_said(recorder: Recorder, torii: ToriiClient) -> None:
    problem = {"title": "Conflict", "status": 409, "detail": "Taken", "code": "taken", "supportId": "s1"}
    recorder.reply(409, {**problem, "field": "email"}, content_type="application/problem+json")
    with pytest.raises(ToriiApiError) as refused:
        torii.users.create(email="x@y.com")
    error = refused.value
    assert type(error) is ToriiConflictError
    assert str(error) == "users.create: 409 taken: Taken (support id s1)"
    assert error.body == {**problem, "field": "email"}
    assert (error.status, error.code, error.support_id) == (409, "taken", "s1")
    assert (error.operation, error.attempts, error.retry_after) == ("users.create", 1, None)
    assert models.ToriiProblemDetail.model_validate(error.body).detail == "Taken"
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (ToriiConflictError, str(error), vars(error))


def test_what_is_not_there_has_an_error_of_its_own(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(404, {"code": "not_found"}, x_request_id="r1")
    with pytest.raises(ToriiNotFoundError) as refused:
        torii.users.get(USER)
    assert isinstance(refused.value, ToriiApiError)
    assert (refused.value.status, refused.value.request_id) == (404, "r1")


@pytest.mark.parametrize(
    ("body", "seen", "code"),
    [
        (b"", "", None),
        (b"<html>no</html>", "<html>no</html>", None),
        (b'["code"]', ["code"], None),
        (b'{"code": 7}', {"code": 7}, None),
        (b'{"properties": {"code": "nested"}}', {"properties": {"code": "nested"}}, "nested"),
        (b"1" * 5000, "1" * 5000, None),
        (b"[" * 100_000, "[" * 100_000, None),
        (b'"\xff"', "\ufffd", None),
    ],
)
def test_a_refusals_body_is_json_or_text(
    recorder: Recorder, torii: ToriiClient, body: bytes, seen: Any, code: str | None
) -> None:
    recorder.reply(400, body)
    with pytest.raises(ToriiApiError) as refused:
        torii.users.get(USER)
    assert refused.value.body == seen
    assert (refused.value.status, refused.value.code) == (400, code)


def test_a_wait_that_is_too_long_is_the_callers(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(429, {"code": "slow_down"}, retry_after="3600")
    with pytest.raises(ToriiApiError) as refused:
        torii.users.get(USER)
    assert (refused.value.status, refused.value.retry_after) == (429, 3600.0)


def test_what_can_be_repeated_is(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(503, retry_after="0")
    recorder.reply(200, user(1))
    assert torii.users.get(USER)
    recorder.reply(503, retry_after="0")
    with pytest.raises(ToriiApiError) as refused:
        torii.users.get(USER, retries=False)
    assert (refused.value.attempts, len(recorder.requests)) == (1, 3)


def test_nobody_there_is_a_transport_error() -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=refused_port())
    with pytest.raises(ToriiTransportError, match=r"no connection could be made: .*refused") as failed:
        torii.users.get(USER, retries=False)
    assert not isinstance(failed.value, ToriiTimeoutError)
    assert (failed.value.status, failed.value.attempts, failed.value.body) == (0, 1, None)


@pytest.mark.parametrize("option", ["timeout", "attempt_timeout"])
def test_a_call_ends_in_its_own_time(standin: StandIn, option: str) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url)
    standin.hold("api")
    with pytest.raises(ToriiTimeoutError) as failed:
        torii.users.get(USER, retries=False, **{option: 0.2})
    assert isinstance(failed.value, TimeoutError)
    assert (failed.value.operation, failed.value.attempts) == ("users.get", 1)


def test_a_time_without_end_is_a_time(standin: StandIn) -> None:
    settings = dict.fromkeys(("timeout", "attempt_timeout", "connect_timeout"), 1e18)
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url, **settings)
    assert str(torii.users.get(USER, timeout=1e18).id) == USER


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda torii: torii.users.create(email="x@y.com"), "a second time does it twice"),
        (lambda torii: torii.users.delete(USER), "look whether it is still there"),
    ],
)
def test_a_failure_that_may_have_done_it_is_unknown(
    recorder: Recorder, torii: ToriiClient, call: Callable[[ToriiClient], object], hint: str
) -> None:
    recorder.reply(500, {"code": "broken"})
    with pytest.raises(ToriiOutcomeUnknownError) as failed:
        call(torii)
    assert (failed.value.status, failed.value.code, failed.value.attempts) == (500, "broken", 1)
    assert hint in failed.value.hint
    assert str(failed.value).count("users.") == 1
    assert isinstance(failed.value.__cause__, ToriiApiError)
    assert pickle.loads(pickle.dumps(failed.value)).hint == failed.value.hint


def test_a_lost_answer_to_what_may_have_been_done_is_unknown(standin: StandIn) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url)
    standin.hold("api")
    with pytest.raises(ToriiOutcomeUnknownError) as failed:
        torii.users.create(email="x@y.com", timeout=0.2)
    assert (failed.value.status, failed.value.code, failed.value.attempts) == (0, None, 1)
    assert isinstance(failed.value.__cause__, ToriiTimeoutError)
    assert standin.count("api") == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "cannot be read"),
        (b"", "cannot be read"),
        (b'{"id": 7}', "environment_id: Field required"),
        (b"[]", "body: Input should be an object"),
    ],
)
def test_a_reply_that_is_none_is_an_error(
    recorder: Recorder, torii: ToriiClient, body: bytes, message: str
) -> None:
    recorder.reply(200, body)
    with pytest.raises(ToriiReplyError, match="^users.get: the reply .*" + message) as failed:
        torii.users.get(USER, retries=False)
    assert (failed.value.status, failed.value.operation) == (200, "users.get")

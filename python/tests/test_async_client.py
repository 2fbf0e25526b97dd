"""The client for coroutines, as far as it has ways of its own; the rest is in `test_client`."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import os
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from support.standin import USER, Fault, StandIn, eventually
from torii_backend import AsyncToriiClient, ToriiApiError
from torii_backend.errors import (
    ToriiOutcomeUnknownError,
    ToriiReplyError,
    ToriiRequestError,
    ToriiTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Callable

    from support.recorder import Recorder

SECRET_KEY = "sk_test_async"
ORIGIN = "https://app.example.com"


def client(url: str, **settings: Any) -> AsyncToriiClient:
    return AsyncToriiClient(secret_key=SECRET_KEY, api_url=url, **settings)


@pytest.fixture
def torii(recorder: Recorder) -> AsyncToriiClient:
    return client(recorder.url)


def organization(number: int) -> dict[str, Any]:
    made = {"id": f"01931a73-8b00-7000-8000-{number:012}", "name": str(number)}
    return {**made, "createdAt": "2026-01-01T00:00:00Z"}


def page(*numbers: int, cursor: str | None = None) -> dict[str, Any]:
    items = [organization(number) for number in numbers]
    return {"items": items, "nextCursor": cursor, "hasMore": cursor is not None}


async def names(walk: Any) -> list[str]:
    return [each.name async for each in walk]


async def test_nothing_is_sent_before_a_call_is_awaited(recorder: Recorder, torii: AsyncToriiClient) -> None:
    call = torii.allowed_origins.list()
    await asyncio.sleep(0.05)
    assert recorder.requests == []
    recorder.reply(200, {"origins": [ORIGIN]})
    assert (await call).origins == [ORIGIN]


async def test_arguments_that_cannot_be_sent_are_refused(recorder: Recorder, torii: AsyncToriiClient) -> None:
    for call in (torii.users.get("me"), torii.users.update(USER, name=7), torii.users.get(USER, timeout=0)):
        with pytest.raises(ToriiRequestError):
            await call
    with pytest.raises(ToriiRequestError, match="not both"):
        await torii.users.update(USER, {}, name="Ada")
    assert recorder.requests == []


async def test_calls_run_beside_each_other(standin: StandIn) -> None:
    standin.hold("api")
    torii = client(standin.url)
    calls = asyncio.gather(*(torii.users.get(USER) for _ in range(20)))
    await asyncio.to_thread(eventually, lambda: standin.count("api") == 20)
    standin.release()
    assert [str(user.id) for user in await calls] == [USER] * 20


async def test_errors_are_those_of_the_other_client(recorder: Recorder, standin: StandIn) -> None:
    torii = client(recorder.url)
    recorder.reply(409, {"code": "taken", "detail": "Taken"})
    with pytest.raises(ToriiApiError, match=r"^users\.create: 409 taken: Taken$") as refused:
        await torii.users.create(email="x@y.com")
    assert (refused.value.status, refused.value.attempts) == (409, 1)
    recorder.reply(500)
    with pytest.raises(ToriiOutcomeUnknownError) as unknown:
        await torii.users.create(email="x@y.com")
    assert isinstance(unknown.value.__cause__, ToriiApiError)
    recorder.reply(200, {"id": 7})
    with pytest.raises(ToriiReplyError, match="environment_id: Field required"):
        await torii.users.get(USER)
    standin.hold("api")
    with pytest.raises(ToriiTimeoutError):
        await client(standin.url).users.get(USER, timeout=0.2, retries=False)


async def test_a_list_is_walked_page_by_page(recorder: Recorder, torii: AsyncToriiClient) -> None:
    recorder.reply(200, page(1, 2, cursor="two"))
    recorder.reply(200, page(cursor="three"))
    recorder.reply(200, page(3))
    walk = torii.organizations.iterate(limit=2, name="a b")
    assert (await walk.__anext__()).name == "1"
    assert len(recorder.requests) == 1
    assert await names(walk) == ["2", "3"]
    assert await names(walk) == []
    queries = [request.path.partition("?")[2] for request in recorder.requests]
    assert queries == ["name=a+b&limit=2" + rest for rest in ("", "&cursor=two", "&cursor=three")]


async def test_a_circle_of_cursors_is_no_endless_list(recorder: Recorder, torii: AsyncToriiClient) -> None:
    for number in range(20):
        recorder.reply(200, page(number, cursor="ab"[number % 2]))
    walk = torii.organizations.iterate()
    with pytest.raises(ToriiReplyError, match="same cursor"):
        await names(walk)
    assert 2 <= len(recorder.requests) <= 6
    assert await names(walk) == []


async def test_a_walk_goes_on_where_it_failed(recorder: Recorder, torii: AsyncToriiClient) -> None:
    recorder.reply(200, page(1, cursor="two"))
    recorder.reply(403)
    recorder.reply(200, page(2))
    walk = torii.organizations.iterate()
    assert (await walk.__anext__()).name == "1"
    with pytest.raises(ToriiApiError):
        await walk.__anext__()
    assert await names(walk) == ["2"]
    assert [request.path[-3:] for request in recorder.requests[1:]] == ["two", "two"]


async def test_a_walk_goes_on_where_it_was_cancelled(standin: StandIn) -> None:
    walk = client(standin.url).users.iterate(limit=1)
    await walk.__anext__()
    standin.hold("page")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(walk.__anext__(), 0.2)
    standin.release()
    assert len([user async for user in walk]) == 1
    assert standin.count("page") == 2


async def test_a_cancelled_call_closes_its_connection(standin: StandIn) -> None:
    standin.hold("api")
    calls = [asyncio.ensure_future(client(standin.url).users.get(USER)) for _ in range(5)]
    await asyncio.to_thread(eventually, lambda: standin.count("api") == 5)
    for call in calls:
        call.cancel()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 5
    await asyncio.to_thread(eventually, lambda: standin.connections == 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_call_leaves_nothing_behind(recorder: Recorder, torii: AsyncToriiClient) -> None:
    recorder.reply(200, {"origins": []})
    call = asyncio.ensure_future(torii.allowed_origins.list())
    gone = weakref.ref(await call), weakref.ref(call)
    del call
    for _ in range(100):
        gc.collect()
        if not any(each() for each in gone):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("something holds on to a call that has ended")


async def test_a_client_that_was_closed_opens_new_connections(standin: StandIn) -> None:
    torii = client(standin.url)
    for _ in range(2):
        async with torii as entered:
            assert entered is torii
            assert str((await torii.users.get(USER)).id) == USER
        await asyncio.to_thread(eventually, lambda: standin.connections == 0)
    assert len({request.peer for request in standin.requests}) == 2


def test_loops_after_each_other_share_a_client(standin: StandIn) -> None:
    torii = client(standin.url)
    for _ in range(3):
        assert str(run(fetched(torii))) == USER
    assert len({request.peer for request in standin.requests}) == 1


async def fetched(torii: AsyncToriiClient) -> Any:
    return (await torii.users.get(USER)).id


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs a loop in a thread of its own: here there may be one already, of pytest's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_an_answer_for_a_closed_loop_is_dropped(standin: StandIn) -> None:
    standin.fault("api", Fault(0.2))
    loop = asyncio.new_event_loop()
    call = loop.create_task(client(standin.url).users.get(USER))
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()
    # This answer comes after the other one, which would show as an exception that nobody raised.
    assert str(run(fetched(client(standin.url)))) == USER
    # The task is pending for ever, which asyncio would complain of.
    call._log_destroy_pending = False
    call.get_coro().close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forks_child_has_connections_of_its_own(standin: StandIn) -> None:
    torii = client(standin.url)
    run(fetched(torii))
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = int(str(asyncio.run(asyncio.wait_for(fetched(torii), 10))) != USER)
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    run(fetched(torii))
    before, child, after = (request.peer for request in standin.requests)
    assert before == after != child


@pytest.mark.parametrize("what", ["client", "group", "walk", "native client", "native pages"])
@pytest.mark.parametrize("refuse", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_leads_to_the_key_is_neither_pickled_nor_copied(
    torii: AsyncToriiClient, what: str, refuse: Callable[[object], object]
) -> None:
    walk = torii.users.iterate()
    each = {"client": torii, "group": torii.users, "walk": walk, "native client": torii._native}
    with pytest.raises(TypeError):
        refuse(each.get(what, walk._pages))


def test_a_client_shows_its_kind_of_key(torii: AsyncToriiClient) -> None:
    assert repr(torii).startswith("AsyncToriiClient(secret_key='sk_test_***', api_url='http://127.0.0.1:")

"""Pages and the iterators over them: shared, interrupted, closed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from support.documents import page, user
from torii_backend import AsyncToriiClient, ToriiClient, create_torii_client
from torii_backend.errors import ToriiApiError, ToriiConflictError, ToriiReplyError, ToriiRequestError
from torii_backend.models import ToriiAllowedOrigins, ToriiCursorPageUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulator import Emulator
    from support.recorder import Recorder
    from support.standin import StandIn

SECRET_KEY = "sk_test_lists"
PAGES = 30


@pytest.fixture
def torii(recorder: Recorder) -> Iterator[ToriiClient]:
    with create_torii_client(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        yield torii


def script(recorder: Recorder) -> list[str]:
    """A list of `PAGES` pages of three, and the ids of its items."""
    for number in range(PAGES):
        ids = range(3 * number, 3 * number + 3)
        recorder.reply(200, page(*ids, cursor=f"c{number}" if number < PAGES - 1 else None))
    return [user(number)["id"] for number in range(3 * PAGES)]


@pytest.mark.parametrize("of", ["items", "pages"])
def test_threads_share_an_iterator(recorder: Recorder, torii: ToriiClient, of: str) -> None:
    expected, came, together = script(recorder), [], threading.Barrier(8)
    users: Any = torii.users.iterate()
    if of == "pages":
        users = users.pages()

    def take() -> None:
        together.wait()
        for each in users:
            came.extend(str(one.id) for one in (each if of == "pages" else [each]))

    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(take) for _ in range(8)]:
            each.result(30)
    assert sorted(came) == expected
    assert len(recorder.requests) == PAGES


async def test_tasks_share_an_iterator(recorder: Recorder) -> None:
    expected, came = script(recorder), []
    async with AsyncToriiClient(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        users = torii.users.iterate()

        async def take() -> None:
            async for each in users:
                came.append(str(each.id))

        await asyncio.gather(*(take() for _ in range(8)))
    assert sorted(came) == expected
    assert len(recorder.requests) == PAGES


def test_event_loops_share_an_iterator(recorder: Recorder) -> None:
    expected, came = script(recorder), []
    users = AsyncToriiClient(secret_key=SECRET_KEY, api_url=recorder.url).users.iterate()

    async def take() -> None:
        async for each in users:
            came.append(str(each.id))

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(asyncio.run, take()) for _ in range(4)]:
            each.result(30)
    assert sorted(came) == expected


async def test_steps_that_are_cancelled_lose_nothing(emulator: Emulator) -> None:
    expected, came = {emulator.create_user()["id"] for _ in range(12)}, []
    async with AsyncToriiClient(secret_key=emulator.secret_key, api_url=emulator.api_url) as torii:
        users = torii.users.iterate(limit=1)
        for turn in range(100_000):
            try:
                step = asyncio.ensure_future(users.__anext__())
                # Cancelled before, after and while the page comes.
                for _ in range(turn % 7):
                    await asyncio.sleep(0.0005)
                step.cancel()
                came.append(str((await step).id))
            except asyncio.CancelledError:
                continue
            except StopAsyncIteration:
                break
    assert (set(came), len(came)) == (expected, len(expected))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_a_signal_handler_that_steps_the_iterator_it_interrupts_is_refused(standin: StandIn) -> None:
    torii = create_torii_client(secret_key=SECRET_KEY, api_url=standin.url)
    users, came = torii.users.iterate(timeout=20), []
    standin.hold("api")

    def step(*_: object) -> None:
        try:
            next(users)
        except ToriiApiError as error:
            came.append(error)
        standin.release()

    before = signal.signal(signal.SIGALRM, step)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with contextlib.suppress(ToriiReplyError):
            next(users)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    (error,) = came
    assert type(error) is ToriiRequestError
    assert str(error) == "users.list: the iterator is waiting for a page already"


def test_pages_come_whole(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, 2, cursor="two"))
    recorder.reply(200, page(cursor="three"))
    recorder.reply(200, page(3))
    pages = list(torii.users.iterate(limit=2).pages())
    assert [len(each) for each in pages] == [2, 0, 1]
    assert [each.next_cursor for each in pages] == ["two", "three", None]
    assert all(isinstance(each, ToriiCursorPageUser) for each in pages)


async def test_pages_come_whole_in_coroutines(recorder: Recorder) -> None:
    recorder.reply(200, page(1, 2, cursor="two"))
    recorder.reply(200, page(3))
    async with AsyncToriiClient(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        assert [len(each) async for each in torii.users.iterate().pages()] == [2, 1]


def test_an_iterator_is_closed(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, 2, cursor="two"))
    with torii.users.iterate() as users:
        assert str(next(users).id) == user(1)["id"]
    assert list(users) == list(users.pages()) == []
    with contextlib.closing(torii.users.iterate()) as users, users.pages() as pages:
        pass
    assert list(pages) == list(users) == []
    assert len(recorder.requests) == 1


async def test_an_iterator_of_coroutines_is_closed(recorder: Recorder) -> None:
    recorder.reply(200, page(1, 2, cursor="two"))
    async with AsyncToriiClient(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        async with torii.users.iterate() as users:
            assert str((await users.__anext__()).id) == user(1)["id"]
        assert [each async for each in users] == [each async for each in users.pages()] == []
        async with torii.users.iterate().pages() as pages:
            pass
        assert [each async for each in pages] == []
    assert len(recorder.requests) == 1


def test_a_page_is_a_collection_of_its_items(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(200, page(1, 2))
    recorder.reply(200, page())
    two, none = torii.users.list(), torii.users.list()
    assert [str(each.id) for each in two] == [user(1)["id"], user(2)["id"]]
    assert (len(two), bool(two), two.items[0] in two) == (2, True, True)
    assert (len(none), bool(none), list(none)) == (0, False, [])
    origins = ToriiAllowedOrigins(origins=["https://a.example"])
    assert (list(origins), len(origins)) == (["https://a.example"], 1)


def test_a_reply_says_what_came_with_the_value(recorder: Recorder, torii: ToriiClient) -> None:
    recorder.reply(503, None, retry_after="0")
    recorder.reply(200, user(1), x_request_id="r1", x_more="a")
    reply = torii.with_reply(torii.users.get, user(1)["id"], timeout=5)
    assert str(reply.value.id) == user(1)["id"]
    assert (reply.status, reply.request_id, reply.attempts, reply.headers["x-more"]) == (200, "r1", 2, "a")
    recorder.reply(200, page(1), x_request_id="r2")
    assert torii.with_reply(torii.users.list, limit=1).request_id == "r2"
    recorder.reply(204, None)
    gone = torii.with_reply(torii.sessions.revoke, user(1)["id"], user(2)["id"])
    assert (gone.value, gone.status, gone.request_id) == (None, 204, None)
    recorder.reply(409, {"code": "taken"})
    with pytest.raises(ToriiConflictError):
        torii.with_reply(torii.users.create, email="x@y.com")
    recorder.reply(200, user(1))
    assert str(torii.users.get(user(1)["id"]).id) == user(1)["id"]
    for method in (torii.users.iterate, len, torii.close):
        with pytest.raises(TypeError, match=r"such as torii\.users\.get"):
            torii.with_reply(method)


async def test_a_reply_says_what_came_with_the_value_in_coroutines(recorder: Recorder) -> None:
    async with AsyncToriiClient(secret_key=SECRET_KEY, api_url=recorder.url) as torii:
        recorder.reply(200, user(1), x_request_id="r1")
        recorder.reply(200, user(1), x_request_id="r2")
        came = await asyncio.gather(
            torii.with_reply(torii.users.get, user(1)["id"]), torii.with_reply(torii.users.get, user(1)["id"])
        )
    assert sorted(reply.request_id or "" for reply in came) == ["r1", "r2"]
    assert {reply.status for reply in came} == {200}

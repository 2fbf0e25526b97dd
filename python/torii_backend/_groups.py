"""What the methods of all resources stand on: a client's handle, and how its calls are made."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Callable, NoReturn, TypeVar

from torii_backend._calls import read
from torii_backend._native import Client

if TYPE_CHECKING:
    from torii_backend._native import AsyncPages, Pages, Request
    from torii_backend.models import ToriiPage

T = TypeVar("T")


class Unshared:
    """Leads to a secret key, which stays where it was put."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} leads to a secret key and is neither pickled nor copied")


class ClientBase(Unshared):
    """The settings of a client, which `create_torii_client` describes."""

    def __init__(
        self,
        *,
        secret_key: str,
        api_url: str | None = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        connect_timeout: float = 3.0,
        allow_insecure_http: bool = False,
        user_agent_suffix: str | None = None,
    ) -> None:
        try:
            self._native = Client(
                secret_key,
                api_url=api_url or None,
                timeout=timeout,
                attempt_timeout=attempt_timeout,
                connect_timeout=connect_timeout,
                allow_insecure_http=allow_insecure_http,
                user_agent_suffix=user_agent_suffix,
            )
        finally:
            # Error reports show the variables of a frame.
            del secret_key, api_url
        self._attach(self._native)

    def _attach(self, native: Client) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        name = type(self).__name__
        if "_native" not in self.__dict__:
            # An error report may show a client whose settings are refused.
            return f"{name}()"
        return f"{name}(secret_key={self._native.secret_key!r}, api_url={self._native.api_url!r})"


class Group(Unshared):
    """The methods of one resource, for threads."""

    def __init__(self, native: Client) -> None:
        self._native = native

    def _call(self, kind: type[T], request: Request) -> T:
        return read(request, kind, self._native.call(request))

    def _do(self, request: Request) -> None:
        self._native.call(request)

    def _walk(self, kind: type[ToriiPage[T]], request: Request) -> Iterator[T]:
        return Items(kind, request, self._native.pages(request))


class AsyncGroup(Unshared):
    """The methods of one resource, for coroutines."""

    def __init__(self, native: Client) -> None:
        self._native = native

    async def _call(self, kind: type[T], request: Request) -> T:
        return read(request, kind, await self._start(request))

    async def _do(self, request: Request) -> None:
        await self._start(request)

    async def _start(self, request: Request) -> bytes | None:
        # Whoever is here has asyncio loaded already; those who only use threads need not.
        from torii_backend._bridge import run

        reply: bytes | None = await run(lambda done: self._native.start(request, done))
        return reply

    def _walk(self, kind: type[ToriiPage[T]], request: Request) -> AsyncIterator[T]:
        return AsyncItems(kind, request, self._native.async_pages(request))


class Items(Unshared, Iterator[T]):
    """The items of a list, page after page. After an error, the next step asks for the same page again."""

    def __init__(self, kind: type[ToriiPage[T]], request: Request, pages: Pages) -> None:
        self._kind = kind
        self._request = request
        self._pages = pages
        self._items: deque[T] = deque()

    def __next__(self) -> T:
        while not self._items:
            self._items.extend(read(self._request, self._kind, next(self._pages)).items)
        return self._items.popleft()


class AsyncItems(Unshared, AsyncIterator[T]):
    """`Items` for coroutines. After a cancelled step, too, the next one asks for the same page again."""

    def __init__(self, kind: type[ToriiPage[T]], request: Request, pages: AsyncPages) -> None:
        self._kind = kind
        self._request = request
        self._pages = pages
        self._items: deque[T] = deque()

    async def __anext__(self) -> T:
        from torii_backend._bridge import run

        while not self._items:
            page: bytes | None = await run(self._pages.start)
            if page is None:
                raise StopAsyncIteration
            self._items.extend(read(self._request, self._kind, page).items)
        return self._items.popleft()


def documented_by(other: type[Any]) -> Callable[[type[T]], type[T]]:
    """Give a class's methods the docstrings that another's have."""

    def document(cls: type[T]) -> type[T]:
        for name, method in vars(cls).items():
            if not name.startswith("_"):
                method.__doc__ = getattr(other, name).__doc__
        return cls

    return document

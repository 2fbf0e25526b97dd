"""What the methods of all resources stand on: a client's handle, and how its calls are made."""

import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable, Generic, NoReturn, Optional, TypeVar, Union

from typing_extensions import Self

from torii_backend import _native
from torii_backend._bridge import run
from torii_backend._calls import read
from torii_backend._native import Client, Request, Task
from torii_backend.errors import ToriiConfigError, ToriiReplyError, ToriiRequestError
from torii_backend.models.replies import ToriiPage

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
_VARIABLES = {"secret_key": "TORII_SECRET_KEY", "api_url": "TORII_API_URL"}


class Unshared:
    """Leads to a secret key, which stays where it was put."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} leads to a secret key and is neither pickled nor copied")


class ClientBase(Unshared):
    """The settings of a client, which `create_torii_client` describes."""

    def __init__(
        self,
        *,
        secret_key: Optional[str] = None,
        api_url: Optional[str] = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        connect_timeout: float = 3.0,
        allow_insecure_http: bool = False,
        user_agent_suffix: Optional[str] = None,
        proxy: Optional[str] = None,
        ca_file: Union[str, os.PathLike[str], None] = None,
        max_idle_connections: Optional[int] = None,
    ) -> None:
        variables = secret_key is None
        if variables:
            secret_key = os.environ.get("TORII_SECRET_KEY", "").strip()
            api_url = api_url or os.environ.get("TORII_API_URL", "").strip()
        try:
            if not secret_key and variables:
                raise ToriiConfigError("secret_key: must be given, or else TORII_SECRET_KEY be set")
            self._native = Client(
                secret_key,
                api_url=api_url or None,
                timeout=timeout,
                attempt_timeout=attempt_timeout,
                connect_timeout=connect_timeout,
                allow_insecure_http=allow_insecure_http,
                user_agent_suffix=user_agent_suffix,
                proxy=proxy,
                ca_file=ca_file,
                max_idle_connections=max_idle_connections,
            )
        except ToriiConfigError as error:
            setting, _, problem = str(error).partition(": ")
            if variables and secret_key and setting in _VARIABLES:
                raise ToriiConfigError(f"{setting} ({_VARIABLES[setting]}): {problem}") from None
            raise
        finally:
            # Error reports show the variables of a frame.
            del secret_key, api_url, proxy
        self._attach(self._native)

    @classmethod
    def from_env(cls) -> Self:
        """Make a client of `TORII_SECRET_KEY` and, if it is set, `TORII_API_URL`, as without arguments."""
        return cls()

    def _attach(self, native: Client) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        name = type(self).__name__
        if "_native" not in self.__dict__:
            # An error report may show a client whose settings are refused.
            return f"{name}()"
        return f"{name}(secret_key={self._native.secret_key!r}, api_url={self._native.api_url!r})"


class _GroupBase(Unshared):
    _described = False

    def __init__(self, native: Client) -> None:
        self._native = native


class Group(_GroupBase):
    """The methods of one resource, for threads."""

    def _call(self, kind: type[T], request: Request) -> T:
        described = self._described
        reply = self._native.call(request, described)
        return read(request, kind, reply, described=described)

    def _do(self, request: Request) -> None:
        return self._call(type(None), request)

    def _walk(self, kind: type[ToriiPage[T]], request: Request) -> "Items[T]":
        return Items(Pages(kind, request, self._native.pages(request)))


class AsyncGroup(_GroupBase):
    """The methods of one resource, for coroutines."""

    async def _call(self, kind: type[T], request: Request) -> T:
        described = self._described
        reply = await run(lambda done: self._native.start(request, done, described))
        return read(request, kind, reply, described=described)

    async def _do(self, request: Request) -> None:
        return await self._call(type(None), request)

    def _walk(self, kind: type[ToriiPage[T]], request: Request) -> "AsyncItems[T]":
        return AsyncItems(AsyncPages(kind, request, self._native.pages(request)))


def described(method: F) -> F:
    """Return the method of a group, of a twin of it that returns a `Reply` of each value."""
    group = getattr(method, "__self__", None)
    if not isinstance(group, _GroupBase) or method.__name__.startswith("iterate"):
        raise TypeError("with_reply takes a method that makes one call, such as torii.users.get")
    twin = object.__new__(type(group))
    twin.__dict__.update(vars(group), _described=True)
    found: F = getattr(twin, method.__name__)
    return found


class Pages(Unshared, Iterator[ToriiPage[T]]):
    """The pages of a list, of which each is asked for when it is needed. Threads may share it.

    After an error, the next step asks for the same page again. A step from a signal handler that interrupts a
    step of the same thread is a `ToriiRequestError`.
    """

    def __init__(self, kind: type[ToriiPage[T]], request: Request, native: _native.Pages) -> None:
        self._kind = kind
        self._request = request
        self._native: Optional[_native.Pages] = native
        # Re-entrant, so that a signal handler is refused and does not wait for ever.
        self._turn = threading.RLock()
        self._stepping = False
        self._came: deque[bytes] = deque()

    def __next__(self) -> ToriiPage[T]:
        with self._turn:
            operation = self._request.operation
            if self._stepping:
                problem = f"{operation}: the iterator is waiting for a page already"
                raise ToriiRequestError(problem, 0, operation=operation)
            if self._native is None:
                raise StopIteration
            try:
                self._stepping = True
                if not self._came:
                    self._came.append(next(self._native))
                # What a signal handler raises meanwhile loses no page.
                page = read(self._request, self._kind, self._came[0])
                self._came.clear()
            except ToriiReplyError:
                self._came.clear()
                raise
            finally:
                self._stepping = False
            return page

    def close(self) -> None:
        """End the iteration: there is no page any more."""
        self._native = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Items(Unshared, Iterator[T], Generic[T]):
    """The items of a list, page after page. Threads may share it: each item is given to one of them.

    After an error, the next step asks for the same page again. `pages()` has whole pages instead.
    """

    def __init__(self, pages: Pages[T]) -> None:
        self._pages = pages
        self._items: deque[T] = deque()

    def __next__(self) -> T:
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                self._items.extend(next(self._pages).items)

    def pages(self) -> Pages[T]:
        """Return an iterator over the pages, from the next one on that has not been asked for."""
        return self._pages

    def close(self) -> None:
        """End the iteration: there is no item any more."""
        self._pages.close()
        self._items.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncPages(Unshared, AsyncIterator[ToriiPage[T]]):
    """The pages of a list, of which each is asked for when it is needed. Tasks and event loops may share it.

    After an error, or a step that was cancelled, the next step asks for the same page again.
    """

    def __init__(self, kind: type[ToriiPage[T]], request: Request, native: _native.Pages) -> None:
        self._kind = kind
        self._request = request
        self._native: Optional[_native.Pages] = native
        self._came: deque[bytes] = deque()

    async def __anext__(self) -> ToriiPage[T]:
        while True:
            if self._native is None:
                raise StopAsyncIteration
            try:
                return read(self._request, self._kind, self._came.popleft())
            except IndexError:
                if await run(self._start) is None and not self._came:
                    raise StopAsyncIteration from None

    def _start(self, done: Callable[[Any, Optional[BaseException]], None]) -> Task:
        def came(page: Optional[bytes], error: Optional[BaseException]) -> None:
            # Also when the step is cancelled at this moment.
            if page is not None:
                self._came.append(page)
            done(page, error)

        if self._native is None:
            raise StopAsyncIteration
        return self._native.start(came)

    async def aclose(self) -> None:
        """End the iteration: there is no page any more."""
        self._native = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class AsyncItems(Unshared, AsyncIterator[T], Generic[T]):
    """The items of a list, page after page. Tasks may share it: each item is given to one of them.

    After an error, or a step that was cancelled, the next step asks for the same page again. `pages()` has
    whole pages instead.
    """

    def __init__(self, pages: AsyncPages[T]) -> None:
        self._pages = pages
        self._items: deque[T] = deque()

    async def __anext__(self) -> T:
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                pass
            page = await self._pages.__anext__()
            self._items.extend(page.items)

    def pages(self) -> AsyncPages[T]:
        """Return an iterator over the pages, from the next one on that has not been asked for."""
        return self._pages

    async def aclose(self) -> None:
        """End the iteration: there is no item any more."""
        await self._pages.aclose()
        self._items.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

"""The client of torii's backend API, for coroutines: the methods of `torii_backend.client`, to be awaited.

A list is walked with `async for`. Calls run on a runtime of the process, which starts with the first one, and
never hold up the event loop. A call that is cancelled lets go of its connection; whether torii has carried it
out is then unknown.
"""

from collections.abc import Coroutine
from typing import Any, Callable, TypeVar

from typing_extensions import ParamSpec, Self

from torii_backend._async.allowed_origins import AsyncAllowedOriginsClient
from torii_backend._async.impersonation import AsyncImpersonationClient
from torii_backend._async.invitations import AsyncInvitationsClient
from torii_backend._async.organizations import AsyncOrganizationsClient
from torii_backend._async.sessions import AsyncSessionsClient
from torii_backend._async.users import AsyncUsersClient
from torii_backend._calls import Reply
from torii_backend._groups import AsyncItems, AsyncPages, ClientBase, described
from torii_backend._native import Client

P = ParamSpec("P")
T = TypeVar("T")

__all__ = [
    "AsyncAllowedOriginsClient",
    "AsyncImpersonationClient",
    "AsyncInvitationsClient",
    "AsyncItems",
    "AsyncOrganizationsClient",
    "AsyncPages",
    "AsyncSessionsClient",
    "AsyncToriiClient",
    "AsyncUsersClient",
    "Reply",
]


class AsyncToriiClient(ClientBase):
    """A client of the backend API, for coroutines. `create_torii_client` says what it takes.

    Event loops may share it, and so may threads with loops of their own. After a fork, the child opens
    connections of its own.

    >>> import asyncio, os
    >>> async def main():
    ...     key = os.environ["TORII_SECRET_KEY"]
    ...     async with AsyncToriiClient(secret_key=key, api_url="https://api.torii.so") as torii:
    ...         async for user in torii.users.iterate():
    ...             print(user.email)
    >>> asyncio.run(main())
    ada@example.com
    """

    users: AsyncUsersClient
    sessions: AsyncSessionsClient
    organizations: AsyncOrganizationsClient
    invitations: AsyncInvitationsClient
    impersonation: AsyncImpersonationClient
    allowed_origins: AsyncAllowedOriginsClient

    def _attach(self, native: Client) -> None:
        self.users = AsyncUsersClient(native)
        self.sessions = AsyncSessionsClient(native)
        self.organizations = AsyncOrganizationsClient(native)
        self.invitations = AsyncInvitationsClient(native)
        self.impersonation = AsyncImpersonationClient(native)
        self.allowed_origins = AsyncAllowedOriginsClient(native)

    async def with_reply(
        self, method: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Reply[T]:
        """Call a method of a group, and return a `Reply`: its value, and what came with it.

        >>> reply = await torii.with_reply(torii.users.get, user_id, timeout=5)
        >>> reply.value.first_name, reply.status, reply.attempts
        ('Ada', 200, 1)
        """
        reply: Reply[T] = await described(method)(*args, **kwargs)  # type: ignore[assignment]
        return reply

    async def close(self) -> None:
        """Close the connections that no call needs. A call after that opens new ones."""
        self._native.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

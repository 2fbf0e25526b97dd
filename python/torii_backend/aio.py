"""The client of torii's backend API, for coroutines: the methods of `torii_backend.client`, to be awaited.

A list is walked with `async for`. Calls run on a runtime of the process, which starts with the first one, and
never hold up the event loop. A call that is cancelled lets go of its connection; whether torii has carried it
out is then unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torii_backend._groups import ClientBase
from torii_backend._resources.allowed_origins import AsyncAllowedOriginsClient
from torii_backend._resources.impersonation import AsyncImpersonationClient
from torii_backend._resources.invitations import AsyncInvitationsClient
from torii_backend._resources.organizations import AsyncOrganizationsClient
from torii_backend._resources.sessions import AsyncSessionsClient
from torii_backend._resources.users import AsyncUsersClient

if TYPE_CHECKING:
    from typing_extensions import Self

    from torii_backend._native import Client

__all__ = [
    "AsyncAllowedOriginsClient",
    "AsyncImpersonationClient",
    "AsyncInvitationsClient",
    "AsyncOrganizationsClient",
    "AsyncSessionsClient",
    "AsyncToriiClient",
    "AsyncUsersClient",
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

    async def close(self) -> None:
        """Close the connections that no call needs. A call after that opens new ones."""
        self._native.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

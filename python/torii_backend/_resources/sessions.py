"""End-users' sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torii_backend._groups import AsyncGroup, Group, documented_by
from torii_backend._native import Request
from torii_backend.models.replies import ToriiSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from torii_backend._fields import CallOptions, Id


class SessionsClient(Group):
    """End-users' sessions: `ToriiClient.sessions`."""

    def list_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> list[ToriiSession]:
        """Return a user's active sessions, the one used last first.

        Refused with 403 when the user is another environment's.

        >>> torii.sessions.list_for_user(user_id)
        []
        """
        return self._call(list[ToriiSession], Request("sessions.list_for_user", user_id, **options))

    def revoke(self, user_id: Id, session_id: Id, **options: Unpack[CallOptions]) -> None:
        """End one session. It is no error if it has ended already.

        Refused with 403 when the user or the session is another environment's.

        >>> for session in torii.sessions.list_for_user(user_id):
        ...     torii.sessions.revoke(user_id, session.id)
        """
        self._do(Request("sessions.revoke", user_id, session_id, **options))

    def revoke_all_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> None:
        """End every session of a user. Tokens already issued stay valid until they expire.

        Refused with 403 when the user is another environment's.

        >>> torii.sessions.revoke_all_for_user(user_id)
        """
        self._do(Request("sessions.revoke_all_for_user", user_id, **options))


@documented_by(SessionsClient)
class AsyncSessionsClient(AsyncGroup):
    """`SessionsClient` for coroutines: `AsyncToriiClient.sessions`."""

    async def list_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> list[ToriiSession]:
        return await self._call(list[ToriiSession], Request("sessions.list_for_user", user_id, **options))

    async def revoke(self, user_id: Id, session_id: Id, **options: Unpack[CallOptions]) -> None:
        await self._do(Request("sessions.revoke", user_id, session_id, **options))

    async def revoke_all_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> None:
        await self._do(Request("sessions.revoke_all_for_user", user_id, **options))

"""End-users' sessions."""

from typing_extensions import Unpack

from torii_backend._fields import CallOptions, Id
from torii_backend._groups import AsyncGroup
from torii_backend._native import Request
from torii_backend.models.replies import ToriiSession


class AsyncSessionsClient(AsyncGroup):
    """End-users' sessions: `AsyncToriiClient.sessions`."""

    async def list_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> list[ToriiSession]:
        """Return a user's active sessions, the one used last first.

        Refused with 403 when the user is another environment's.

        >>> (await torii.sessions.list_for_user(user_id))
        []
        """
        return await self._call(list[ToriiSession], Request("sessions.list_for_user", user_id, **options))

    async def revoke(self, user_id: Id, session_id: Id, **options: Unpack[CallOptions]) -> None:
        """End one session. It is no error if it has ended already.

        Refused with 403 when the user or the session is another environment's.

        >>> for session in await torii.sessions.list_for_user(user_id):
        ...     (await torii.sessions.revoke(user_id, session.id))
        """
        return await self._do(Request("sessions.revoke", user_id, session_id, **options))

    async def revoke_all_for_user(self, user_id: Id, **options: Unpack[CallOptions]) -> None:
        """End every session of a user. Tokens already issued stay valid until they expire.

        Refused with 403 when the user is another environment's.

        >>> (await torii.sessions.revoke_all_for_user(user_id))
        """
        return await self._do(Request("sessions.revoke_all_for_user", user_id, **options))

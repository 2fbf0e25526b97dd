"""Acting in a user's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torii_backend._calls import writing
from torii_backend._groups import AsyncGroup, Group, documented_by
from torii_backend.models.inputs import ToriiCreateImpersonationTokenInput
from torii_backend.models.replies import ToriiImpersonationToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from torii_backend._fields import CreateImpersonationToken, Id


class ImpersonationClient(Group):
    """Acting in a user's place: `ToriiClient.impersonation`."""

    def create_token(
        self,
        user_id: Id,
        body: ToriiCreateImpersonationTokenInput | Mapping[str, Any] | None = None,
        **fields: Unpack[CreateImpersonationToken],
    ) -> ToriiImpersonationToken:
        """Mint a token that opens one session as `user_id`, in the name of the actor.

        It has the fields of `ToriiCreateImpersonationTokenInput`, counts against the plan's quota and goes
        into the audit log. Refused with 400 for a deleted user, a lifetime beyond 60 to 600 seconds or a
        redirect outside the allowed origins, with 402 when the plan or its quota does not allow it, with 403
        when the user or the actor is another environment's or impersonation is off
        (`impersonation_disabled`). After `ToriiOutcomeUnknownError` a token may have been minted and charged.

        >>> token = torii.impersonation.create_token(user_id, actor_user_id=user_id, reason="Ticket 4821")
        >>> token.expires_in_seconds
        600
        """
        kind = ToriiCreateImpersonationTokenInput
        request = writing("impersonation.create_token", kind, body, user_id, **fields)
        return self._call(ToriiImpersonationToken, request)


@documented_by(ImpersonationClient)
class AsyncImpersonationClient(AsyncGroup):
    """`ImpersonationClient` for coroutines: `AsyncToriiClient.impersonation`."""

    async def create_token(
        self,
        user_id: Id,
        body: ToriiCreateImpersonationTokenInput | Mapping[str, Any] | None = None,
        **fields: Unpack[CreateImpersonationToken],
    ) -> ToriiImpersonationToken:
        kind = ToriiCreateImpersonationTokenInput
        request = writing("impersonation.create_token", kind, body, user_id, **fields)
        return await self._call(ToriiImpersonationToken, request)

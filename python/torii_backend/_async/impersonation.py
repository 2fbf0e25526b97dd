"""Acting in a user's place."""

from collections.abc import Mapping
from typing import Any, Union, overload

from typing_extensions import Unpack

from torii_backend._calls import writing
from torii_backend._fields import CallOptions, CreateImpersonationToken, Id
from torii_backend._groups import AsyncGroup
from torii_backend.models.inputs import ToriiCreateImpersonationTokenInput
from torii_backend.models.replies import ToriiImpersonationToken


class AsyncImpersonationClient(AsyncGroup):
    """Acting in a user's place: `AsyncToriiClient.impersonation`."""

    @overload
    async def create_token(
        self,
        user_id: Id,
        body: Union[ToriiCreateImpersonationTokenInput, Mapping[str, Any]],
        **options: Unpack[CallOptions],
    ) -> ToriiImpersonationToken: ...

    @overload
    async def create_token(
        self, user_id: Id, **fields: Unpack[CreateImpersonationToken]
    ) -> ToriiImpersonationToken: ...

    async def create_token(
        self,
        user_id: Id,
        body: Union[ToriiCreateImpersonationTokenInput, Mapping[str, Any], None] = None,
        **fields: Any,
    ) -> ToriiImpersonationToken:
        """Mint a token that opens one session as `user_id`, in the name of the actor.

        It has the fields of `ToriiCreateImpersonationTokenInput`, counts against the plan's quota and goes
        into the audit log. Refused with 400 for a deleted user, a lifetime beyond 60 to 600 seconds or a
        redirect outside the allowed origins, with 402 when the plan or its quota does not allow it, with 403
        when the user or the actor is another environment's or impersonation is off
        (`impersonation_disabled`). After `ToriiOutcomeUnknownError` a token may have been minted and charged.

        >>> token = await torii.impersonation.create_token(user_id, actor_user_id=user_id, reason="Ticket 48")
        >>> token.expires_in_seconds
        600
        """
        kind = ToriiCreateImpersonationTokenInput
        request = writing("impersonation.create_token", kind, body, user_id, **fields)
        return await self._call(ToriiImpersonationToken, request)

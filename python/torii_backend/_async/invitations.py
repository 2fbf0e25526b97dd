"""Invitations to sign up."""

from collections.abc import Mapping
from typing import Any, Union, overload

from typing_extensions import Unpack

from torii_backend._calls import listing, writing
from torii_backend._fields import CallOptions, CreateInvitation, Id, InvitationSearch, UpdateMetadata
from torii_backend._groups import AsyncGroup, AsyncItems
from torii_backend._native import Request
from torii_backend.models.inputs import InvitationFilter, ToriiCreateInvitationInput, ToriiUpdateMetadataInput
from torii_backend.models.replies import ToriiCursorPageInvitation, ToriiInvitation, ToriiInvitationDetail


class AsyncInvitationsClient(AsyncGroup):
    """Invitations to sign up: `AsyncToriiClient.invitations`.

    The API description leaves open how some of these refuse. Expect 404 when there is no such invitation in
    the key's environment, and 409 with the code `invitation_not_pending` when it is no longer pending.
    """

    async def list(self, **filters: Unpack[InvitationSearch]) -> ToriiCursorPageInvitation:
        """Return one page of the invitations, without their metadata.

        `statuses` filters by `PENDING`, `ACCEPTED`, `REVOKED` and `EXPIRED`, unless it is empty; `search` is
        a part of the address, in any case.

        >>> (await torii.invitations.list(statuses=["PENDING"])).items[0].email
        'grace@example.com'
        """
        request = listing("invitations.list", InvitationFilter, **filters)
        return await self._call(ToriiCursorPageInvitation, request)

    def iterate(self, **filters: Unpack[InvitationSearch]) -> AsyncItems[ToriiInvitation]:
        """Walk through all invitations that `list` would return, page by page.

        >>> [invitation.email async for invitation in torii.invitations.iterate(search="grace")]
        ['grace@example.com']
        """
        return self._walk(ToriiCursorPageInvitation, listing("invitations.list", InvitationFilter, **filters))

    @overload
    async def create(
        self, body: Union[ToriiCreateInvitationInput, Mapping[str, Any]], **options: Unpack[CallOptions]
    ) -> ToriiInvitation: ...

    @overload
    async def create(self, **fields: Unpack[CreateInvitation]) -> ToriiInvitation: ...

    async def create(
        self,
        body: Union[ToriiCreateInvitationInput, Mapping[str, Any], None] = None,
        **fields: Any,
    ) -> ToriiInvitation:
        """Create an invitation, with the fields of `ToriiCreateInvitationInput`, and send it by mail.

        Refused with 409 when the address has an account, with 400 for a malformed address, more than 8 KB of
        metadata or an environment without a sign-up URL, with 429 when the environment has sent too many.
        After `ToriiOutcomeUnknownError` the mail may be on its way: list the address before trying again.

        >>> (await torii.invitations.create(email="joan@example.com", expires_in_days=30)).status
        'PENDING'
        """
        request = writing("invitations.create", ToriiCreateInvitationInput, body, **fields)
        return await self._call(ToriiInvitation, request)

    async def get(self, invitation_id: Id, **options: Unpack[CallOptions]) -> ToriiInvitationDetail:
        """Return one invitation, with its metadata.

        >>> (await torii.invitations.get(invitation_id)).private_metadata
        {}
        """
        return await self._call(ToriiInvitationDetail, Request("invitations.get", invitation_id, **options))

    async def resend(self, invitation_id: Id, **options: Unpack[CallOptions]) -> ToriiInvitation:
        """Send a pending invitation again, with a new link.

        After `ToriiOutcomeUnknownError` the mail may be on its way, and nothing that can be read tells.

        >>> (await torii.invitations.resend(invitation_id)).email
        'grace@example.com'
        """
        return await self._call(ToriiInvitation, Request("invitations.resend", invitation_id, **options))

    async def revoke(self, invitation_id: Id, **options: Unpack[CallOptions]) -> None:
        """Revoke a pending invitation: its link no longer works.

        After `ToriiOutcomeUnknownError`, `get` it: its status tells.

        >>> (await torii.invitations.revoke(invitation_id))
        """
        return await self._do(Request("invitations.revoke", invitation_id, **options))

    async def update_metadata(
        self,
        invitation_id: Id,
        body: Union[ToriiUpdateMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateMetadata],
    ) -> ToriiInvitationDetail:
        """Merge into the metadata bags of a pending invitation; a member that is `None` deletes that key.

        Refused with 400 when no bag is given or the bags have more than 8 KB after merging, with 404 when
        there is no such invitation in the key's environment, with 409 when it is no longer pending.

        >>> invitation = await torii.invitations.update_metadata(invitation_id, private_metadata={"crm": 7})
        >>> invitation.private_metadata
        {'crm': 7}
        """
        request = writing(
            "invitations.update_metadata", ToriiUpdateMetadataInput, body, invitation_id, **fields
        )
        return await self._call(ToriiInvitationDetail, request)

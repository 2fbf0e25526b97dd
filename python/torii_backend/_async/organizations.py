"""Organizations and who belongs to them."""

from collections.abc import Mapping
from typing import Any, Union

from typing_extensions import Unpack

from torii_backend._calls import listing, writing
from torii_backend._fields import CallOptions, Id, OrganizationSearch, Paging, UpdateMetadata
from torii_backend._groups import AsyncGroup, AsyncItems
from torii_backend._native import Request
from torii_backend.models.inputs import OrganizationFilter, ToriiUpdateMetadataInput
from torii_backend.models.replies import (
    ToriiCursorPageMember,
    ToriiCursorPageMembership,
    ToriiCursorPageOrganization,
    ToriiMember,
    ToriiMembership,
    ToriiOrganization,
)


class AsyncOrganizationsClient(AsyncGroup):
    """Organizations and who belongs to them: `AsyncToriiClient.organizations`."""

    async def list(self, **filters: Unpack[OrganizationSearch]) -> ToriiCursorPageOrganization:
        """Return one page of the organizations, with `name` of those whose name contains it in any case.

        >>> (await torii.organizations.list(name="acme")).items[0].slug
        'acme'
        """
        request = listing("organizations.list", OrganizationFilter, **filters)
        return await self._call(ToriiCursorPageOrganization, request)

    def iterate(self, **filters: Unpack[OrganizationSearch]) -> AsyncItems[ToriiOrganization]:
        """Walk through all organizations that `list` would return, page by page.

        >>> [organization.name async for organization in torii.organizations.iterate()]
        ['Acme']
        """
        request = listing("organizations.list", OrganizationFilter, **filters)
        return self._walk(ToriiCursorPageOrganization, request)

    async def get(self, organization_id: Id, **options: Unpack[CallOptions]) -> ToriiOrganization:
        """Return one organization.

        Refused with 404 when there is no such organization in the key's environment.

        >>> (await torii.organizations.get(organization_id)).name
        'Acme'
        """
        return await self._call(ToriiOrganization, Request("organizations.get", organization_id, **options))

    async def update_metadata(
        self,
        organization_id: Id,
        body: Union[ToriiUpdateMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateMetadata],
    ) -> ToriiOrganization:
        """Merge into the metadata bags that are given; a member that is `None` deletes that key.

        Refused as `get` is, and with 400 when no bag is given or a bag has more than 8 KB after merging.

        >>> acme = await torii.organizations.update_metadata(organization_id, public_metadata={"plan": "pro"})
        >>> acme.public_metadata
        {'plan': 'pro'}
        """
        ids = (organization_id,)
        request = writing("organizations.update_metadata", ToriiUpdateMetadataInput, body, *ids, **fields)
        return await self._call(ToriiOrganization, request)

    async def list_members(self, organization_id: Id, **page: Unpack[Paging]) -> ToriiCursorPageMember:
        """Return one page of an organization's members, in the order of their user ids.

        Refused as `get` is.

        >>> (await torii.organizations.list_members(organization_id)).items[0].role
        'org:administrator'
        """
        request = Request("organizations.list_members", organization_id, **page)
        return await self._call(ToriiCursorPageMember, request)

    def iterate_members(self, organization_id: Id, **page: Unpack[Paging]) -> AsyncItems[ToriiMember]:
        """Walk through all of an organization's members, page by page.

        >>> [member.role async for member in torii.organizations.iterate_members(organization_id)]
        ['org:administrator']
        """
        request = Request("organizations.list_members", organization_id, **page)
        return self._walk(ToriiCursorPageMember, request)

    async def update_member_metadata(
        self,
        organization_id: Id,
        user_id: Id,
        body: Union[ToriiUpdateMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateMetadata],
    ) -> ToriiMember:
        """Merge into the metadata bags of a membership, which are its own.

        Refused as `update_metadata` is, and with 404 also when the user is no member.

        >>> member = await torii.organizations.update_member_metadata(
        ...     organization_id, user_id, public_metadata={"seat": "billable"}
        ... )
        >>> member.public_metadata
        {'seat': 'billable'}
        """
        ids = (organization_id, user_id)
        request = writing(
            "organizations.update_member_metadata", ToriiUpdateMetadataInput, body, *ids, **fields
        )
        return await self._call(ToriiMember, request)

    async def list_for_user(self, user_id: Id, **page: Unpack[Paging]) -> ToriiCursorPageMembership:
        """Return one page of the organizations that a user is a member of, with the user's role in each.

        Refused with 403 when the user is another environment's, and also when there is no such user.

        >>> (await torii.organizations.list_for_user(user_id)).items[0].name
        'Acme'
        """
        request = Request("organizations.list_for_user", user_id, **page)
        return await self._call(ToriiCursorPageMembership, request)

    def iterate_for_user(self, user_id: Id, **page: Unpack[Paging]) -> AsyncItems[ToriiMembership]:
        """Walk through all organizations that a user is a member of, page by page.

        >>> [membership.name async for membership in torii.organizations.iterate_for_user(user_id)]
        ['Acme']
        """
        request = Request("organizations.list_for_user", user_id, **page)
        return self._walk(ToriiCursorPageMembership, request)

# Made by scripts/sync-client from _async/organizations.py. Change that file, and run the script.
"""Organizations and who belongs to them."""

from collections.abc import Mapping
from typing import Any, Union

from typing_extensions import Unpack

from torii_backend._calls import listing, writing
from torii_backend._fields import CallOptions, Id, OrganizationSearch, Paging, UpdateMetadata
from torii_backend._groups import Group, Items
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


class OrganizationsClient(Group):
    """Organizations and who belongs to them: `ToriiClient.organizations`."""

    def list(self, **filters: Unpack[OrganizationSearch]) -> ToriiCursorPageOrganization:
        """Return one page of the organizations, with `name` of those whose name contains it in any case.

        >>> torii.organizations.list(name="acme").items[0].slug
        'acme'
        """
        request = listing("organizations.list", OrganizationFilter, **filters)
        return self._call(ToriiCursorPageOrganization, request)

    def iterate(self, **filters: Unpack[OrganizationSearch]) -> Items[ToriiOrganization]:
        """Walk through all organizations that `list` would return, page by page.

        >>> [organization.name for organization in torii.organizations.iterate()]
        ['Acme']
        """
        request = listing("organizations.list", OrganizationFilter, **filters)
        return self._walk(ToriiCursorPageOrganization, request)

    def get(self, organization_id: Id, **options: Unpack[CallOptions]) -> ToriiOrganization:
        """Return one organization.

        Refused with 404 when there is no such organization in the key's environment.

        >>> torii.organizations.get(organization_id).name
        'Acme'
        """
        return self._call(ToriiOrganization, Request("organizations.get", organization_id, **options))

    def update_metadata(
        self,
        organization_id: Id,
        body: Union[ToriiUpdateMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateMetadata],
    ) -> ToriiOrganization:
        """Merge into the metadata bags that are given; a member that is `None` deletes that key.

        Refused as `get` is, and with 400 when no bag is given or a bag has more than 8 KB after merging.

        >>> acme = torii.organizations.update_metadata(organization_id, public_metadata={"plan": "pro"})
        >>> acme.public_metadata
        {'plan': 'pro'}
        """
        ids = (organization_id,)
        request = writing("organizations.update_metadata", ToriiUpdateMetadataInput, body, *ids, **fields)
        return self._call(ToriiOrganization, request)

    def list_members(self, organization_id: Id, **page: Unpack[Paging]) -> ToriiCursorPageMember:
        """Return one page of an organization's members, in the order of their user ids.

        Refused as `get` is.

        >>> torii.organizations.list_members(organization_id).items[0].role
        'org:administrator'
        """
        request = Request("organizations.list_members", organization_id, **page)
        return self._call(ToriiCursorPageMember, request)

    def iterate_members(self, organization_id: Id, **page: Unpack[Paging]) -> Items[ToriiMember]:
        """Walk through all of an organization's members, page by page.

        >>> [member.role for member in torii.organizations.iterate_members(organization_id)]
        ['org:administrator']
        """
        request = Request("organizations.list_members", organization_id, **page)
        return self._walk(ToriiCursorPageMember, request)

    def update_member_metadata(
        self,
        organization_id: Id,
        user_id: Id,
        body: Union[ToriiUpdateMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateMetadata],
    ) -> ToriiMember:
        """Merge into the metadata bags of a membership, which are its own.

        Refused as `update_metadata` is, and with 404 also when the user is no member.

        >>> member = torii.organizations.update_member_metadata(
        ...     organization_id, user_id, public_metadata={"seat": "billable"}
        ... )
        >>> member.public_metadata
        {'seat': 'billable'}
        """
        ids = (organization_id, user_id)
        request = writing(
            "organizations.update_member_metadata", ToriiUpdateMetadataInput, body, *ids, **fields
        )
        return self._call(ToriiMember, request)

    def list_for_user(self, user_id: Id, **page: Unpack[Paging]) -> ToriiCursorPageMembership:
        """Return one page of the organizations that a user is a member of, with the user's role in each.

        Refused with 403 when the user is another environment's, and also when there is no such user.

        >>> torii.organizations.list_for_user(user_id).items[0].name
        'Acme'
        """
        request = Request("organizations.list_for_user", user_id, **page)
        return self._call(ToriiCursorPageMembership, request)

    def iterate_for_user(self, user_id: Id, **page: Unpack[Paging]) -> Items[ToriiMembership]:
        """Walk through all organizations that a user is a member of, page by page.

        >>> [membership.name for membership in torii.organizations.iterate_for_user(user_id)]
        ['Acme']
        """
        request = Request("organizations.list_for_user", user_id, **page)
        return self._walk(ToriiCursorPageMembership, request)

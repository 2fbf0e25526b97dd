# Made by scripts/sync-client from _async/users.py. Change that file, and run the script.
"""End-users."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

from typing_extensions import Unpack

from torii_backend._calls import UNSET, listing, writing
from torii_backend._fields import (
    CallOptions,
    CreateUser,
    Id,
    Instant,
    UpdateUser,
    UpdateUserMetadata,
    UserSearch,
)
from torii_backend._groups import Group, Items
from torii_backend._native import Request
from torii_backend.models.inputs import (
    ToriiCreateUserInput,
    ToriiUpdateUserInput,
    ToriiUpdateUserMetadataInput,
    UserFilter,
)
from torii_backend.models.replies import ToriiCursorPageUser, ToriiUser, UserStatus


class UsersClient(Group):
    """End-users: `ToriiClient.users`."""

    def list(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[Id] = None,
        name: Optional[str] = UNSET,
        user_ids: Optional[Sequence[Id]] = None,
        email_addresses: Optional[Sequence[str]] = None,
        email: Optional[str] = None,
        statuses: Optional[Sequence[UserStatus]] = None,
        created_after: Optional[Instant] = None,
        created_before: Optional[Instant] = None,
        organization_id: Optional[Id] = None,
        **options: Unpack[CallOptions],
    ) -> ToriiCursorPageUser:
        """Search users and return one page. All that is given must hold; nothing given finds everybody.

        Args:
            limit: Most items in the page; torii clamps it to 1 to 100, and its default is 20.
            cursor: Where the page starts: the `next_cursor` of the one before.
            name: A part of the name, in any case. `None` finds users without a name.
            user_ids: The users with these ids, 100 at most. An empty list finds nobody.
            email_addresses: The users with these primary addresses, in any case, 100 at most. An empty list
                finds nobody.
            email: A part of the primary address, in any case.
            statuses: The users with one of these: `active`, `banned`, `deleted`.
            created_after: Created at or after this instant, which has a time zone.
            created_before: Created at or before this instant, which has a time zone.
            organization_id: The members of this organization.
            options: `timeout`, `attempt_timeout` and `retries`, as `torii_backend.client` says.

        >>> page = torii.users.list(email="ada@", limit=50)
        >>> page.items[0].email, page.has_more
        ('ada@example.com', False)

        """
        request = listing(
            "users.list",
            UserFilter,
            limit=limit,
            cursor=cursor,
            name=name,
            user_ids=user_ids,
            email_addresses=email_addresses,
            email=email,
            statuses=statuses,
            created_after=created_after,
            created_before=created_before,
            organization_id=organization_id,
            **options,
        )
        return self._call(ToriiCursorPageUser, request)

    def iterate(self, **filters: Unpack[UserSearch]) -> Items[ToriiUser]:
        """Search users as `list` does and walk through all that it finds, page by page.

        >>> [user.email for user in torii.users.iterate(statuses=["active"])]
        ['ada@example.com']
        """
        return self._walk(ToriiCursorPageUser, listing("users.list", UserFilter, **filters))

    def create(
        self,
        body: Union[ToriiCreateUserInput, Mapping[str, Any], None] = None,
        **fields: Unpack[CreateUser],
    ) -> ToriiUser:
        """Create a user, with the fields of `ToriiCreateUserInput`.

        Refused with 409 when another user of the environment has the address, with 400 for a malformed
        address, a weak password or more than 8 KB of metadata. After `ToriiOutcomeUnknownError` the user may
        exist: look for the address before trying again.

        >>> torii.users.create(email="grace@example.com", first_name="Grace").status
        'active'
        """
        return self._call(ToriiUser, writing("users.create", ToriiCreateUserInput, body, **fields))

    def get(self, user_id: Id, **options: Unpack[CallOptions]) -> ToriiUser:
        """Return one user.

        Refused with 404 when there is no such user, with 403 when it is another environment's or deleted.

        >>> torii.users.get(user_id, timeout=5).first_name
        'Ada'
        """
        return self._call(ToriiUser, Request("users.get", user_id, **options))

    def update(
        self,
        user_id: Id,
        body: Union[ToriiUpdateUserInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateUser],
    ) -> ToriiUser:
        """Change the given fields of a user, those of `ToriiUpdateUserInput`. `None` clears; others stay.

        Refused as `get` is, and with 400 for more than 8 KB of metadata after merging.

        >>> user = torii.users.update(user_id, first_name="Augusta", last_name=None)
        >>> user.first_name, user.last_name
        ('Augusta', None)
        """
        return self._call(ToriiUser, writing("users.update", ToriiUpdateUserInput, body, user_id, **fields))

    def update_metadata(
        self,
        user_id: Id,
        body: Union[ToriiUpdateUserMetadataInput, Mapping[str, Any], None] = None,
        **fields: Unpack[UpdateUserMetadata],
    ) -> ToriiUser:
        """Merge into the metadata bags that are given; a member that is `None` deletes that key.

        Refused as `get` is, and with 400 for more than 8 KB in the three bags together after merging.

        >>> torii.users.update_metadata(user_id, private_metadata={"plan": "pro"}).private_metadata
        {'plan': 'pro'}
        """
        request = writing("users.update_metadata", ToriiUpdateUserMetadataInput, body, user_id, **fields)
        return self._call(ToriiUser, request)

    def delete(self, user_id: Id, **options: Unpack[CallOptions]) -> None:
        """Soft-delete a user.

        Refused with 403 when the user is deleted already, and also when it is another environment's: the two
        cannot be told apart, so neither counts as success.

        >>> torii.users.delete(user_id)
        """
        return self._do(Request("users.delete", user_id, **options))

    def ban(self, user_id: Id, **options: Unpack[CallOptions]) -> ToriiUser:
        """Ban a user and revoke every session of theirs. Tokens already issued stay valid until they expire.

        Refused as `get` is.

        >>> torii.users.ban(user_id).status
        'banned'
        """
        return self._call(ToriiUser, Request("users.ban", user_id, **options))

    def unban(self, user_id: Id, **options: Unpack[CallOptions]) -> ToriiUser:
        """Lift a ban.

        Refused as `get` is.

        >>> torii.users.unban(user_id).status
        'active'
        """
        return self._call(ToriiUser, Request("users.unban", user_id, **options))

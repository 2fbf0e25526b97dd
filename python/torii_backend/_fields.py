"""The keywords of the client's methods, for type checkers: nothing imports this when it runs."""
# ruff: noqa: TC001, TC003 (therefore)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypedDict, Union
from uuid import UUID

from torii_backend.models.replies import InvitationStatus, Locale, UserStatus

Id = Union[str, UUID]
Bag = Mapping[str, Any]


class CallOptions(TypedDict, total=False):
    """What every method takes for this one call, in place of the client's settings."""

    timeout: float | None
    """Seconds until the call returns, waits and retries included."""
    attempt_timeout: float | None
    """Seconds until the last byte of one attempt's reply."""
    retries: bool
    """False makes one attempt only."""


class Paging(CallOptions, total=False):
    """What every list takes."""

    limit: int | None
    """Most items in a page; torii clamps it to 1 to 100, and its default is 20."""
    cursor: Id | None
    """Where to start: an earlier page's `next_cursor`."""


class CreateUser(CallOptions, total=False):
    email: str | None
    password: str | None
    first_name: str | None
    last_name: str | None
    name: str | None
    phone: str | None
    address: str | None
    date_of_birth: date | str | None
    public_metadata: Bag
    private_metadata: Bag
    unsafe_metadata: Bag


class UpdateUser(CallOptions, total=False):
    first_name: str | None
    last_name: str | None
    locale: Locale | None
    name: str | None
    phone: str | None
    address: str | None
    date_of_birth: date | str | None
    unsafe_metadata: Bag


class UpdateMetadata(CallOptions, total=False):
    public_metadata: Bag
    private_metadata: Bag


class UpdateUserMetadata(UpdateMetadata, total=False):
    unsafe_metadata: Bag


class CreateInvitation(CallOptions, total=False):
    email: str
    expires_in_days: int | None
    redirect_url: str | None
    public_metadata: Bag
    private_metadata: Bag


class CreateImpersonationToken(CallOptions, total=False):
    actor_user_id: Id
    reason: str
    redirect_url: str | None
    expires_in_seconds: int | None


class UserSearch(Paging, total=False):
    name: str | None
    user_ids: Sequence[Id] | None
    email_addresses: Sequence[str] | None
    email: str | None
    statuses: Sequence[UserStatus] | None
    created_after: datetime | str | None
    created_before: datetime | str | None
    organization_id: Id | None


class OrganizationSearch(Paging, total=False):
    name: str | None


class InvitationSearch(Paging, total=False):
    statuses: Sequence[InvitationStatus] | None
    search: str | None

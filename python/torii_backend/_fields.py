"""The keywords of the client's methods."""
# ruff: noqa: FA100 (annotations are evaluated, on Python 3.9 too)

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Optional, Union
from uuid import UUID

# pydantic takes no other `TypedDict` before Python 3.12.
from typing_extensions import Required, TypedDict

from torii_backend.models.replies import InvitationStatus, Locale, UserStatus

Id = Union[str, UUID]
"""An id, in any form that `uuid.UUID` reads."""
Bag = Mapping[str, Any]
Instant = Union[datetime, str]


class CallOptions(TypedDict, total=False):
    """What every method takes for this one call, in place of the client's settings."""

    timeout: Optional[float]
    """Seconds until the call returns, waits and retries included."""
    attempt_timeout: Optional[float]
    """Seconds until the last byte of one attempt's reply."""
    retries: bool
    """False makes one attempt only."""


class Paging(CallOptions, total=False):
    """What every list takes."""

    limit: Optional[int]
    """Most items in a page; torii clamps it to 1 to 100, and its default is 20."""
    cursor: Optional[Id]
    """Where to start: an earlier page's `next_cursor`."""


class CreateUser(CallOptions, total=False):
    email: Optional[str]
    password: Optional[str]
    first_name: Optional[str]
    last_name: Optional[str]
    name: Optional[str]
    phone: Optional[str]
    address: Optional[str]
    date_of_birth: Union[date, str, None]
    public_metadata: Optional[Bag]
    private_metadata: Optional[Bag]
    unsafe_metadata: Optional[Bag]


class UpdateUser(CallOptions, total=False):
    first_name: Optional[str]
    last_name: Optional[str]
    locale: Optional[Locale]
    name: Optional[str]
    phone: Optional[str]
    address: Optional[str]
    date_of_birth: Union[date, str, None]
    unsafe_metadata: Bag


class UpdateMetadata(CallOptions, total=False):
    public_metadata: Bag
    private_metadata: Bag


class UpdateUserMetadata(UpdateMetadata, total=False):
    unsafe_metadata: Bag


class CreateInvitation(CallOptions, total=False):
    email: Required[str]
    expires_in_days: Optional[int]
    redirect_url: Optional[str]
    public_metadata: Bag
    private_metadata: Bag


class CreateImpersonationToken(CallOptions, total=False):
    actor_user_id: Required[Id]
    reason: Required[str]
    redirect_url: Optional[str]
    expires_in_seconds: Optional[int]


class UserSearch(Paging, total=False):
    name: Optional[str]
    user_ids: Optional[Sequence[Id]]
    email_addresses: Optional[Sequence[str]]
    email: Optional[str]
    statuses: Optional[Sequence[UserStatus]]
    created_after: Optional[Instant]
    created_before: Optional[Instant]
    organization_id: Optional[Id]


class OrganizationSearch(Paging, total=False):
    name: Optional[str]


class InvitationSearch(Paging, total=False):
    statuses: Optional[Sequence[InvitationStatus]]
    search: Optional[str]

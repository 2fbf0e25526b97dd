"""What torii sends."""
# ruff: noqa: FA100 (pydantic evaluates the annotations, on Python 3.9 too)
# ruff: noqa: PYI051 (the values that are known are for the reader, and for completion)

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Generic, Literal, Optional, TypeVar, Union
from uuid import UUID

from pydantic import Field

from torii_backend.models._base import Reply

T = TypeVar("T")

Metadata = dict[str, Any]
# What is listed is what this version knows; torii may send others.
UserStatus = Union[Literal["active", "banned", "deleted"], str]
Locale = Union[Literal["en", "da"], str]
InvitationStatus = Union[Literal["PENDING", "ACCEPTED", "REVOKED", "EXPIRED"], str]


class ToriiUser(Reply):
    """An end-user, with the private metadata that only the backend API shows."""

    id: UUID
    """Tokens carry it as the `sub` claim."""
    environment_id: UUID
    name: Optional[str] = None
    """The full name, which torii derives from the first and the last."""
    first_name: Optional[str] = None
    last_name: Optional[str] = None
    locale: Optional[Locale] = None
    """The language of mails and screens."""
    status: UserStatus
    created_at: datetime
    updated_at: datetime
    email: Optional[str] = None
    """The primary address."""
    email_verified_at: Optional[datetime] = None
    deleted_at: Optional[datetime] = None
    public_metadata: Metadata = Field(default_factory=dict)
    """Readable by the user's browser, writable only by servers."""
    private_metadata: Metadata = Field(default_factory=dict)
    """For servers only; never in a token."""
    unsafe_metadata: Metadata = Field(default_factory=dict)
    """Readable and writable by the user's browser."""


class ToriiSession(Reply):
    """An active session of an end-user."""

    id: UUID
    user_id: UUID
    environment_id: UUID
    user_agent: Optional[str] = None
    """The `User-Agent` that the session was opened with."""
    ip_address: Optional[str] = None
    """The address that the session was opened from."""
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime
    active_organization_id: Optional[UUID] = None
    """The organization that the session has switched to."""
    impersonated_by: Optional[UUID] = None
    """Who opened the session in the user's place."""


class ToriiOrganization(Reply):
    """An organization."""

    id: UUID
    name: str
    slug: Optional[str] = None
    role_set_id: Optional[UUID] = None
    """The set that its members' roles come from, if it is bound to one."""
    public_metadata: Metadata = Field(default_factory=dict)
    """Readable by every member, writable only by servers."""
    private_metadata: Metadata = Field(default_factory=dict)
    """For servers only."""
    created_at: datetime


class ToriiMember(Reply):
    """A membership, as the organization sees it. The metadata is the membership's own."""

    organization_id: UUID
    user_id: UUID
    role: str
    """The key of the role, such as `org:administrator`."""
    role_name: Optional[str] = None
    public_metadata: Metadata = Field(default_factory=dict)
    private_metadata: Metadata = Field(default_factory=dict)
    joined_at: datetime


class ToriiMembership(Reply):
    """A membership, as the user sees it. The metadata is the membership's own."""

    organization_id: UUID
    name: str
    """What people call the organization."""
    slug: Optional[str] = None
    role: str
    """The key of the role, such as `org:administrator`."""
    role_name: Optional[str] = None
    public_metadata: Metadata = Field(default_factory=dict)
    private_metadata: Metadata = Field(default_factory=dict)
    joined_at: datetime


class ToriiInvitation(Reply):
    """An invitation to sign up, without its metadata."""

    id: UUID
    environment_id: UUID
    email: str
    status: InvitationStatus
    expires_at: datetime
    created_at: datetime
    accepted_at: Optional[datetime] = None
    revoked_at: Optional[datetime] = None


class ToriiInvitationDetail(ToriiInvitation):
    """An invitation with the metadata that its user will start with."""

    public_metadata: Metadata = Field(default_factory=dict)
    private_metadata: Metadata = Field(default_factory=dict)


class ToriiImpersonationToken(Reply):
    """A token that opens one session in a user's place. Neither it nor its address is printed."""

    token: str = Field(repr=False)
    """Good for one use."""
    expires_in_seconds: int
    url: Optional[str] = Field(default=None, repr=False)
    """An address that redeems the token in a browser, if there is a page to land on."""


class ToriiAllowedOrigins(Reply):
    """The origins of an environment, such as `capacitor://localhost`."""

    origins: list[str]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        """Iterate over the origins."""
        return iter(self.origins)

    def __len__(self) -> int:
        return len(self.origins)


class ToriiProblemDetail(Reply):
    """The document that comes with a refusal (RFC 9457): `ToriiApiError.body`."""

    type: Optional[str] = None
    title: Optional[str] = None
    status: Optional[int] = None
    detail: Optional[str] = None
    instance: Optional[str] = None
    properties: Optional[dict[str, Any]] = None
    code: Optional[str] = None
    """torii's stable code for the problem, such as `invitation_not_pending`."""
    support_id: Optional[str] = None
    """What to quote to torii's support."""


class ToriiPage(Reply, Generic[T]):
    """A page of a list. The base of the pages of each kind."""

    items: list[T]
    next_cursor: Optional[Union[UUID, str]] = Field(default=None, union_mode="left_to_right")
    """What to pass as `cursor` for the next page; `None` on the last one."""
    has_more: bool

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]
        """Iterate over the items of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class ToriiCursorPageUser(ToriiPage[ToriiUser]):
    """A page of users."""


class ToriiCursorPageOrganization(ToriiPage[ToriiOrganization]):
    """A page of organizations."""


class ToriiCursorPageMember(ToriiPage[ToriiMember]):
    """A page of an organization's members."""


class ToriiCursorPageMembership(ToriiPage[ToriiMembership]):
    """A page of a user's memberships."""


class ToriiCursorPageInvitation(ToriiPage[ToriiInvitation]):
    """A page of invitations."""

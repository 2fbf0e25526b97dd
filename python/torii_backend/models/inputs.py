"""What torii is sent."""
# ruff: noqa: FA100 (pydantic evaluates the annotations, on Python 3.9 too)

from collections.abc import Set as AbstractSet
from datetime import date, datetime, timezone
from typing import Annotated, Any, ClassVar, Optional, Union
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from torii_backend.models._base import Input, NewInput
from torii_backend.models.replies import InvitationStatus, Locale, Metadata, UserStatus


def _no_null(bag: Any) -> Any:
    if bag is None:
        raise PydanticCustomError("bag_is_null", "Input should be an object: leave it out to keep the bag")
    return bag


# A bag is merged into or left alone, never cleared: `None` only stands for one that was not given.
Bag = Annotated[Optional[Metadata], BeforeValidator(_no_null)]
Date = Union[date, str]
# The last day of the calendar has instants that no other time zone can write.
Instant = Annotated[AwareDatetime, Field(lt=datetime(9999, 12, 30, tzinfo=timezone.utc))]


class ToriiCreateUserInput(NewInput):
    """A new user. Without `email`, the user cannot sign in by password."""

    email: Optional[str] = None
    """The primary address. A second user with it is refused with 409."""
    password: Optional[str] = Field(default=None, repr=False)
    first_name: Optional[str] = None
    last_name: Optional[str] = None
    name: Optional[str] = None
    """First generation of the API, as are the next three."""
    phone: Optional[str] = None
    address: Optional[str] = None
    date_of_birth: Optional[Date] = None
    """`YYYY-MM-DD`."""
    public_metadata: Optional[Metadata] = None
    private_metadata: Optional[Metadata] = None
    unsafe_metadata: Optional[Metadata] = None


class ToriiUpdateUserInput(Input):
    """A partial update of a user. A field that is given is set, or cleared if it is `None`; others stay.

    >>> patch = ToriiUpdateUserInput(name="Ada", phone=None)
    >>> patch.to_json()
    '{"name":"Ada","phone":null}'
    """

    first_name: Optional[str] = None
    last_name: Optional[str] = None
    locale: Optional[Locale] = None
    name: Optional[str] = None
    """First generation of the API, as are the next three."""
    phone: Optional[str] = None
    address: Optional[str] = None
    date_of_birth: Optional[Date] = None
    """`YYYY-MM-DD`."""
    unsafe_metadata: Bag = None
    """Merged into the bag, at every depth; a member that is `None` deletes that key."""


class ToriiUpdateMetadataInput(Input):
    """What is merged into two bags, at every depth; a member that is `None` deletes that key."""

    public_metadata: Bag = None
    private_metadata: Bag = None


class ToriiUpdateUserMetadataInput(ToriiUpdateMetadataInput):
    """What is merged into the three bags of a user."""

    unsafe_metadata: Bag = None


class ToriiCreateInvitationInput(NewInput):
    """A new invitation."""

    email: str
    expires_in_days: Optional[int] = Field(default=None, ge=-(2**31), lt=2**31)
    redirect_url: Optional[str] = None
    """Where the invited person goes after signing up."""
    public_metadata: Metadata = Field(default_factory=dict)
    """What the user's bag starts with. It travels, if only as an empty object."""
    private_metadata: Metadata = Field(default_factory=dict)

    def model_post_init(self, _: Any, /) -> None:
        """Count the bags among what was given: the API requires them."""
        self.__pydantic_fields_set__.update(("public_metadata", "private_metadata"))


class ToriiCreateImpersonationTokenInput(NewInput):
    """Who acts in a user's place, and why. Both go into the audit log."""

    actor_user_id: UUID
    reason: str
    """500 characters at most."""
    redirect_url: Optional[str] = None
    """Where the browser lands, at one of the allowed origins."""
    expires_in_seconds: Optional[int] = Field(default=None, ge=-(2**63), lt=2**63)
    """How long the token can be redeemed, 60 to 600; 600 unless given."""


class Filter(Input):
    """What a list's items must have, all of it. `None` filters nothing, but for what is `nullable`."""

    nullable: ClassVar[AbstractSet[str]] = frozenset()


class UserFilter(Filter):
    """Which users a search finds."""

    nullable = frozenset({"name"})

    name: Optional[str] = None
    user_ids: list[UUID] = Field(default_factory=list[UUID])
    email_addresses: list[str] = Field(default_factory=list)
    email: str = ""
    statuses: list[UserStatus] = Field(default_factory=list)
    created_after: Optional[Instant] = None
    created_before: Optional[Instant] = None
    organization_id: Optional[UUID] = None


class OrganizationFilter(Filter):
    """Which organizations a list has."""

    name: str = ""


class InvitationFilter(Filter):
    """Which invitations a list has."""

    statuses: list[InvitationStatus] = Field(default_factory=list)
    search: str = ""

"""The documents of torii's backend API, as pydantic models.

Attributes are snake_case. Constructors take snake_case and the API's camelCase.
"""

from torii_backend.models.inputs import (
    ToriiCreateImpersonationTokenInput,
    ToriiCreateInvitationInput,
    ToriiCreateUserInput,
    ToriiUpdateMetadataInput,
    ToriiUpdateUserInput,
    ToriiUpdateUserMetadataInput,
)
from torii_backend.models.replies import (
    ToriiAllowedOrigins,
    ToriiCursorPageInvitation,
    ToriiCursorPageMember,
    ToriiCursorPageMembership,
    ToriiCursorPageOrganization,
    ToriiCursorPageUser,
    ToriiImpersonationToken,
    ToriiInvitation,
    ToriiInvitationDetail,
    ToriiMember,
    ToriiMembership,
    ToriiOrganization,
    ToriiPage,
    ToriiProblemDetail,
    ToriiSession,
    ToriiUser,
)

__all__ = [
    "ToriiAllowedOrigins",
    "ToriiCreateImpersonationTokenInput",
    "ToriiCreateInvitationInput",
    "ToriiCreateUserInput",
    "ToriiCursorPageInvitation",
    "ToriiCursorPageMember",
    "ToriiCursorPageMembership",
    "ToriiCursorPageOrganization",
    "ToriiCursorPageUser",
    "ToriiImpersonationToken",
    "ToriiInvitation",
    "ToriiInvitationDetail",
    "ToriiMember",
    "ToriiMembership",
    "ToriiOrganization",
    "ToriiPage",
    "ToriiProblemDetail",
    "ToriiSession",
    "ToriiUpdateMetadataInput",
    "ToriiUpdateUserInput",
    "ToriiUpdateUserMetadataInput",
    "ToriiUser",
]

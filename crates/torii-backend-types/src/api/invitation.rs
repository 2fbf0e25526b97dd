//! Invitations to sign up.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{EnvironmentId, InvitationId};
use super::metadata::Metadata;
use super::open_enum::open_enum;

/// An invitation, without its metadata, which [`InvitationDetail`] has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Invitation {
    /// Identifies the invitation.
    pub id: InvitationId,
    /// The environment that it invites to.
    pub environment_id: EnvironmentId,
    /// Who is invited.
    pub email: String,
    /// Where the invitation is in its life.
    pub status: InvitationStatus,
    /// When it can no longer be accepted.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was accepted, if it was.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An invitation with the metadata that its user will start with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct InvitationDetail {
    /// Identifies the invitation.
    pub id: InvitationId,
    /// The environment that it invites to.
    pub environment_id: EnvironmentId,
    /// Who is invited.
    pub email: String,
    /// Where the invitation is in its life.
    pub status: InvitationStatus,
    /// When it can no longer be accepted.
    pub expires_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was accepted, if it was.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// The user's first public metadata.
    #[serde(default)]
    pub public_metadata: Metadata,
    /// The user's first private metadata.
    #[serde(default)]
    pub private_metadata: Metadata,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum!(
    /// Where an invitation is in its life.
    InvitationStatus {
        /// May be accepted.
        Pending = "PENDING",
        /// Was accepted.
        Accepted = "ACCEPTED",
        /// Was revoked.
        Revoked = "REVOKED",
        /// Was not accepted in time.
        Expired = "EXPIRED",
    }
);

/// The body of "create invitation". Creating one sends a mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInvitation {
    /// Who is invited.
    pub email: String,
    /// How long the invitation can be accepted; `None` is the service's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<i32>,
    /// Where the invited person goes after signing up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// The user's first public metadata. Always sent, if only as an empty object.
    pub public_metadata: Metadata,
    /// The user's first private metadata. Always sent, if only as an empty object.
    pub private_metadata: Metadata,
}

impl CreateInvitation {
    /// An invitation of this address, with the service's defaults.
    pub fn with_email(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            ..Self::default()
        }
    }
}

/// Which invitations a list returns. All that is given must hold. Travels in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InvitationFilter {
    /// The status is one of these; empty filters nothing.
    pub statuses: Vec<InvitationStatus>,
    /// What to search for; `None` filters nothing.
    pub search: Option<String>,
}

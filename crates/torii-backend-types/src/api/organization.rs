//! Organizations and who belongs to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{OrganizationId, RoleSetId, UserId};
use super::metadata::Metadata;

/// An organization of the environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Organization {
    /// Identifies the organization.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// Its name in addresses, if it has one.
    #[serde(default)]
    pub slug: Option<String>,
    /// The set that its members' roles come from, if it is bound to one.
    #[serde(default)]
    pub role_set_id: Option<RoleSetId>,
    /// Readable by every member, writable only by servers.
    #[serde(default)]
    pub public_metadata: Metadata,
    /// For servers only.
    #[serde(default)]
    pub private_metadata: Metadata,
    /// When the organization was created.
    pub created_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A user's membership, as the organization sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Member {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The member.
    pub user_id: UserId,
    /// The key of the member's role, such as `org:administrator`.
    pub role: String,
    /// What people call the role; `None` without a role set that has it.
    #[serde(default)]
    pub role_name: Option<String>,
    /// The membership's own public metadata. Never shown to clients.
    #[serde(default)]
    pub public_metadata: Metadata,
    /// The membership's own private metadata.
    #[serde(default)]
    pub private_metadata: Metadata,
    /// When the user joined.
    pub joined_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A user's membership, as the user sees it. The metadata is the membership's, not the organization's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Membership {
    /// The organization.
    pub organization_id: OrganizationId,
    /// What people call the organization.
    pub name: String,
    /// The organization's name in addresses, if it has one.
    #[serde(default)]
    pub slug: Option<String>,
    /// The key of the user's role there, such as `org:administrator`.
    pub role: String,
    /// What people call the role; `None` without a role set that has it.
    #[serde(default)]
    pub role_name: Option<String>,
    /// The membership's own public metadata.
    #[serde(default)]
    pub public_metadata: Metadata,
    /// The membership's own private metadata.
    #[serde(default)]
    pub private_metadata: Metadata,
    /// When the user joined.
    pub joined_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which organizations a list returns. Travels in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrganizationFilter {
    /// The name contains this text, in any case; `None` filters nothing.
    pub name: Option<String>,
}

//! An end-user's sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{EnvironmentId, OrganizationId, SessionId, UserId};

/// An active session: neither expired nor revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct Session {
    /// Identifies the session.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// The environment that the user belongs to.
    pub environment_id: EnvironmentId,
    /// The `User-Agent` that the session was opened with.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The address that the session was opened from.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// When the session was opened.
    pub created_at: Timestamp,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
    /// When the service last saw the session used. Lists are ordered by it, latest first.
    pub last_used_at: Timestamp,
    /// The organization that the session has switched to.
    #[serde(default)]
    pub active_organization_id: Option<OrganizationId>,
    /// Who opened the session in the user's place; `None` for an ordinary sign-in.
    #[serde(default)]
    pub impersonated_by: Option<UserId>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

//! What the domain and the store share: rows, what a list asks for, and the forms in which texts are kept.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use torii_backend_types::{
    EnvironmentId, InvitationId, InvitationStatus, Metadata, Organization, OrganizationId, Session,
    Timestamp, User, UserId, UserStatus,
};

use crate::page::Paging;

/// A user and what no reply shows of it. It has no `Debug`: it holds the hash of a password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserRecord {
    pub(crate) user: User,
    #[serde(default)]
    pub(crate) password_hash: Option<String>,
    #[serde(default)]
    pub(crate) legacy: LegacyProfile,
}

/// The fields of the API's first generation that have no place in a reply. They are kept for the user's sake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LegacyProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) date_of_birth: Option<String>,
}

/// A session and whether it still counts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionRecord {
    pub(crate) session: Session,
    #[serde(default)]
    pub(crate) revoked_at: Option<Timestamp>,
    /// Of the token by which the user's browser continues it. Sessions of the control plane have none.
    #[serde(default)]
    pub(crate) token_hash: Option<String>,
}

/// An organization and where it belongs, which no reply shows.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OrganizationRecord {
    pub(crate) environment_id: EnvironmentId,
    pub(crate) organization: Organization,
}

/// An invitation as it is kept. Its status follows from it and the time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InvitationRecord {
    pub(crate) id: InvitationId,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) email: String,
    /// Where the invited person goes after signing up.
    #[serde(default)]
    pub(crate) redirect_url: Option<String>,
    /// Of the token in the newest link.
    pub(crate) token_hash: String,
    /// How long a link lasts.
    pub(crate) lifetime_days: i32,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) accepted_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) revoked_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) public_metadata: Metadata,
    #[serde(default)]
    pub(crate) private_metadata: Metadata,
}

/// A token as it is kept, with who may be asked about it later.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImpersonationRecord {
    pub(crate) token_hash: String,
    pub(crate) environment_id: EnvironmentId,
    pub(crate) user_id: UserId,
    pub(crate) actor_user_id: UserId,
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) landing_url: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// A search. Every part that is there must hold.
#[derive(Debug)]
pub(crate) struct UserQuery {
    pub(crate) paging: Paging<UserId>,
    pub(crate) name: NameFilter,
    pub(crate) user_ids: Option<Vec<UserId>>,
    /// Folded addresses.
    pub(crate) email_addresses: Option<Vec<String>>,
    /// A folded part of an address.
    pub(crate) email: Option<String>,
    pub(crate) statuses: Option<Vec<UserStatus>>,
    pub(crate) created: CreatedRange,
    pub(crate) organization_id: Option<OrganizationId>,
}

#[derive(Debug)]
pub(crate) enum NameFilter {
    Any,
    Missing,
    /// A folded part of the name.
    Contains(String),
}

/// Bounds in microseconds since 1970, both inclusive.
#[derive(Debug, Default)]
pub(crate) struct CreatedRange {
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
}

/// Which organizations a list returns.
pub(crate) struct OrganizationQuery {
    pub(crate) paging: Paging<OrganizationId>,
    /// A folded part of the name.
    pub(crate) name: Option<String>,
}

/// Which invitations a list returns.
pub(crate) struct InvitationQuery {
    pub(crate) paging: Paging<InvitationId>,
    /// A folded part of the address.
    pub(crate) email: Option<String>,
    /// Empty is every status.
    pub(crate) statuses: Vec<InvitationStatus>,
    pub(crate) now: Timestamp,
}

/// A bag as JSON without spaces, the form that is measured and stored.
pub(crate) fn compact(bag: &Metadata) -> String {
    // Of a value rather than a map: that rendering cannot fail.
    Value::Object(bag.clone()).to_string()
}

/// The full name: the parts that say something, joined by a space.
pub(crate) fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, last]
        .into_iter()
        .flatten()
        .filter(|part| !part.trim().is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The form in which texts are compared without regard to case: Unicode lower case, character by character, so
/// that a part of a text folds like the same part of the whole.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_a_part_equals_the_part_of_the_fold() {
        // `str::to_lowercase` would turn a final capital sigma into another letter than a lone one.
        assert!(fold("ΟΔΟΣ@example.com").contains(&fold("ΟΔΟΣ")));
        assert_eq!(fold("ÆRØ"), "ærø");
    }
}

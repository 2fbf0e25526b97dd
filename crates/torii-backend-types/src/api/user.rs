//! End-users.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::{EnvironmentId, OrganizationId, UserId};
use super::metadata::{Metadata, not_null};
use super::open_enum::open_enum;
use super::patch::Patch;

/// An end-user, with the private metadata that only the backend API shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub struct User {
    /// Identifies the user. Tokens carry it as the `sub` claim.
    pub id: UserId,
    /// The environment that the user belongs to.
    pub environment_id: EnvironmentId,
    /// The full name, which the service derives from the first and the last.
    #[serde(default)]
    pub name: Option<String>,
    /// The given name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The family name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// The language of mails and screens.
    #[serde(default)]
    pub locale: Option<Locale>,
    /// Where the user is in its life.
    pub status: UserStatus,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// The primary address.
    #[serde(default)]
    pub email: Option<String>,
    /// When the primary address was verified, if it was.
    #[serde(default)]
    pub email_verified_at: Option<Timestamp>,
    /// When the user was deleted, if it was.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// Readable by the user's browser, writable only by servers.
    #[serde(default)]
    pub public_metadata: Metadata,
    /// For servers only; never in a token.
    #[serde(default)]
    pub private_metadata: Metadata,
    /// Readable and writable by the user's browser.
    #[serde(default)]
    pub unsafe_metadata: Metadata,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

open_enum!(
    /// Where a user is in its life.
    UserStatus {
        /// May sign in.
        Active = "active",
        /// May not sign in; banning revoked every session.
        Banned = "banned",
        /// Soft-deleted.
        Deleted = "deleted",
    }
);

open_enum!(
    /// The language of mails and screens.
    Locale {
        /// English.
        En = "en",
        /// Danish.
        Da = "da",
    }
);

/// The body of "create user". Every field is optional; without `email` the user cannot sign in by password.
///
/// `name`, `phone`, `address` and `date_of_birth` are the fields of the API's first generation. They are sent as
/// given; the current generation describes `first_name`, `last_name` and the metadata bags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUser {
    /// The primary address. A second user with it is refused with 409.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The first password; `None` creates a user without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The full name (first generation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The telephone number (first generation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The postal address (first generation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The date of birth, `YYYY-MM-DD` (first generation).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The first public metadata.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub public_metadata: Option<Metadata>,
    /// The first private metadata.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub private_metadata: Option<Metadata>,
    /// The first unsafe metadata.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub unsafe_metadata: Option<Metadata>,
}

impl CreateUser {
    /// A user with an address, and nothing else.
    pub fn with_email(email: impl Into<String>) -> Self {
        Self {
            email: Some(email.into()),
            ..Self::default()
        }
    }
}

/// The body of "update user": a partial update, each field of which is kept, cleared or set.
///
/// ```
/// use torii_backend_types::{Patch, UpdateUser};
///
/// let patch = UpdateUser { name: "Ada".into(), phone: Patch::Clear, ..UpdateUser::default() };
/// assert_eq!(serde_json::to_string(&patch)?, r#"{"name":"Ada","phone":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateUser {
    /// The given name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub first_name: Patch<String>,
    /// The family name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub last_name: Patch<String>,
    /// The language of mails and screens.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub locale: Patch<Locale>,
    /// The full name (first generation).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// The telephone number (first generation).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// The postal address (first generation).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub address: Patch<String>,
    /// The date of birth, `YYYY-MM-DD` (first generation).
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub date_of_birth: Patch<String>,
    /// Merged into the unsafe metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub unsafe_metadata: Option<Metadata>,
}

/// Which users a search returns. Every filter is optional, and all that are given must hold.
///
/// An empty list in `user_ids` or `email_addresses` matches nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UserFilter {
    /// `Set`: the name contains this text, in any case. `Clear`: the user has no name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// The user is one of these; 100 at most.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub user_ids: Option<Vec<UserId>>,
    /// The primary address is one of these, in any case; 100 at most.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub email_addresses: Option<Vec<String>>,
    /// The primary address contains this text, in any case. A blank text filters nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The status is one of these.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Vec<UserStatus>>,
    /// Created at or after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Timestamp>,
    /// Created at or before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
    /// A member of this organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
}

/// A password on its way to the service. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

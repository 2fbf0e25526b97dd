//! Bags of application data, and how they are changed.

use serde::{Deserialize, Deserializer, Serialize};

/// A bag of application data: a JSON object.
///
/// In a request a bag has two states. Absent leaves it as it is; an object is merged into it, member by member and
/// at every depth, and a member that is `null` deletes that key.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// What is merged into the three bags of a user. All three together may hold 8 KB after merging.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateUserMetadata {
    /// Merged into the public metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub public_metadata: Option<Metadata>,
    /// Merged into the private metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub private_metadata: Option<Metadata>,
    /// Merged into the unsafe metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub unsafe_metadata: Option<Metadata>,
}

/// What is merged into the two bags of an organization, a membership or an invitation. Naming neither is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMetadata {
    /// Merged into the public metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub public_metadata: Option<Metadata>,
    /// Merged into the private metadata; `None` leaves the bag alone.
    #[serde(deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub private_metadata: Option<Metadata>,
}

/// Reads a member that may be absent but not `null`.
pub(crate) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

//! The tri-state of a PATCH.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, Serializer};

/// What a partial update does to one field: leave it alone, clear it, or set it.
///
/// On the wire, [`Keep`](Patch::Keep) is the absence of the member, [`Clear`](Patch::Clear) is `null` and
/// [`Set`](Patch::Set) is the value. A field of this type therefore carries
/// `#[serde(skip_serializing_if = "Patch::is_keep")]`, and it or its struct `#[serde(default)]`. Serialising `Keep` itself
/// is an error, so that a field which forgets the attribute fails loudly instead of sending a `null` that nobody asked
/// for.
///
/// There is no conversion from `Option`: `None` could mean either "clear" or "leave alone".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Leave the field as it is. The default.
    #[default]
    Keep,
    /// Remove the field's value.
    Clear,
    /// Replace the field's value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field is to be left alone, and so has no place on the wire.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl From<&str> for Patch<String> {
    fn from(value: &str) -> Self {
        Self::Set(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep => Err(S::Error::custom(
                "Patch::Keep cannot be serialised: the field must be skipped with `skip_serializing_if = \"Patch::is_keep\"`",
            )),
            Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

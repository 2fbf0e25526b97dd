//! Identifiers. Each is a UUID of its own type, so that a session's id cannot be passed where a user's is meant and
//! no id can change the route that it is written into.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID where an identifier was expected. The text itself is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} id is not a UUID", self.kind)
    }
}

impl std::error::Error for InvalidId {}

impl From<Infallible> for InvalidId {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier as a UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated form: the others that `uuid` reads (braces, URN, bare hex) never travel.
                match text.len() {
                    36 => text.parse().map(Self).map_err(|_| InvalidId { kind: $kind }),
                    _ => Err(InvalidId { kind: $kind }),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(text: &str) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = InvalidId;

            fn try_from(text: &String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// Identifies an end-user.
    UserId,
    "user"
);
id!(
    /// Identifies an end-user's session.
    SessionId,
    "session"
);
id!(
    /// Identifies an environment: one issuer, one set of users. Tokens carry it as the `pid` claim.
    EnvironmentId,
    "environment"
);
id!(
    /// Identifies an organization.
    OrganizationId,
    "organization"
);
id!(
    /// Identifies a set of roles that organizations can be bound to.
    RoleSetId,
    "role set"
);
id!(
    /// Identifies an invitation.
    InvitationId,
    "invitation"
);

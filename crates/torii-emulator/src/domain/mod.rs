//! The rules: what an operation does and when it is refused. No SQL and no HTTP.

mod metadata;
mod organizations;
mod profile;
mod search;
mod sessions;
mod tokens;
mod users;

use torii_backend_types::EnvironmentId;

use crate::clock::Clock;
use crate::error::Error;
use crate::keys::Keys;
use crate::store::Store;

pub(crate) use metadata::compact;
pub use organizations::{Member, NewMember, NewOrganization, Organization};
pub(crate) use profile::{fold, full_name};
pub(crate) use search::{NameFilter, UserQuery};
pub(crate) use sessions::SessionRecord;
pub use sessions::{OpenSession, SESSION_LIFETIME_SECONDS};
pub use tokens::{DEFAULT_TOKEN_LIFETIME_SECONDS, MintToken, MintedToken};
pub(crate) use users::UserRecord;

/// The operations, each of which reads or changes the store in one transaction.
pub(crate) struct Domain {
    store: Store,
    clock: Clock,
    keys: Keys,
    issuer: String,
    /// The environments of the configured secret keys, in their order. The first is the main one.
    environments: Vec<EnvironmentId>,
    hashing: users::Hashing,
}

impl Domain {
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        keys: Keys,
        issuer: String,
        environments: Vec<EnvironmentId>,
    ) -> Self {
        Self {
            store,
            clock,
            keys,
            issuer,
            environments,
            hashing: users::Hashing::default(),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The environment of the secret key at `place` in the configuration.
    pub(crate) fn environment(&self, place: usize) -> Result<EnvironmentId, Error> {
        self.environments
            .get(place)
            .copied()
            .ok_or_else(|| Error::internal("a secret key has no environment"))
    }

    /// Forgets every user, session and organization, and puts the clock right. Keys and environments stay.
    pub(crate) async fn reset(&self) -> Result<(), Error> {
        self.store.write(|tx| tx.clear()).await?;
        self.clock.set_offset_seconds(0)
    }
}

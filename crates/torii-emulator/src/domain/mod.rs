//! The rules: what an operation does and when it is refused. No SQL and no HTTP.

mod hashing;
mod impersonation;
mod invitations;
mod memberships;
mod metadata;
mod one_time_token;
mod organizations;
mod origins;
mod outbox;
mod profile;
mod search;
mod sessions;
mod settings;
mod sign_in;
mod snapshot;
mod tokens;
mod users;

use std::sync::Arc;

use arc_swap::ArcSwap;
use torii_backend_types::EnvironmentId;

use crate::clock::Clock;
use crate::error::Error;
use crate::keys::Keys;
use crate::store::Store;

pub use impersonation::IMPERSONATION_PERIOD_SECONDS;
pub(crate) use impersonation::{IMPERSONATION_LIFETIME_SECONDS, MAX_REASON_CHARS};
pub use invitations::DEFAULT_INVITATION_DAYS;
pub use memberships::NewMember;
pub use organizations::NewOrganization;
pub(crate) use outbox::Outbox;
pub use outbox::{Mail, MailKind};
pub use sessions::{OpenSession, SESSION_LIFETIME_SECONDS};
pub use settings::{
    ClaimStyle, DEFAULT_SIGN_UP_URL, DEFAULT_TOKEN_LIFETIME_SECONDS, ImpersonationSettings,
    InvitationRateLimit, Settings,
};
pub(crate) use sign_in::{Device, FIRST_USER_EMAIL, SignedIn, Who};
pub use snapshot::Snapshot;
pub use tokens::{MintToken, MintedToken};

/// The operations, each of which reads or changes the store in one transaction.
pub(crate) struct Domain {
    store: Store,
    clock: Clock,
    keys: Keys,
    issuer: String,
    /// The environments of the configured secret keys, in their order. The first is the main one.
    environments: Vec<EnvironmentId>,
    /// As they are kept in the store; here for those who cannot wait for it.
    settings: Arc<ArcSwap<Settings>>,
    outbox: Outbox,
}

impl Domain {
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        keys: Keys,
        issuer: String,
        environments: Vec<EnvironmentId>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            clock,
            keys,
            issuer,
            environments,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            outbox: Outbox::default(),
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

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Back to the state of a first start. Keys and environments stay.
    pub(crate) async fn reset(&self) -> Result<(), Error> {
        let (clock, settings, outbox) = (self.clock.clone(), self.settings.clone(), self.outbox.clone());
        self.store
            .write_then(
                |tx| tx.clear(),
                move |()| {
                    settings.store(Arc::default());
                    outbox.clear();
                    clock.set_offset_seconds(0)
                },
            )
            .await?
    }
}

//! Sessions of users: opened through the control plane, listed and revoked through the backend API.

use serde::Deserialize;
use torii_backend_types::{
    EnvironmentId, Metadata, OrganizationId, Session, SessionId, Timestamp, User, UserId, UserStatus,
};
use uuid::Uuid;

use super::Domain;
use super::profile::{MAX_TEXT_CHARS, check_length};
use super::users::own_user_undisclosed;
use crate::clock::from_micros;
use crate::error::Error;
use crate::records::SessionRecord;

/// How long a session lasts: seven days.
pub const SESSION_LIFETIME_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The session that [`Control::open_session`](crate::Control::open_session) opens, as if the user had signed in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenSession {
    /// Who signs in. The user must be active.
    pub user_id: UserId,
    /// The `User-Agent` to record.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The address to record.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The organization that the session has switched to. The user must be a member.
    #[serde(default)]
    pub active_organization_id: Option<OrganizationId>,
}

impl OpenSession {
    /// A session of `user_id` with nothing recorded.
    pub fn of(user_id: UserId) -> Self {
        Self {
            user_id,
            user_agent: None,
            ip_address: None,
            active_organization_id: None,
        }
    }
}

impl Domain {
    pub(crate) async fn open_session(&self, request: OpenSession) -> Result<Session, Error> {
        let OpenSession {
            user_id,
            user_agent,
            ip_address,
            active_organization_id,
        } = request;
        check_length(
            "userAgent",
            user_agent.as_deref().unwrap_or_default(),
            MAX_TEXT_CHARS,
        )?;
        check_length(
            "ipAddress",
            ip_address.as_deref().unwrap_or_default(),
            MAX_TEXT_CHARS,
        )?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let Some(record) = tx.user(user_id)? else {
                    return Err(Error::not_found("no user has this id"));
                };
                if record.user.status != UserStatus::Active {
                    return Err(Error::conflict(
                        "user_not_active",
                        format!(
                            "the user is {}: only an active one can sign in",
                            record.user.status
                        ),
                    ));
                }
                if let Some(organization) = active_organization_id {
                    tx.member(organization, user_id)?
                        .ok_or_else(|| Error::not_found("the user is not a member of this organization"))?;
                }
                let session = Session {
                    user_agent,
                    ip_address,
                    active_organization_id,
                    ..blank_session(&record.user, clock.now(), SESSION_LIFETIME_SECONDS)
                };
                let record = SessionRecord {
                    session,
                    revoked_at: None,
                    token_hash: None,
                };
                tx.insert_session(&record)?;
                Ok(record.session)
            })
            .await
    }

    /// The active sessions, the most recently used first.
    pub(crate) async fn sessions(
        &self,
        environment: EnvironmentId,
        user: UserId,
    ) -> Result<Vec<Session>, Error> {
        let now = self.clock.now();
        self.store
            .read(move |tx| {
                own_user_undisclosed(tx, environment, user)?;
                tx.active_sessions(user, now)
            })
            .await
    }

    /// Leaves a session alone that is over already or never was, so that the call can be repeated.
    pub(crate) async fn revoke_session(
        &self,
        environment: EnvironmentId,
        user: UserId,
        id: SessionId,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                own_user_undisclosed(tx, environment, user)?;
                match tx.session(id)? {
                    Some(record) if record.session.user_id != user => {
                        Err(Error::forbidden("the session is not one of this user's"))
                    }
                    Some(SessionRecord { revoked_at: None, .. }) => tx.revoke_session(id, now),
                    _ => Ok(()),
                }
            })
            .await
    }

    pub(crate) async fn revoke_sessions(
        &self,
        environment: EnvironmentId,
        user: UserId,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                own_user_undisclosed(tx, environment, user)?;
                tx.revoke_sessions(user, now)
            })
            .await
    }
}

/// A new session about whose circumstances nothing is known.
pub(super) fn blank_session(user: &User, now: Timestamp, lifetime_seconds: i64) -> Session {
    Session {
        id: SessionId::from(Uuid::now_v7()),
        user_id: user.id,
        environment_id: user.environment_id,
        user_agent: None,
        ip_address: None,
        created_at: now,
        expires_at: from_micros(now.as_microsecond() + lifetime_seconds * 1_000_000),
        last_used_at: now,
        active_organization_id: None,
        impersonated_by: None,
        extra: Metadata::new(),
    }
}

//! The table of sessions.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use torii_backend_types::{Metadata, Session, SessionId, Timestamp, UserId};

use super::{Tx, instant, instant_option, parsed, parsed_option, written};
use crate::error::Error;
use crate::records::SessionRecord;

impl Tx<'_> {
    /// `false` if the id was there before.
    pub(crate) fn insert_session(&self, record: &SessionRecord) -> Result<bool, Error> {
        let SessionRecord {
            session,
            revoked_at,
            token_hash,
        } = record;
        let Session {
            id,
            user_id,
            environment_id,
            user_agent,
            ip_address,
            created_at,
            expires_at,
            last_used_at,
            active_organization_id,
            impersonated_by,
            extra: _,
        } = session;
        let mut statement = self.0.prepare_cached(
            "INSERT INTO sessions (
                    id, user_id, environment_id, user_agent, ip_address, created_at, expires_at, last_used_at,
                    active_organization_id, impersonated_by, revoked_at, token_hash
                ) VALUES (
                    :id, :user_id, :environment_id, :user_agent, :ip_address, :created_at, :expires_at,
                    :last_used_at, :active_organization_id, :impersonated_by, :revoked_at, :token_hash
                )",
        )?;
        written(statement.execute(named_params! {
            ":id": id.to_string(),
            ":user_id": user_id.to_string(),
            ":environment_id": environment_id.to_string(),
            ":user_agent": user_agent,
            ":ip_address": ip_address,
            ":created_at": created_at.as_microsecond(),
            ":expires_at": expires_at.as_microsecond(),
            ":last_used_at": last_used_at.as_microsecond(),
            ":active_organization_id": active_organization_id.map(|id| id.to_string()),
            ":impersonated_by": impersonated_by.map(|id| id.to_string()),
            ":revoked_at": revoked_at.map(|at| at.as_microsecond()),
            ":token_hash": token_hash,
        }))
    }

    /// Every session, over or not, in the order of ids.
    pub(crate) fn all_sessions(&self) -> Result<Vec<SessionRecord>, Error> {
        let mut statement = self.0.prepare("SELECT * FROM sessions ORDER BY id")?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The session of any user, over or not.
    pub(crate) fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM sessions WHERE id = ?1")?
            .query_row([id.to_string()], record)
            .optional()?;
        Ok(found)
    }

    /// The user's sessions that are neither revoked nor expired, the most recently used first.
    pub(crate) fn active_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM sessions
            WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2
            ORDER BY last_used_at DESC, id DESC",
        )?;
        let rows = statement.query_map(params![user.to_string(), now.as_microsecond()], |row| {
            Ok(record(row)?.session)
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn revoke_session(&self, id: SessionId, now: Timestamp) -> Result<(), Error> {
        self.0
            .prepare_cached("UPDATE sessions SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
            .execute(params![id.to_string(), now.as_microsecond()])?;
        Ok(())
    }

    pub(crate) fn revoke_sessions(&self, user: UserId, now: Timestamp) -> Result<(), Error> {
        self.0
            .prepare_cached("UPDATE sessions SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL")?
            .execute(params![user.to_string(), now.as_microsecond()])?;
        Ok(())
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    let session = Session {
        id: parsed(row, "id")?,
        user_id: parsed(row, "user_id")?,
        environment_id: parsed(row, "environment_id")?,
        user_agent: row.get("user_agent")?,
        ip_address: row.get("ip_address")?,
        created_at: instant(row, "created_at")?,
        expires_at: instant(row, "expires_at")?,
        last_used_at: instant(row, "last_used_at")?,
        active_organization_id: parsed_option(row, "active_organization_id")?,
        impersonated_by: parsed_option(row, "impersonated_by")?,
        extra: Metadata::new(),
    };
    Ok(SessionRecord {
        session,
        revoked_at: instant_option(row, "revoked_at")?,
        token_hash: row.get("token_hash")?,
    })
}

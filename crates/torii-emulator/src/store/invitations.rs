//! The table of invitations.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use torii_backend_types::{EnvironmentId, InvitationId, Timestamp};

use super::{Tx, instant, instant_option, json, parsed, written};
use crate::error::Error;
use crate::records::{InvitationQuery, InvitationRecord, compact, fold};

impl Tx<'_> {
    /// `false` if the id or the token was there before.
    pub(crate) fn insert_invitation(&self, record: &InvitationRecord) -> Result<bool, Error> {
        written(self.put_invitation(
            "INSERT INTO invitations (
                id, environment_id, email, email_folded, redirect_url, token_hash, lifetime_days, expires_at,
                created_at, accepted_at, revoked_at, public_metadata, private_metadata
            ) VALUES (
                :id, :environment_id, :email, :email_folded, :redirect_url, :token_hash, :lifetime_days,
                :expires_at, :created_at, :accepted_at, :revoked_at, :public_metadata, :private_metadata
            )",
            record,
        ))
    }

    pub(crate) fn update_invitation(&self, record: &InvitationRecord) -> Result<(), Error> {
        self.put_invitation(
            "UPDATE invitations SET
                environment_id = :environment_id, email = :email, email_folded = :email_folded,
                redirect_url = :redirect_url, token_hash = :token_hash, lifetime_days = :lifetime_days,
                expires_at = :expires_at, created_at = :created_at, accepted_at = :accepted_at,
                revoked_at = :revoked_at, public_metadata = :public_metadata,
                private_metadata = :private_metadata
            WHERE id = :id",
            record,
        )?;
        Ok(())
    }

    /// The invitation of any environment.
    pub(crate) fn invitation(&self, id: InvitationId) -> Result<Option<InvitationRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM invitations WHERE id = ?1")?
            .query_row([id.to_string()], record)
            .optional()?;
        Ok(found)
    }

    /// The invitation of any environment whose newest link has the token.
    pub(crate) fn invitation_by_token(&self, token_hash: &str) -> Result<Option<InvitationRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM invitations WHERE token_hash = ?1")?
            .query_row([token_hash], record)
            .optional()?;
        Ok(found)
    }

    /// Invitations of the environment in the order of ids.
    pub(crate) fn invitations(
        &self,
        environment: EnvironmentId,
        query: &InvitationQuery,
    ) -> Result<Vec<InvitationRecord>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM invitations
            WHERE environment_id = :environment_id
                AND id > :after
                AND (:email IS NULL OR instr(email_folded, :email) > 0)
            ORDER BY id",
        )?;
        let rows = statement.query_map(
            named_params! {
                ":environment_id": environment.to_string(),
                ":after": query.paging.after(),
                ":email": query.email,
            },
            record,
        )?;
        // The status is not stored: it depends on the time.
        let wanted = rows.filter(|row| row.as_ref().map_or(true, |record| query.has_status(record)));
        Ok(wanted
            .take(query.paging.wanted())
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Every invitation, in the order of ids.
    pub(crate) fn all_invitations(&self) -> Result<Vec<InvitationRecord>, Error> {
        let mut statement = self.0.prepare("SELECT * FROM invitations ORDER BY id")?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// When the environment created the `nth` newest of its invitations, counted from 1, if that was after `since`.
    pub(crate) fn nth_newest_invitation(
        &self,
        environment: EnvironmentId,
        nth: u32,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let found = self
            .0
            .prepare_cached(
                "SELECT created_at FROM invitations WHERE environment_id = ?1 AND created_at > ?2
                ORDER BY created_at DESC LIMIT 1 OFFSET ?3",
            )?
            .query_row(
                params![
                    environment.to_string(),
                    since.as_microsecond(),
                    nth.saturating_sub(1)
                ],
                |row| instant(row, "created_at"),
            )
            .optional()?;
        Ok(found)
    }

    fn put_invitation(&self, sql: &str, record: &InvitationRecord) -> rusqlite::Result<usize> {
        let InvitationRecord {
            id,
            environment_id,
            email,
            redirect_url,
            token_hash,
            lifetime_days,
            expires_at,
            created_at,
            accepted_at,
            revoked_at,
            public_metadata,
            private_metadata,
        } = record;
        self.0.prepare_cached(sql)?.execute(named_params! {
            ":id": id.to_string(),
            ":environment_id": environment_id.to_string(),
            ":email": email,
            ":email_folded": fold(email),
            ":redirect_url": redirect_url,
            ":token_hash": token_hash,
            ":lifetime_days": lifetime_days,
            ":expires_at": expires_at.as_microsecond(),
            ":created_at": created_at.as_microsecond(),
            ":accepted_at": accepted_at.map(|at| at.as_microsecond()),
            ":revoked_at": revoked_at.map(|at| at.as_microsecond()),
            ":public_metadata": compact(public_metadata),
            ":private_metadata": compact(private_metadata),
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<InvitationRecord> {
    Ok(InvitationRecord {
        id: parsed(row, "id")?,
        environment_id: parsed(row, "environment_id")?,
        email: row.get("email")?,
        redirect_url: row.get("redirect_url")?,
        token_hash: row.get("token_hash")?,
        lifetime_days: row.get("lifetime_days")?,
        expires_at: instant(row, "expires_at")?,
        created_at: instant(row, "created_at")?,
        accepted_at: instant_option(row, "accepted_at")?,
        revoked_at: instant_option(row, "revoked_at")?,
        public_metadata: json(row, "public_metadata")?,
        private_metadata: json(row, "private_metadata")?,
    })
}

//! The table of impersonation tokens.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use torii_backend_types::{EnvironmentId, Timestamp};

use super::{Tx, instant, instant_option, parsed, written};
use crate::error::Error;
use crate::records::ImpersonationRecord;

impl Tx<'_> {
    /// `false` if the token was there before.
    pub(crate) fn insert_impersonation_token(&self, record: &ImpersonationRecord) -> Result<bool, Error> {
        let ImpersonationRecord {
            token_hash,
            environment_id,
            user_id,
            actor_user_id,
            reason,
            landing_url,
            created_at,
            expires_at,
            redeemed_at,
        } = record;
        written(
            self.0
                .prepare_cached(
                    "INSERT INTO impersonation_tokens (
                        token_hash, environment_id, user_id, actor_user_id, reason, landing_url, created_at, expires_at,
                        redeemed_at
                    ) VALUES (
                        :token_hash, :environment_id, :user_id, :actor_user_id, :reason, :landing_url, :created_at,
                        :expires_at, :redeemed_at
                    )",
                )?
                .execute(named_params! {
                    ":token_hash": token_hash,
                    ":environment_id": environment_id.to_string(),
                    ":user_id": user_id.to_string(),
                    ":actor_user_id": actor_user_id.to_string(),
                    ":reason": reason,
                    ":landing_url": landing_url,
                    ":created_at": created_at.as_microsecond(),
                    ":expires_at": expires_at.as_microsecond(),
                    ":redeemed_at": redeemed_at.map(|at| at.as_microsecond()),
                }),
        )
    }

    pub(crate) fn impersonation_token(&self, token_hash: &str) -> Result<Option<ImpersonationRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM impersonation_tokens WHERE token_hash = ?1")?
            .query_row([token_hash], record)
            .optional()?;
        Ok(found)
    }

    pub(crate) fn set_redeemed(&self, token_hash: &str, now: Timestamp) -> Result<(), Error> {
        self.0
            .prepare_cached("UPDATE impersonation_tokens SET redeemed_at = ?2 WHERE token_hash = ?1")?
            .execute(params![token_hash, now.as_microsecond()])?;
        Ok(())
    }

    /// How many tokens the environment minted after `since`.
    pub(crate) fn count_impersonation_tokens(
        &self,
        environment: EnvironmentId,
        since: Timestamp,
    ) -> Result<u64, Error> {
        let count: i64 = self
            .0
            .prepare_cached(
                "SELECT count(*) FROM impersonation_tokens WHERE environment_id = ?1 AND created_at > ?2",
            )?
            .query_row(params![environment.to_string(), since.as_microsecond()], |row| {
                row.get(0)
            })?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Every token, in the order of minting.
    pub(crate) fn all_impersonation_tokens(&self) -> Result<Vec<ImpersonationRecord>, Error> {
        let mut statement = self
            .0
            .prepare("SELECT * FROM impersonation_tokens ORDER BY created_at, token_hash")?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<ImpersonationRecord> {
    Ok(ImpersonationRecord {
        token_hash: row.get("token_hash")?,
        environment_id: parsed(row, "environment_id")?,
        user_id: parsed(row, "user_id")?,
        actor_user_id: parsed(row, "actor_user_id")?,
        reason: row.get("reason")?,
        landing_url: row.get("landing_url")?,
        created_at: instant(row, "created_at")?,
        expires_at: instant(row, "expires_at")?,
        redeemed_at: instant_option(row, "redeemed_at")?,
    })
}

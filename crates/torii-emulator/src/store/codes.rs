//! The table of codes that mails bring.

use rusqlite::{OptionalExtension as _, Row, named_params};
use torii_backend_types::EnvironmentId;

use super::{Tx, instant, json, parsed};
use crate::error::Error;
use crate::records::{CodePurpose, CodeRecord};

impl Tx<'_> {
    /// Replaces the code of the same subject.
    pub(crate) fn put_code(&self, record: &CodeRecord) -> Result<(), Error> {
        let CodeRecord {
            purpose,
            environment_id,
            subject,
            code_hash,
            tries_left,
            expires_at,
            details,
        } = record;
        self.0
            .prepare_cached(
                "INSERT OR REPLACE INTO codes (
                    purpose, environment_id, subject, code_hash, tries_left, expires_at, details
                ) VALUES (
                    :purpose, :environment_id, :subject, :code_hash, :tries_left, :expires_at, :details
                )",
            )?
            .execute(named_params! {
                ":purpose": purpose.as_str(),
                ":environment_id": environment_id.to_string(),
                ":subject": subject,
                ":code_hash": code_hash,
                ":tries_left": tries_left,
                ":expires_at": expires_at.as_microsecond(),
                ":details": details.to_string(),
            })?;
        Ok(())
    }

    pub(crate) fn code(
        &self,
        purpose: CodePurpose,
        environment: EnvironmentId,
        subject: &str,
    ) -> Result<Option<CodeRecord>, Error> {
        let read = |row: &Row<'_>| {
            Ok(CodeRecord {
                purpose,
                environment_id: parsed(row, "environment_id")?,
                subject: row.get("subject")?,
                code_hash: row.get("code_hash")?,
                tries_left: row.get("tries_left")?,
                expires_at: instant(row, "expires_at")?,
                details: json(row, "details")?,
            })
        };
        let found = self
            .0
            .prepare_cached(
                "SELECT * FROM codes WHERE purpose = ?1 AND environment_id = ?2 AND subject = ?3",
            )?
            .query_row((purpose.as_str(), environment.to_string(), subject), read)
            .optional()?;
        Ok(found)
    }

    pub(crate) fn delete_code(
        &self,
        purpose: CodePurpose,
        environment: EnvironmentId,
        subject: &str,
    ) -> Result<(), Error> {
        self.0
            .prepare_cached("DELETE FROM codes WHERE purpose = ?1 AND environment_id = ?2 AND subject = ?3")?
            .execute((purpose.as_str(), environment.to_string(), subject))?;
        Ok(())
    }
}

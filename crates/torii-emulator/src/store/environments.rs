//! The tables of environments and of settings.

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use torii_backend_types::EnvironmentId;
use uuid::Uuid;

use super::{Tx, json, parsed};
use crate::error::Error;

impl Tx<'_> {
    /// The environment at each of the first `count` places; missing ones are made. They last as long as the file.
    pub(crate) fn environments(&self, count: usize) -> Result<Vec<EnvironmentId>, Error> {
        (0..count)
            .map(|place| {
                let place = i64::try_from(place).map_err(Error::internal)?;
                self.0.execute(
                    "INSERT INTO environments (place, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    params![place, Uuid::now_v7().to_string()],
                )?;
                let id =
                    self.0
                        .query_row("SELECT id FROM environments WHERE place = ?1", [place], |row| {
                            parsed(row, "id")
                        })?;
                Ok(id)
            })
            .collect()
    }

    /// Every environment of the file, in the order of places.
    pub(crate) fn all_environments(&self) -> Result<Vec<EnvironmentId>, Error> {
        let mut statement = self
            .0
            .prepare_cached("SELECT id FROM environments ORDER BY place")?;
        let rows = statement.query_map([], |row| parsed(row, "id"))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn allowed_origins(&self, environment: EnvironmentId) -> Result<Vec<String>, Error> {
        let origins = self
            .0
            .prepare_cached("SELECT allowed_origins FROM environments WHERE id = ?1")?
            .query_row([environment.to_string()], |row| json(row, "allowed_origins"))?;
        Ok(origins)
    }

    pub(crate) fn set_allowed_origins(
        &self,
        environment: EnvironmentId,
        origins: &[String],
    ) -> Result<(), Error> {
        self.0
            .prepare_cached("UPDATE environments SET allowed_origins = ?2 WHERE id = ?1")?
            .execute(params![environment.to_string(), json!(origins).to_string()])?;
        Ok(())
    }

    /// The settings that were kept, or the first ones.
    pub(crate) fn settings<S: DeserializeOwned + Default>(&self) -> Result<S, Error> {
        let found = self
            .0
            .query_row("SELECT value FROM settings", [], |row| json(row, "value"))
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    pub(crate) fn set_settings(&self, settings: &impl Serialize) -> Result<(), Error> {
        self.0.execute(
            "INSERT INTO settings (id, value) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
            [json!(settings).to_string()],
        )?;
        Ok(())
    }

    /// Forgets everything but the environments.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        self.0.execute_batch(
            "DELETE FROM codes; DELETE FROM impersonation_tokens; DELETE FROM invitations; DELETE FROM memberships;
            DELETE FROM organizations; DELETE FROM sessions; DELETE FROM users; DELETE FROM settings;
            UPDATE environments SET allowed_origins = '[]';",
        )?;
        Ok(())
    }
}

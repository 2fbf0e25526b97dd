//! The table of organizations.

use rusqlite::{OptionalExtension as _, Row, named_params, params};
use torii_backend_types::{EnvironmentId, Metadata, Organization, OrganizationId};

use super::{Tx, instant, json, parsed, parsed_option, written};
use crate::error::Error;
use crate::records::{OrganizationQuery, OrganizationRecord, compact, fold};

impl Tx<'_> {
    /// `false` if another organization of the environment has the slug.
    pub(crate) fn insert_organization(&self, record: &OrganizationRecord) -> Result<bool, Error> {
        let OrganizationRecord {
            environment_id,
            organization,
        } = record;
        let Organization {
            id,
            name,
            slug,
            role_set_id,
            public_metadata,
            private_metadata,
            created_at,
            extra: _,
        } = organization;
        written(self.0.execute(
            "INSERT INTO organizations (
                id, environment_id, name, name_folded, slug, role_set_id, public_metadata, private_metadata, created_at
            ) VALUES (
                :id, :environment_id, :name, :name_folded, :slug, :role_set_id, :public_metadata,
                :private_metadata, :created_at
            )",
            named_params! {
                ":id": id.to_string(),
                ":environment_id": environment_id.to_string(),
                ":name": name,
                ":name_folded": fold(name),
                ":slug": slug,
                ":role_set_id": role_set_id.map(|id| id.to_string()),
                ":public_metadata": compact(public_metadata),
                ":private_metadata": compact(private_metadata),
                ":created_at": created_at.as_microsecond(),
            },
        ))
    }

    /// The organization of any environment.
    pub(crate) fn organization(&self, id: OrganizationId) -> Result<Option<OrganizationRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM organizations WHERE id = ?1")?
            .query_row([id.to_string()], record)
            .optional()?;
        Ok(found)
    }

    /// Organizations of the environment in the order of ids.
    pub(crate) fn organizations(
        &self,
        environment: EnvironmentId,
        query: &OrganizationQuery,
    ) -> Result<Vec<Organization>, Error> {
        let OrganizationQuery { paging, name } = query;
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM organizations
            WHERE environment_id = :environment_id
                AND id > :after
                AND (:name IS NULL OR instr(name_folded, :name) > 0)
            ORDER BY id LIMIT :limit",
        )?;
        let rows = statement.query_map(
            named_params! {
                ":environment_id": environment.to_string(),
                ":after": paging.after(),
                ":name": name,
                ":limit": i64::try_from(paging.wanted()).unwrap_or(i64::MAX),
            },
            |row| Ok(record(row)?.organization),
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every organization, in the order of ids.
    pub(crate) fn all_organizations(&self) -> Result<Vec<OrganizationRecord>, Error> {
        let mut statement = self.0.prepare("SELECT * FROM organizations ORDER BY id")?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn set_organization_metadata(
        &self,
        id: OrganizationId,
        public: &Metadata,
        private: &Metadata,
    ) -> Result<(), Error> {
        self.0
            .prepare_cached(
                "UPDATE organizations SET public_metadata = ?2, private_metadata = ?3 WHERE id = ?1",
            )?
            .execute(params![id.to_string(), compact(public), compact(private)])?;
        Ok(())
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<OrganizationRecord> {
    Ok(OrganizationRecord {
        environment_id: parsed(row, "environment_id")?,
        organization: Organization {
            id: parsed(row, "id")?,
            name: row.get("name")?,
            slug: row.get("slug")?,
            role_set_id: parsed_option(row, "role_set_id")?,
            public_metadata: json(row, "public_metadata")?,
            private_metadata: json(row, "private_metadata")?,
            created_at: instant(row, "created_at")?,
            extra: Metadata::new(),
        },
    })
}

//! The tables of organizations and memberships.

use rusqlite::{OptionalExtension as _, params};
use torii_backend_types::{EnvironmentId, Metadata, OrganizationId, UserId};

use super::{Tx, instant, parsed, written};
use crate::domain::{Member, Organization};
use crate::error::Error;

impl Tx<'_> {
    /// `false` if another organization of the environment has the slug.
    pub(crate) fn insert_organization(
        &self,
        environment: EnvironmentId,
        organization: &Organization,
    ) -> Result<bool, Error> {
        // The emulator binds no role sets, and only the backend API will write the bags.
        let Organization {
            id,
            name,
            slug,
            role_set_id: _,
            public_metadata: _,
            private_metadata: _,
            created_at,
        } = organization;
        written(self.0.execute(
            "INSERT INTO organizations (id, environment_id, name, slug, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                id.to_string(),
                environment.to_string(),
                name,
                slug,
                created_at.as_microsecond()
            ],
        ))
    }

    pub(crate) fn organization_environment(
        &self,
        id: OrganizationId,
    ) -> Result<Option<EnvironmentId>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT environment_id FROM organizations WHERE id = ?1")?
            .query_row([id.to_string()], |row| parsed(row, "environment_id"))
            .optional()?;
        Ok(found)
    }

    /// `false` if the user is a member already.
    pub(crate) fn insert_member(&self, member: &Member) -> Result<bool, Error> {
        let Member {
            organization_id,
            user_id,
            role,
            role_name,
            public_metadata: _,
            private_metadata: _,
            joined_at,
        } = member;
        written(self.0.execute(
            "INSERT INTO memberships (organization_id, user_id, role, role_name, joined_at)
            VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                organization_id.to_string(),
                user_id.to_string(),
                role,
                role_name,
                joined_at.as_microsecond()
            ],
        ))
    }

    pub(crate) fn member(&self, organization: OrganizationId, user: UserId) -> Result<Option<Member>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM memberships WHERE organization_id = ?1 AND user_id = ?2")?
            .query_row([organization.to_string(), user.to_string()], |row| {
                Ok(Member {
                    organization_id: organization,
                    user_id: user,
                    role: row.get("role")?,
                    role_name: row.get("role_name")?,
                    public_metadata: Metadata::new(),
                    private_metadata: Metadata::new(),
                    joined_at: instant(row, "joined_at")?,
                })
            })
            .optional()?;
        Ok(found)
    }

    pub(crate) fn remove_memberships(&self, user: UserId) -> Result<(), Error> {
        self.0
            .execute("DELETE FROM memberships WHERE user_id = ?1", [user.to_string()])?;
        Ok(())
    }
}

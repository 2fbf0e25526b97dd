//! The table of memberships.

use rusqlite::{OptionalExtension as _, Row, params};
use torii_backend_types::{Member, Membership, Metadata, OrganizationId, UserId};

use super::{Tx, instant, json, parsed, written};
use crate::error::Error;
use crate::page::Paging;
use crate::records::compact;

impl Tx<'_> {
    /// `false` if the user is a member already.
    pub(crate) fn insert_member(&self, member: &Member) -> Result<bool, Error> {
        let Member {
            organization_id,
            user_id,
            role,
            role_name,
            public_metadata,
            private_metadata,
            joined_at,
            extra: _,
        } = member;
        written(self.0.execute(
            "INSERT INTO memberships (
                organization_id, user_id, role, role_name, public_metadata, private_metadata, joined_at
            ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                organization_id.to_string(),
                user_id.to_string(),
                role,
                role_name,
                compact(public_metadata),
                compact(private_metadata),
                joined_at.as_microsecond()
            ],
        ))
    }

    pub(crate) fn member(&self, organization: OrganizationId, user: UserId) -> Result<Option<Member>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM memberships WHERE organization_id = ?1 AND user_id = ?2")?
            .query_row([organization.to_string(), user.to_string()], member)
            .optional()?;
        Ok(found)
    }

    /// The organization's members in the order of user ids.
    pub(crate) fn members(
        &self,
        organization: OrganizationId,
        paging: &Paging<UserId>,
    ) -> Result<Vec<Member>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM memberships WHERE organization_id = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3",
        )?;
        let limit = i64::try_from(paging.wanted()).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![organization.to_string(), paging.after(), limit], member)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The user's memberships in the order of organization ids.
    pub(crate) fn memberships(
        &self,
        user: UserId,
        paging: &Paging<OrganizationId>,
    ) -> Result<Vec<Membership>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT memberships.*, organizations.name, organizations.slug
            FROM memberships JOIN organizations ON organizations.id = memberships.organization_id
            WHERE memberships.user_id = ?1 AND memberships.organization_id > ?2
            ORDER BY memberships.organization_id LIMIT ?3",
        )?;
        let limit = i64::try_from(paging.wanted()).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![user.to_string(), paging.after(), limit], |row| {
            let Member {
                organization_id,
                user_id: _,
                role,
                role_name,
                public_metadata,
                private_metadata,
                joined_at,
                extra,
            } = member(row)?;
            Ok(Membership {
                organization_id,
                name: row.get("name")?,
                slug: row.get("slug")?,
                role,
                role_name,
                public_metadata,
                private_metadata,
                joined_at,
                extra,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every membership, in the order of organizations and users.
    pub(crate) fn all_members(&self) -> Result<Vec<Member>, Error> {
        let mut statement = self
            .0
            .prepare("SELECT * FROM memberships ORDER BY organization_id, user_id")?;
        let rows = statement.query_map([], member)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn set_member_metadata(&self, member: &Member) -> Result<(), Error> {
        self.0
            .prepare_cached(
                "UPDATE memberships SET public_metadata = ?3, private_metadata = ?4
                WHERE organization_id = ?1 AND user_id = ?2",
            )?
            .execute(params![
                member.organization_id.to_string(),
                member.user_id.to_string(),
                compact(&member.public_metadata),
                compact(&member.private_metadata)
            ])?;
        Ok(())
    }

    pub(crate) fn remove_memberships(&self, user: UserId) -> Result<(), Error> {
        self.0
            .execute("DELETE FROM memberships WHERE user_id = ?1", [user.to_string()])?;
        Ok(())
    }
}

fn member(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        organization_id: parsed(row, "organization_id")?,
        user_id: parsed(row, "user_id")?,
        role: row.get("role")?,
        role_name: row.get("role_name")?,
        public_metadata: json(row, "public_metadata")?,
        private_metadata: json(row, "private_metadata")?,
        joined_at: instant(row, "joined_at")?,
        extra: Metadata::new(),
    })
}

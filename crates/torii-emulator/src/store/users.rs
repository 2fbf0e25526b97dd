//! The table of users.

use rusqlite::{OptionalExtension as _, Row, named_params};
use serde_json::json;
use torii_backend_types::{EnvironmentId, Locale, Metadata, User, UserId, UserStatus};

use super::{Tx, instant, instant_option, json, parsed, written};
use crate::error::Error;
use crate::records::{NameFilter, UserQuery, UserRecord, compact, fold, full_name};

impl Tx<'_> {
    /// The user of any environment, deleted or not.
    pub(crate) fn user(&self, id: UserId) -> Result<Option<UserRecord>, Error> {
        let found = self
            .0
            .prepare_cached("SELECT * FROM users WHERE id = ?1")?
            .query_row([id.to_string()], record)
            .optional()?;
        Ok(found)
    }

    /// The user of the environment that has the address and is not deleted.
    pub(crate) fn user_by_email(
        &self,
        environment: EnvironmentId,
        email: &str,
    ) -> Result<Option<UserRecord>, Error> {
        let found = self
            .0
            .prepare_cached(
                "SELECT * FROM users WHERE environment_id = ?1 AND email_folded = ?2 AND status <> 'deleted'",
            )?
            .query_row([environment.to_string(), fold(email)], record)
            .optional()?;
        Ok(found)
    }

    /// Every user, in the order of ids.
    pub(crate) fn all_users(&self) -> Result<Vec<UserRecord>, Error> {
        let mut statement = self.0.prepare("SELECT * FROM users ORDER BY id")?;
        let rows = statement.query_map([], record)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// `false` if another user of the environment has the address.
    pub(crate) fn insert_user(&self, record: &UserRecord) -> Result<bool, Error> {
        written(self.put_user(
            "INSERT INTO users (
                id, environment_id, email, email_folded, email_verified_at, password_hash, first_name, last_name,
                name_folded, locale, status, created_at, updated_at, deleted_at, public_metadata,
                private_metadata, unsafe_metadata, legacy
            ) VALUES (
                :id, :environment_id, :email, :email_folded, :email_verified_at, :password_hash, :first_name,
                :last_name, :name_folded, :locale, :status, :created_at, :updated_at, :deleted_at,
                :public_metadata, :private_metadata, :unsafe_metadata, :legacy
            )",
            record,
        ))
    }

    pub(crate) fn update_user(&self, record: &UserRecord) -> Result<(), Error> {
        self.put_user(
            "UPDATE users SET
                environment_id = :environment_id, email = :email, email_folded = :email_folded,
                email_verified_at = :email_verified_at, password_hash = :password_hash,
                first_name = :first_name, last_name = :last_name, name_folded = :name_folded, locale = :locale,
                status = :status, created_at = :created_at, updated_at = :updated_at, deleted_at = :deleted_at,
                public_metadata = :public_metadata, private_metadata = :private_metadata,
                unsafe_metadata = :unsafe_metadata, legacy = :legacy
            WHERE id = :id",
            record,
        )?;
        Ok(())
    }

    /// Users of the environment in the order of ids.
    pub(crate) fn search_users(
        &self,
        environment: EnvironmentId,
        query: &UserQuery,
    ) -> Result<Vec<User>, Error> {
        let UserQuery {
            paging,
            name,
            user_ids,
            email_addresses,
            email,
            statuses,
            created,
            organization_id,
        } = query;
        let (name_part, name_missing) = match name {
            NameFilter::Any => (None, false),
            NameFilter::Missing => (None, true),
            NameFilter::Contains(part) => (Some(part), false),
        };
        let mut statement = self.0.prepare_cached(
            "SELECT * FROM users
            WHERE environment_id = :environment_id
                AND id > :after
                AND (:user_ids IS NULL OR id IN (SELECT value FROM json_each(:user_ids)))
                AND (:addresses IS NULL OR email_folded IN (SELECT value FROM json_each(:addresses)))
                AND (:email IS NULL OR instr(email_folded, :email) > 0)
                AND (:name IS NULL OR instr(name_folded, :name) > 0)
                AND (NOT :name_missing OR name_folded IS NULL)
                AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
                AND (:created_from IS NULL OR created_at >= :created_from)
                AND (:created_until IS NULL OR created_at <= :created_until)
                AND (:organization_id IS NULL OR EXISTS (
                    SELECT 1 FROM memberships
                    WHERE memberships.organization_id = :organization_id AND memberships.user_id = users.id
                ))
            ORDER BY id LIMIT :limit",
        )?;
        let rows = statement.query_map(
            named_params! {
                ":environment_id": environment.to_string(),
                ":after": paging.after(),
                ":user_ids": user_ids.as_ref().map(|ids| json!(ids).to_string()),
                ":addresses": email_addresses.as_ref().map(|addresses| json!(addresses).to_string()),
                ":email": email,
                ":name": name_part,
                ":name_missing": name_missing,
                ":statuses": statuses.as_ref().map(|statuses| json!(statuses).to_string()),
                ":created_from": created.from,
                ":created_until": created.until,
                ":organization_id": organization_id.map(|id| id.to_string()),
                ":limit": i64::try_from(paging.wanted()).unwrap_or(i64::MAX),
            },
            |row| Ok(record(row)?.user),
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn put_user(&self, sql: &str, record: &UserRecord) -> rusqlite::Result<usize> {
        let UserRecord {
            user,
            password_hash,
            legacy,
        } = record;
        let User {
            id,
            environment_id,
            name,
            first_name,
            last_name,
            locale,
            status,
            created_at,
            updated_at,
            email,
            email_verified_at,
            deleted_at,
            public_metadata,
            private_metadata,
            unsafe_metadata,
            extra: _,
        } = user;
        self.0.prepare_cached(sql)?.execute(named_params! {
            ":id": id.to_string(),
            ":environment_id": environment_id.to_string(),
            ":email": email,
            ":email_folded": email.as_deref().map(fold),
            ":email_verified_at": email_verified_at.map(|at| at.as_microsecond()),
            ":password_hash": password_hash,
            ":first_name": first_name,
            ":last_name": last_name,
            ":name_folded": name.as_deref().map(fold),
            ":locale": locale.as_ref().map(Locale::as_str),
            ":status": status.as_str(),
            ":created_at": created_at.as_microsecond(),
            ":updated_at": updated_at.as_microsecond(),
            ":deleted_at": deleted_at.map(|at| at.as_microsecond()),
            ":public_metadata": compact(public_metadata),
            ":private_metadata": compact(private_metadata),
            ":unsafe_metadata": compact(unsafe_metadata),
            ":legacy": json!(legacy).to_string(),
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<UserRecord> {
    let first_name: Option<String> = row.get("first_name")?;
    let last_name: Option<String> = row.get("last_name")?;
    let user = User {
        id: parsed(row, "id")?,
        environment_id: parsed(row, "environment_id")?,
        name: full_name(first_name.as_deref(), last_name.as_deref()),
        first_name,
        last_name,
        locale: row
            .get::<_, Option<String>>("locale")?
            .map(|text| Locale::from(text.as_str())),
        status: UserStatus::from(row.get_ref("status")?.as_str()?),
        created_at: instant(row, "created_at")?,
        updated_at: instant(row, "updated_at")?,
        email: row.get("email")?,
        email_verified_at: instant_option(row, "email_verified_at")?,
        deleted_at: instant_option(row, "deleted_at")?,
        public_metadata: json(row, "public_metadata")?,
        private_metadata: json(row, "private_metadata")?,
        unsafe_metadata: json(row, "unsafe_metadata")?,
        extra: Metadata::new(),
    };
    Ok(UserRecord {
        user,
        password_hash: row.get("password_hash")?,
        legacy: json(row, "legacy")?,
    })
}

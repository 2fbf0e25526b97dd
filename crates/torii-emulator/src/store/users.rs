//! The table of users.

use rusqlite::{OptionalExtension as _, Row, ToSql, named_params};
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
        let user_ids = user_ids.as_ref().map(|ids| json!(ids).to_string());
        let addresses = email_addresses
            .as_ref()
            .map(|addresses| json!(addresses).to_string());
        let statuses = statuses.as_ref().map(|statuses| json!(statuses).to_string());
        let organization = organization_id.map(|id| id.to_string());
        let (environment, after) = (environment.to_string(), paging.after());
        let limit = i64::try_from(paging.wanted()).unwrap_or(i64::MAX);

        // Only the filters that are used, and the index that suits them: without statistics, SQLite guesses wrong. The `+`
        // keeps it from reading the whole environment in the order of ids.
        let start = match (&addresses, user_ids.is_some() || organization.is_some()) {
            (Some(_), _) => {
                "users INDEXED BY users_by_any_email WHERE environment_id = :environment_id AND +id > :after"
            }
            (None, true) => "users WHERE +environment_id = :environment_id AND +id > :after",
            (None, false) => {
                "users INDEXED BY users_by_environment WHERE environment_id = :environment_id AND id > :after"
            }
        };
        let mut sql = format!("SELECT * FROM {start}");
        let filters: [(&str, &str, Option<&dyn ToSql>); 8] = [
            (
                ":user_ids",
                "id IN (SELECT value FROM json_each(:user_ids))",
                user_ids.as_ref().map(|value| value as _),
            ),
            (
                ":addresses",
                "email_folded IN (SELECT value FROM json_each(:addresses))",
                addresses.as_ref().map(|value| value as _),
            ),
            (
                ":email",
                "instr(email_folded, :email) > 0",
                email.as_ref().map(|value| value as _),
            ),
            (
                ":name",
                "instr(name_folded, :name) > 0",
                name_part.map(|value| value as _),
            ),
            (
                ":statuses",
                "status IN (SELECT value FROM json_each(:statuses))",
                statuses.as_ref().map(|value| value as _),
            ),
            (
                ":from",
                "created_at >= :from",
                created.from.as_ref().map(|value| value as _),
            ),
            (
                ":until",
                "created_at <= :until",
                created.until.as_ref().map(|value| value as _),
            ),
            (
                ":organization_id",
                "id IN (SELECT user_id FROM memberships WHERE organization_id = :organization_id)",
                organization.as_ref().map(|value| value as _),
            ),
        ];
        let mut values: Vec<(&str, &dyn ToSql)> = vec![
            (":environment_id", &environment),
            (":after", &after),
            (":limit", &limit),
        ];
        for (name, condition, value) in filters {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(condition);
                values.push((name, value));
            }
        }
        if name_missing {
            sql.push_str(" AND name_folded IS NULL");
        }
        sql.push_str(" ORDER BY id LIMIT :limit");
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(values.as_slice(), |row| Ok(record(row)?.user))?;
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

//! The schema, and how a database of an older version gets there.
//!
//! Times are microseconds since 1970; `_folded` columns are in the form that is compared.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::records::fold;

/// Marks a database as an emulator's (`PRAGMA application_id`): the letters `tori`.
pub(super) const APPLICATION_ID: i64 = 0x746f_7269;
/// The version of the schema (`PRAGMA user_version`) that the store reads and writes.
pub(super) const NEWEST: usize = STEPS.len();

type Step = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// Each takes a database of the version before it one further. Steps are added, never changed.
const STEPS: [Step; 3] = [users_and_sessions, whole_backend_api, client_api];

/// Brings a database from `version` to the newest one, or leaves it as it is.
pub(super) fn migrate(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = ON;")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(version) {
        step(&tx)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", i64::try_from(NEWEST).unwrap_or(i64::MAX))?;
    tx.commit()
}

fn users_and_sessions(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "CREATE TABLE environments (
            place INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE
        ) STRICT;

        CREATE TABLE users (
            id TEXT PRIMARY KEY,
            environment_id TEXT NOT NULL,
            email TEXT,
            email_folded TEXT,
            email_verified_at INTEGER,
            password_hash TEXT,
            first_name TEXT,
            last_name TEXT,
            name_folded TEXT,
            locale TEXT,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            deleted_at INTEGER,
            public_metadata TEXT NOT NULL,
            private_metadata TEXT NOT NULL,
            unsafe_metadata TEXT NOT NULL,
            legacy TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX users_by_environment ON users (environment_id, id);
        CREATE UNIQUE INDEX users_by_email ON users (environment_id, email_folded) WHERE status <> 'deleted';

        CREATE TABLE organizations (
            id TEXT PRIMARY KEY,
            environment_id TEXT NOT NULL,
            name TEXT NOT NULL,
            slug TEXT,
            created_at INTEGER NOT NULL,
            UNIQUE (environment_id, slug)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE memberships (
            organization_id TEXT NOT NULL REFERENCES organizations (id),
            user_id TEXT NOT NULL REFERENCES users (id),
            role TEXT NOT NULL,
            role_name TEXT,
            joined_at INTEGER NOT NULL,
            PRIMARY KEY (organization_id, user_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX memberships_by_user ON memberships (user_id);

        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            user_id TEXT NOT NULL REFERENCES users (id),
            environment_id TEXT NOT NULL,
            user_agent TEXT,
            ip_address TEXT,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            last_used_at INTEGER NOT NULL,
            active_organization_id TEXT,
            revoked_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_by_user ON sessions (user_id);",
    )
}

fn whole_backend_api(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "ALTER TABLE environments ADD COLUMN allowed_origins TEXT NOT NULL DEFAULT '[]';

        ALTER TABLE organizations ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
        ALTER TABLE organizations ADD COLUMN role_set_id TEXT;
        ALTER TABLE organizations ADD COLUMN public_metadata TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE organizations ADD COLUMN private_metadata TEXT NOT NULL DEFAULT '{}';

        ALTER TABLE memberships ADD COLUMN public_metadata TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE memberships ADD COLUMN private_metadata TEXT NOT NULL DEFAULT '{}';

        ALTER TABLE sessions ADD COLUMN impersonated_by TEXT;

        CREATE TABLE invitations (
            id TEXT PRIMARY KEY,
            environment_id TEXT NOT NULL,
            email TEXT NOT NULL,
            email_folded TEXT NOT NULL,
            redirect_url TEXT,
            token_hash TEXT NOT NULL,
            lifetime_days INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            accepted_at INTEGER,
            revoked_at INTEGER,
            public_metadata TEXT NOT NULL,
            private_metadata TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX invitations_by_environment ON invitations (environment_id, id);
        CREATE INDEX invitations_by_age ON invitations (environment_id, created_at);
        CREATE UNIQUE INDEX invitations_by_token ON invitations (token_hash);

        CREATE TABLE impersonation_tokens (
            token_hash TEXT PRIMARY KEY,
            environment_id TEXT NOT NULL,
            user_id TEXT NOT NULL REFERENCES users (id),
            actor_user_id TEXT NOT NULL REFERENCES users (id),
            reason TEXT NOT NULL,
            landing_url TEXT,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX impersonation_tokens_by_age ON impersonation_tokens (environment_id, created_at);

        CREATE TABLE settings (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            value TEXT NOT NULL
        ) STRICT;",
    )?;
    let mut names = tx.prepare("SELECT id, name FROM organizations")?;
    let names: Vec<(String, String)> = names
        .query_map([], |row| Ok((row.get("id")?, row.get("name")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, name) in names {
        tx.execute(
            "UPDATE organizations SET name_folded = ?2 WHERE id = ?1",
            (id, fold(&name)),
        )?;
    }
    Ok(())
}

fn client_api(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(
        "ALTER TABLE sessions ADD COLUMN token_hash TEXT;
        CREATE UNIQUE INDEX sessions_by_token ON sessions (token_hash) WHERE token_hash IS NOT NULL;

        ALTER TABLE impersonation_tokens ADD COLUMN redeemed_at INTEGER;

        CREATE TABLE codes (
            purpose TEXT NOT NULL,
            environment_id TEXT NOT NULL,
            subject TEXT NOT NULL,
            code_hash TEXT NOT NULL,
            tries_left INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            details TEXT NOT NULL,
            PRIMARY KEY (purpose, environment_id, subject)
        ) STRICT, WITHOUT ROWID;",
    )
}

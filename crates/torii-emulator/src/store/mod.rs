//! The store: SQLite, and the only SQL of the crate.
//!
//! One connection, used by one piece of work at a time and off the async threads. A piece of work is a closure over
//! a [`Tx`]; what it returns as an error is rolled back. What it has acknowledged survives the process.

mod codes;
mod environments;
mod impersonation;
mod invitations;
mod memberships;
mod migrations;
mod open;
mod organizations;
mod sessions;
mod users;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row, TransactionBehavior};
use tokio::sync::Mutex;
use torii_backend_types::Timestamp;

use crate::clock::from_micros;
use crate::error::{Error, StartError};

/// How long work waits for its turn, and then for another program's lock on the file.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Where the emulator keeps its users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// In memory, gone with the emulator. The default.
    #[default]
    Memory,
    /// In this SQLite file, which is created if there is none; its folder is not. The signing keys lie beside it
    /// in `<file>.keys`, and `<file>.lock` keeps a second emulator away.
    File(PathBuf),
}

pub(crate) struct Store {
    /// `None` once it is closed.
    open: Arc<Mutex<Option<Open>>>,
}

struct Open {
    connection: Connection,
    /// Holds the file's lock. Declared after the connection, and so released after it.
    _lock: Option<File>,
}

/// The store inside one transaction. Its methods are in a file for each table.
pub(crate) struct Tx<'c>(rusqlite::Transaction<'c>);

impl Store {
    pub(crate) fn in_memory() -> Result<Self, StartError> {
        open::in_memory().map(Self::new)
    }

    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        open::file(path).map(Self::new)
    }

    fn new(open: Open) -> Self {
        Self {
            open: Arc::new(Mutex::new(Some(open))),
        }
    }

    /// Runs `work`, which only reads, against one consistent state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.run(TransactionBehavior::Deferred, work, |read| read).await
    }

    /// Runs `work` and keeps all that it wrote, or nothing if it fails.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_then(work, |written| written).await
    }

    /// As [`write`](Self::write), and then does what must not happen before the work is kept, nor be left out after
    /// it: `then` runs even if the caller has gone away, and before the next piece of work.
    pub(crate) async fn write_then<T, U: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> Result<U, Error> {
        self.run(TransactionBehavior::Immediate, work, then).await
    }

    /// Moves everything into the main file and lets go of it. Later work is refused.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        let mut turn = Arc::clone(&self.open).lock_owned().await;
        let closing = tokio::task::spawn_blocking(move || match turn.take() {
            Some(Open { connection, _lock }) => {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
                connection.close().map_err(|(_, error)| Error::from(error))
            }
            None => Ok(()),
        });
        closing.await.map_err(Error::internal)?
    }

    /// Lets go of the file now, unless a piece of work is still using it: then its end does.
    pub(crate) fn close_unless_busy(&self) {
        if let Ok(mut open) = self.open.try_lock() {
            // SQLite moves the write-ahead log into the main file when the last connection goes.
            drop(open.take());
        }
    }

    async fn run<T, U: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> Result<U, Error> {
        let turn = Arc::clone(&self.open).lock_owned();
        let mut turn = tokio::time::timeout(BUSY_WAIT, turn).await.map_err(|_| busy())?;
        let running = tokio::task::spawn_blocking(move || {
            let open = turn
                .as_mut()
                .ok_or_else(|| Error::unavailable("the local torii is stopping"))?;
            let tx = Tx(open.connection.transaction_with_behavior(behavior)?);
            let done = work(&tx)?;
            tx.0.commit()?;
            Ok(then(done))
        });
        running.await.map_err(Error::internal)?
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(),
            _ => Self::internal(error),
        }
    }
}

/// The path of a file that lies beside the database.
pub(crate) fn beside(database: &Path, extension: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

fn busy() -> Error {
    Error::unavailable("the database is locked by another program; try again")
}

/// Whether a row was written: `false` where a UNIQUE constraint did not allow it.
fn written(result: rusqlite::Result<usize>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if matches!(
                failure.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?.parse().map_err(unreadable)
}

fn parsed_option<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(unreadable)).transpose()
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(unreadable)
}

fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(from_micros)
}

fn instant_option(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(from_micros))
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

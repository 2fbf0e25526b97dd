//! Opening a database: nothing is written to a file before it is known to be ours and whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::migrations::{self, APPLICATION_ID, migrate};
use super::{BUSY_WAIT, Open, beside};
use crate::error::StartError;

pub(super) fn in_memory() -> Result<Open, StartError> {
    let path = Path::new(":memory:");
    let mut connection = Connection::open_in_memory().map_err(|error| refused(path, error))?;
    migrate(&mut connection, 0).map_err(|error| refused(path, error))?;
    Ok(Open {
        connection,
        _lock: None,
    })
}

pub(super) fn file(path: &Path) -> Result<Open, StartError> {
    let lock = lock(path)?;
    create_private(path)?;
    let (mut connection, version) = inspect(path)?;
    prepare(&mut connection, version).map_err(|error| refused(path, error))?;
    Ok(Open {
        connection,
        _lock: Some(lock),
    })
}

fn lock(path: &Path) -> Result<File, StartError> {
    let unusable = |source| StartError::File {
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(beside(path, ".lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Makes a missing database as an empty file of the owner's: it will hold hashes of passwords.
fn create_private(path: &Path) -> Result<(), StartError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(StartError::File {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Opens the file and returns its schema version; 0 is an empty file.
fn inspect(path: &Path) -> Result<(Connection, usize), StartError> {
    let unusable = |reason: String| StartError::Unusable {
        path: path.to_owned(),
        reason,
    };
    // Without `SQLITE_OPEN_URI`: a path is a path, whatever it begins with.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(path, error))?;
    connection
        .busy_timeout(BUSY_WAIT)
        .map_err(|error| refused(path, error))?;
    if connection
        .is_readonly(MAIN_DB)
        .map_err(|error| refused(path, error))?
    {
        return Err(StartError::ReadOnly {
            path: path.to_owned(),
        });
    }
    let number = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(|error| refused(path, error))
    };
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")?;
    match number("PRAGMA application_id")? {
        APPLICATION_ID => {}
        0 if tables == 0 && version == 0 => return Ok((connection, 0)),
        _ => return Err(unusable("it belongs to another program".to_owned())),
    }
    let known = migrations::NEWEST;
    let version = match usize::try_from(version) {
        Ok(version) if version <= known => version,
        _ => {
            return Err(StartError::NewerSchema {
                path: path.to_owned(),
                found: version,
                known: i64::try_from(known).unwrap_or(i64::MAX),
            });
        }
    };
    let report: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| refused(path, error))?;
    if report != "ok" {
        return Err(unusable(format!("it is damaged: {}", report.replace('\n', " "))));
    }
    Ok((connection, version))
}

fn prepare(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // With a write-ahead log this loses nothing when the process dies, only when the machine does.
    connection.execute_batch("PRAGMA synchronous = NORMAL;")?;
    migrate(connection, version)
}

fn refused(path: &Path, error: rusqlite::Error) -> StartError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StartError::Unusable {
            path,
            reason: error.to_string(),
        },
        Some(ErrorCode::ReadOnly) => StartError::ReadOnly { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StartError::InUse { path },
        _ => StartError::File {
            path,
            source: io::Error::other(error),
        },
    }
}

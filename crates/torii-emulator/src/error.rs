//! What can go wrong: at the start ([`StartError`]), and afterwards ([`Error`]).

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// When to try again what the emulator could not do just now.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(1);

/// Why an operation was refused, by the backend API and by [`Control`](crate::Control) alike.
///
/// The HTTP side renders it as a problem document; `Display` shows the detail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    kind: ErrorKind,
    code: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    /// One more member of the problem document.
    member: Option<(&'static str, String)>,
}

/// The kinds of refusal. Each is one HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request is not well formed.
    Invalid,
    /// 401: no secret key, or not one of ours.
    Unauthenticated,
    /// 402: the plan does not include it, or its quota is used up.
    PaymentRequired,
    /// 403: known, but not for this caller.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 408: the body did not arrive in time.
    Timeout,
    /// 409: the state does not allow it.
    Conflict,
    /// 413: the body is too long.
    TooLarge,
    /// 415: the body is not JSON.
    UnsupportedMediaType,
    /// 429: a rate limit is used up.
    RateLimited,
    /// 500: the emulator failed, through its disk or a defect.
    Internal,
    /// 503: the database is locked by another program, or the emulator is stopping.
    Unavailable,
}

impl Error {
    /// What kind of refusal it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code, as the problem document carries it.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What went wrong this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// How long to wait before the next try, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn new(kind: ErrorKind, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            retry_after: None,
            member: None,
        }
    }

    pub(crate) fn retry(self, after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..self
        }
    }

    /// Adds a member to the problem document.
    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self {
            member: Some((name, value.into())),
            ..self
        }
    }

    pub(crate) fn member(&self) -> Option<(&'static str, &str)> {
        self.member.as_ref().map(|(name, value)| (*name, value.as_str()))
    }

    /// A request that is not well formed in a way that has no code of its own.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, "invalid_request", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Forbidden, "forbidden", detail)
    }

    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, "not_found", detail)
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Conflict, code, detail)
    }

    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unavailable, "unavailable", detail).retry(UNAVAILABLE_RETRY)
    }

    /// A failure of ours. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "the emulator failed");
        Self::new(
            ErrorKind::Internal,
            "internal_error",
            "the local torii failed; its log says why",
        )
    }
}

/// Why the emulator did not start. `Display` is one line that says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A live key was configured.
    #[error("a live secret key (sk_live_…) was given: the local torii takes only test keys (sk_test_…)")]
    LiveSecretKey,
    /// A key that is not a test key, or none, or the same one twice.
    #[error("a secret key is not usable: {0}")]
    SecretKey(&'static str),
    /// A host that is more or less than a name or an address.
    #[error("the host `{host}` is not usable: give a name or an address, without scheme and port")]
    Host {
        /// The host that was given.
        host: String,
    },
    /// An issuer that is not the origin of a server.
    #[error("the issuer `{issuer}` is not usable: give `http://host:port` or `https://host`, without a path")]
    Issuer {
        /// The issuer that was given.
        issuer: String,
    },
    /// A control token that is too short, or cannot be sent in a header.
    #[error("the control token is not usable: it must have {least} characters or more, all visible ASCII")]
    ControlToken {
        /// The fewest characters.
        least: usize,
    },
    /// The address is in use, or is not one of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file or its folder cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another emulator has the database open.
    #[error("{} is in use by another emulator", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The database may only be read.
    #[error("{} is read-only; the local torii has to write to it", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The file is something else, or damaged. It was not touched.
    #[error("{} is not usable ({reason}); it was left as it is", path.display())]
    Unusable {
        /// The database or its key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer emulator wrote the database. It was not touched.
    #[error(
        "{} was written by a newer version (schema {found}, this one knows {known}); it was left as it is",
        path.display()
    )]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// The schema version in the file.
        found: i64,
        /// The newest schema version that this emulator knows.
        known: i64,
    },
    /// The system gave no randomness for a signing key, or refused something as basic.
    #[error("cannot prepare the emulator: {0}")]
    Internal(String),
}

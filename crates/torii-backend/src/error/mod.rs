//! Why a call of the backend API brought no result.

mod reply;
mod transport;

use std::time::Duration;

use http::StatusCode;
use torii_backend_types::InvalidId;

pub use self::reply::{ApiError, DecodeError};
pub use self::transport::TransportError;
use crate::config::ConfigError;
use crate::http_client::HttpErrorKind;
use crate::operation::Operation;

/// Why a call of the backend API brought no result. The variants are grouped by who must act.
///
/// `Display` says what happened, and [`source`](std::error::Error::source) is what it was caused by; neither repeats the other.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be used; nothing was sent.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An argument is not an identifier; nothing was sent.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The request cannot be written down; nothing was sent.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// torii said no.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// torii could not be reached, did not answer in time, or the application interrupted the call.
    #[error(transparent)]
    Transport(TransportError),
    /// The operation may have been carried out, and repeating it blindly could do harm.
    #[error(transparent)]
    OutcomeUnknown(Box<OutcomeUnknown>),
    /// Pagination failed: the pages of a list contradict each other.
    #[error(transparent)]
    Paging(PagingError),
    /// torii said yes, but the reply cannot be read. The operation has been carried out.
    #[error(transparent)]
    Decode(DecodeError),
}

impl Error {
    /// The reply's status, if there was a reply.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::Decode(error) => Some(error.status),
            Self::OutcomeUnknown(error) => error.source.status(),
            _ => None,
        }
    }

    /// torii's stable code for the problem, such as `invitation_not_pending`.
    pub fn code(&self) -> Option<&str> {
        self.as_api()?.code()
    }

    /// How long torii asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.as_api()?.retry_after()
    }

    /// What the reply calls the request (`X-Request-Id`), if there was a reply and it does.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => error.request_id(),
            Self::Decode(error) => error.request_id.as_deref(),
            Self::OutcomeUnknown(error) => error.source.request_id(),
            _ => None,
        }
    }

    /// Why there was no reply, if there was none.
    pub fn http_error_kind(&self) -> Option<HttpErrorKind> {
        match self {
            Self::Transport(error) => Some(error.kind()),
            Self::OutcomeUnknown(error) => error.source.http_error_kind(),
            _ => None,
        }
    }

    /// Whether torii refused with 404: what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(error) if error.status == StatusCode::NOT_FOUND)
    }

    /// Whether torii refused with 409: something else has what was to be created, or has changed meanwhile.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(error) if error.status == StatusCode::CONFLICT)
    }

    /// Whether the same call can be made again without harm, and may then succeed: after 408, 425, 429 or a server error,
    /// and where no reply came. Never after [`OutcomeUnknown`](Self::OutcomeUnknown).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Api(error) => match error.status {
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => true,
                StatusCode::NOT_IMPLEMENTED => false,
                status => status.is_server_error(),
            },
            Self::Transport(error) => matches!(
                error.kind(),
                HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Broken
            ),
            _ => false,
        }
    }

    /// torii's refusal, if it is one.
    pub fn as_api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::OutcomeUnknown(error) => error.source.as_api(),
            _ => None,
        }
    }
}

/// An operation that was sent and may have been carried out: its answer was lost, or was a server's failure.
///
/// It was not repeated: a second deletion answers differently, and a second creation would create twice.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: it is not known whether this was done; {}", .operation.name, .operation.retry.hint())]
pub struct OutcomeUnknown {
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) source: Error,
}

impl OutcomeUnknown {
    /// The operation that was called, such as `users.create`.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }

    /// The method and the path template of the operation: `POST /users`.
    pub fn endpoint(&self) -> String {
        self.operation.endpoint()
    }

    /// How many attempts were made; those before the last did not reach torii.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// From the start of the call until the answer was known to be lost.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// How to find out what happened.
    pub fn hint(&self) -> &'static str {
        self.operation.retry.hint()
    }
}

/// Why pagination failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagingError {
    /// torii returned the same cursor twice.
    #[error("pagination failed: torii returned the same cursor twice")]
    RepeatedCursor,
    /// A page says that there are more, and has no cursor.
    #[error("pagination failed: a page says that there are more, and has no cursor")]
    MissingCursor,
}

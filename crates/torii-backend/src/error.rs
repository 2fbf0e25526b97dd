//! Why a call of the backend API brought no result.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use torii_backend_types::{InvalidId, Problem};

use crate::config::ConfigError;
use crate::http_client::HttpError;
use crate::operation::Operation;

/// Why a call of the backend API brought no result. The variants are grouped by who must act.
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
    /// A list cannot be walked on: its pages contradict themselves.
    #[error("{0}")]
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

    /// torii's refusal, if it is one.
    pub fn as_api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::OutcomeUnknown(error) => error.source.as_api(),
            _ => None,
        }
    }
}

/// A refusal: any reply that is not 2xx, redirects included, which are never followed.
#[derive(Clone)]
pub struct ApiError {
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    pub(crate) status: StatusCode,
    pub(crate) problem: Option<Problem>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

impl ApiError {
    /// The status of the reply; it counts where the problem document says otherwise.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// torii's stable code for the problem, such as `invitation_not_pending`.
    pub fn code(&self) -> Option<&str> {
        self.problem.as_ref()?.code.as_deref()
    }

    /// What to quote to torii's support.
    pub fn support_id(&self) -> Option<&str> {
        self.problem.as_ref()?.support_id.as_deref()
    }

    /// The problem document, if the body was one.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// How long torii asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The operation that was called, such as `users.update`.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }

    /// The method and the path template of the operation: `PATCH /users/{userId}`.
    pub fn endpoint(&self) -> String {
        endpoint(self.operation)
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The body as text. Where it repeats the secret key, `***` stands instead.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation.name, self.status.as_u16())?;
        if let Some(code) = self.code() {
            write!(f, " {}", code.escape_debug())?;
        }
        let said = self
            .problem
            .as_ref()
            .and_then(|problem| problem.detail.as_ref().or(problem.title.as_ref()));
        match said {
            // Escaped: what a server sends must not steer a terminal or a log.
            Some(said) => write!(f, ": {}", said.escape_debug())?,
            None if self.status.is_redirection() => f.write_str(": redirects are not followed")?,
            None => {}
        }
        match self.support_id() {
            Some(id) => write!(f, " (support id {})", id.escape_debug()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("operation", &self.operation.name)
            .field("status", &self.status)
            .field("problem", &self.problem)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl StdError for ApiError {}

/// A call that brought no reply.
#[derive(Clone, Debug)]
pub struct TransportError {
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    pub(crate) may_have_been_sent: bool,
    pub(crate) source: HttpError,
}

impl TransportError {
    /// Whether torii may have seen the request in any attempt, and so may have carried it out.
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    /// The operation that was called, such as `users.update`.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }
}

impl TransportError {
    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The method and the path template of the operation: `PATCH /users/{userId}`.
    pub fn endpoint(&self) -> String {
        endpoint(self.operation)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.operation.name,
            endpoint(self.operation),
            self.source
        )
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// An operation that was sent and may have been carried out: its answer was lost, or was a server's failure.
///
/// It was not repeated: a second deletion answers differently, and a second creation would create twice.
#[derive(Clone, Debug)]
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
        endpoint(self.operation)
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

impl fmt::Display for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: it is not known whether this was done; {} ({})",
            self.operation.name,
            self.hint(),
            self.source
        )
    }
}

impl StdError for OutcomeUnknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// Why a list cannot be walked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PagingError {
    /// A page points at one that has been visited.
    RepeatedCursor,
    /// A page says that there are more, and not where.
    MissingCursor,
}

impl fmt::Display for PagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RepeatedCursor => "the list cannot be walked on: a page points back at an earlier one",
            Self::MissingCursor => {
                "the list cannot be walked on: a page says that there are more, and not where"
            }
        })
    }
}

/// A successful reply that cannot be read. `Debug` does not show the excerpt, which may hold what was asked for.
#[derive(Clone)]
pub struct DecodeError {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) excerpt: String,
    pub(crate) source: Arc<serde_json::Error>,
}

impl DecodeError {
    /// The reply's status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The first 256 characters of the body at most.
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("operation", &self.operation.name)
            .field("status", &self.status)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, status) = (self.operation.name, self.status.as_u16());
        write!(f, "{name}: the reply ({status}) cannot be read: {}", self.source)
    }
}

impl StdError for DecodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

fn endpoint(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.template)
}

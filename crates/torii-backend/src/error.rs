//! Why a call of the backend API brought no result.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use torii_backend_types::{InvalidId, Problem};

use crate::config::ConfigError;
use crate::http_client::{HttpError, HttpErrorKind};
use crate::operation::Operation;

/// Why a call of the backend API brought no result. The variants are grouped by who must act.
///
/// `Display` says what happened, and [`source`](StdError::source) is what it was caused by; neither repeats the other.
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

/// A refusal: any reply that is not 2xx, redirects included, which are never followed.
#[derive(Clone)]
pub struct ApiError {
    pub(crate) operation: &'static Operation,
    pub(crate) attempts: u32,
    pub(crate) status: StatusCode,
    pub(crate) problem: Option<Problem>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) request_id: Option<String>,
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

    /// What the reply calls the request (`X-Request-Id`), if it does.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
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

    /// Why there was no reply.
    pub fn kind(&self) -> HttpErrorKind {
        self.source.kind()
    }

    /// The operation that was called, such as `users.update`.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }

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
        self.source.source()
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
            "{}: it is not known whether this was done; {}",
            self.operation.name,
            self.hint()
        )
    }
}

impl StdError for OutcomeUnknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// Why pagination failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PagingError {
    /// torii returned the same cursor twice.
    RepeatedCursor,
    /// A page says that there are more, and has no cursor.
    MissingCursor,
}

impl fmt::Display for PagingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RepeatedCursor => "pagination failed: torii returned the same cursor twice",
            Self::MissingCursor => "pagination failed: a page says that there are more, and has no cursor",
        })
    }
}

/// A successful reply that cannot be read. Neither `Display` nor `Debug` shows a value of the reply.
#[derive(Clone)]
pub struct DecodeError {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) excerpt: String,
    pub(crate) problem: Arc<serde_json::Error>,
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

    /// What is wrong, and where. Of the parser's text, only what cannot hold a value of the reply is kept.
    fn problem(&self) -> String {
        let (line, column) = (self.problem.line(), self.problem.column());
        let at = format!("at line {line}, column {column}");
        if !self.problem.is_data() {
            return format!("not a JSON document, {at}");
        }
        let text = self.problem.to_string();
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("expected {expected} {at}"),
            None if text.starts_with("missing field `") => format!("{text} {at}"),
            None => format!("a value is not what it should be, {at}"),
        }
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("operation", &self.operation.name)
            .field("status", &self.status)
            .field("problem", &self.problem())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, status) = (self.operation.name, self.status.as_u16());
        write!(
            f,
            "{name}: the reply ({status}) cannot be read: {}",
            self.problem()
        )
    }
}

impl StdError for DecodeError {}

/// An error and what caused it, as a log should show them.
pub(crate) struct Chain<'e>(pub(crate) &'e dyn StdError);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        std::iter::successors(self.0.source(), |&error| error.source())
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

fn endpoint(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.template)
}

//! Replies that say no, and replies that cannot be read.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use torii_backend_types::Problem;

use crate::operation::Operation;

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
        self.operation.endpoint()
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

/// A successful reply that cannot be read. Neither `Display` nor `Debug` shows a value of the reply.
#[derive(Clone, thiserror::Error)]
#[error("{}: the reply ({}) cannot be read: {}", .operation.name, .status.as_u16(), self.problem())]
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
            // What serde itself says: the value stands before the comma.
            Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected} {at}"),
            _ if text.starts_with("missing field `") => format!("{text} {at}"),
            _ => format!("a value is not what it should be, {at}"),
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

//! No reply.

use std::error::Error as StdError;
use std::fmt;

use crate::http_client::{HttpError, HttpErrorKind};
use crate::operation::Operation;

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
        self.operation.endpoint()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {}",
            self.operation.name,
            self.operation.endpoint(),
            self.source
        )
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.source()
    }
}

//! What the client of a request that is not let in gets.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use torii_backend::{AccessError, Denied, Refusal, VerifyError};

/// Why a request is not let in. As a response it is 401, 403, 503 or 500, see [`Refusal`].
///
/// Its text is for logs. The response does not repeat it.
#[derive(Clone)]
pub struct AuthError(Box<Refused>);

#[derive(Clone)]
struct Refused {
    cause: AccessError,
    /// Made once, because making it writes to the log.
    answer: Refusal,
}

impl AuthError {
    /// The cause, for logs and metrics.
    pub fn cause(&self) -> &AccessError {
        &self.0.cause
    }
}

impl From<AccessError> for AuthError {
    fn from(cause: AccessError) -> Self {
        let answer = Refusal::new(&cause);
        Self(Box::new(Refused { cause, answer }))
    }
}

impl From<VerifyError> for AuthError {
    fn from(cause: VerifyError) -> Self {
        AccessError::from(cause).into()
    }
}

impl From<Denied> for AuthError {
    fn from(cause: Denied) -> Self {
        AccessError::from(cause).into()
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        // actix-web's types are those of another version of the crate `http` than the core's.
        let status = self.0.answer.status().as_u16();
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.0.answer.headers() {
            response.insert_header((name.as_str(), value.as_bytes()));
        }
        response.body(self.0.answer.body())
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.cause.fmt(f)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthError").field(&self.0.cause).finish()
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.source()
    }
}

//! Refusals as problem documents: the only place that knows their statuses and their shape.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use crate::error::{Error, ErrorKind};

/// The media type of pages for people.
pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub(super) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a request asked for: the origin that it came to, and the path.
#[derive(Clone, Copy)]
pub(super) struct Target<'t> {
    pub(super) origin: &'t str,
    pub(super) path: &'t str,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        refusal(self)
    }
}

/// A refusal on its way to [`complete`], which gives it a body.
pub(super) fn refusal(error: Error) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status(error.kind());
    response.extensions_mut().insert(error);
    response
}

/// Renders the refusal that `response` carries. Every other reply passes, but for an error that a library made up:
/// it becomes a problem too.
pub(super) fn complete(mut response: Response<Body>, target: Target<'_>) -> Response<Body> {
    let error = match response.extensions_mut().remove::<Error>() {
        Some(error) => error,
        None if is_foreign_error(&response) => Error::new(
            ErrorKind::Invalid,
            "invalid_request",
            "the request cannot be read",
        ),
        None => return response,
    };
    let status = response.status();
    let mut members = members(status, error.code(), error.detail(), target);
    if let Some((name, value)) = error.member() {
        members.insert(name.to_owned(), value.into());
    }
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    if error.kind() == ErrorKind::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    *response.body_mut() = Body::from(Value::Object(members).to_string());
    response
}

/// A problem of any status, as a fault makes one up.
pub(super) fn document(status: StatusCode, code: &str, detail: &str, target: Target<'_>) -> String {
    Value::Object(members(status, code, detail, target)).to_string()
}

impl Target<'_> {
    /// The description wants a whole URI. What is no path, as in `OPTIONS *`, is left out.
    fn instance(&self) -> String {
        let address = Url::parse(self.origin).and_then(|origin| origin.join(self.path));
        address.map_or_else(|_| self.origin.to_owned(), String::from)
    }
}

fn members(status: StatusCode, code: &str, detail: &str, target: Target<'_>) -> Map<String, Value> {
    let support_id = Uuid::now_v7().to_string();
    tracing::debug!(%status, code, support_id, "refused");
    let title = status.canonical_reason().unwrap_or("Error");
    Map::from_iter(
        [
            ("type", json!("about:blank")),
            ("title", json!(title)),
            ("status", json!(status.as_u16())),
            ("detail", json!(detail)),
            ("instance", json!(target.instance())),
            ("code", json!(code)),
            ("supportId", json!(support_id)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

pub(super) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// An error reply that is not ours: axum's own refusals are plain text, our pages are not.
fn is_foreign_error(response: &Response<Body>) -> bool {
    let status = response.status();
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == HTML);
    !is_page && (status.is_client_error() || status.is_server_error())
}

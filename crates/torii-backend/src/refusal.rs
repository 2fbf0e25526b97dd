//! What the client of a protected route is told when its request is not let in: one table for all web adapters.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::chain::Chain;
use crate::guard::Denied;
use crate::verify::{ErrorCode, VerifyError};

/// Why a request to a protected route is not let in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// There is no verified caller.
    #[error(transparent)]
    Unverified(#[from] VerifyError),
    /// There is one, and a guard does not let it in.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The server is put together wrongly, such as a route without its layer. The text says how.
    #[error("config_error: {0}")]
    Misconfigured(Cow<'static, str>),
}

/// The answer to a request that is not let in.
///
/// | what came | status | code | `WWW-Authenticate` | WebSocket | gRPC |
/// |---|---|---|---|---|---|
/// | no credentials, or not `Bearer` and a token | 401 | `authentication_failed` | `Bearer` | 1008 | 16 |
/// | an expired token | 401 | `expired` | `Bearer error="invalid_token"` | 1008 | 16 |
/// | any other refused token | 401 | `authentication_failed` | `Bearer error="invalid_token"` | 1008 | 16 |
/// | a token that a guard does not let in | 403 | `permission_denied` | `Bearer error="insufficient_scope"` and the guard's name | 1008 | 7 |
/// | a token, and the keys cannot be had | 503, `Retry-After` | `keys_unavailable` | | 1013 | 14 |
/// | a mistake in the server's configuration | 500 | `configuration_error` | | 1011 | 13 |
///
/// The body is JSON with `code`, `message` and, for 403, `guard`. A client learns that its token has expired, so that it can
/// get a new one; any other reason is for the log alone. Every answer has `Cache-Control: no-store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    guard: Option<Cow<'static, str>>,
    challenge: Option<HeaderValue>,
    retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unauthenticated,
    Expired,
    Denied,
    KeysUnavailable,
    Misconfigured,
}

#[derive(Serialize)]
struct Body<'b> {
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<&'b str>,
}

impl Refusal {
    /// The answer for a cause, which goes to [`tracing`]: at `error` for a mistake in the configuration, else at `debug`.
    pub fn new(error: &AccessError) -> Self {
        let (kind, guard, challenge, retry_after) = match error {
            AccessError::Unverified(error) => (
                match error {
                    VerifyError::Token(_) if error.code() == ErrorCode::Expired => Kind::Expired,
                    VerifyError::Token(_) => Kind::Unauthenticated,
                    VerifyError::KeysUnavailable(_) => Kind::KeysUnavailable,
                    VerifyError::Config(_) => Kind::Misconfigured,
                },
                None,
                error.www_authenticate(),
                error.retry_after(),
            ),
            AccessError::Denied(Denied::Guard(name)) => {
                (Kind::Denied, Some(name.clone()), Some(insufficient(name)), None)
            }
            AccessError::Denied(Denied::NoPathParameter(_)) | AccessError::Misconfigured(_) => {
                (Kind::Misconfigured, None, None, None)
            }
        };
        match (kind, error) {
            (Kind::Misconfigured, _) => {
                tracing::error!(%error, "request refused: the configuration is wrong")
            }
            (_, AccessError::Unverified(VerifyError::KeysUnavailable(keys))) => {
                let cause = Chain(keys.fetch_error());
                tracing::debug!(%error, %cause, "request refused");
            }
            _ => tracing::debug!(%error, "request refused"),
        }
        Self {
            kind,
            guard,
            challenge,
            retry_after,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Unauthenticated | Kind::Expired => StatusCode::UNAUTHORIZED,
            Kind::Denied => StatusCode::FORBIDDEN,
            Kind::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable name of the answer, which is also the body's `code`.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::Unauthenticated => "authentication_failed",
            Kind::Expired => "expired",
            Kind::Denied => "permission_denied",
            Kind::KeysUnavailable => "keys_unavailable",
            Kind::Misconfigured => "configuration_error",
        }
    }

    /// The text for the client, one for each status.
    pub fn message(&self) -> &'static str {
        match self.kind {
            Kind::Unauthenticated | Kind::Expired => "Authentication failed.",
            Kind::Denied => "Permission denied.",
            Kind::KeysUnavailable => "Authentication is temporarily unavailable.",
            Kind::Misconfigured => "Authentication is not configured correctly.",
        }
    }

    /// The name of the guard that did not agree.
    pub fn guard(&self) -> Option<&str> {
        self.guard.as_deref()
    }

    /// `Retry-After` in whole seconds, rounded up, so that a client that waits that long has waited long enough.
    pub fn retry_after(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(
            wait.as_secs()
                .saturating_add(u64::from(wait.subsec_nanos() > 0))
                .max(1),
        )
    }

    /// The headers of the answer, `Content-Type` included.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = &self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        headers
    }

    /// The body of the answer, as JSON.
    pub fn body(&self) -> String {
        let body = Body {
            code: self.code(),
            message: self.message(),
            guard: self.guard(),
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// What a WebSocket is closed with where no HTTP answer can be sent
    /// ([RFC 6455, section 7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1), and IANA's registry).
    pub fn websocket_close_code(&self) -> u16 {
        match self.kind {
            Kind::Unauthenticated | Kind::Expired | Kind::Denied => 1008,
            Kind::KeysUnavailable => 1013,
            Kind::Misconfigured => 1011,
        }
    }

    /// The status code of gRPC: `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNAVAILABLE` or `INTERNAL`.
    pub fn grpc_code(&self) -> u8 {
        match self.kind {
            Kind::Unauthenticated | Kind::Expired => 16,
            Kind::Denied => 7,
            Kind::KeysUnavailable => 14,
            Kind::Misconfigured => 13,
        }
    }
}

/// The challenge of [RFC 6750, section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3), with the guard's name where a
/// quoted text can hold it.
fn insufficient(guard: &str) -> HeaderValue {
    let plain = guard
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte));
    let named = format!(r#"Bearer error="insufficient_scope", error_description="guard: {guard}""#);
    let named = plain.then(|| HeaderValue::try_from(named).ok()).flatten();
    named.unwrap_or_else(|| HeaderValue::from_static(r#"Bearer error="insufficient_scope""#))
}

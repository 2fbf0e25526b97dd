//! Why a token was not accepted.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};

pub(super) use super::code::ErrorCode;
use crate::config::ConfigError;

/// Why there is no [`Auth`](crate::Auth). Nothing else comes out of verification.
///
/// The three variants are three people's business: the caller who sent the token, whoever runs the key endpoint
/// or the network to it, and whoever configured the verifier.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token, or the header it came in, is refused: 401.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's keys cannot be fetched, so nothing can be said about the token: 503, and worth trying again.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
    /// The verifier's configuration is invalid: 500.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl VerifyError {
    /// The error of a request without credentials, for adapters that look at none.
    pub fn no_credentials() -> Self {
        Self::Token(TokenError::no_credentials())
    }

    /// The stable code of the cause.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Token(error) => error.code,
            Self::KeysUnavailable(_) => ErrorCode::JwksUnavailable,
            Self::Config(_) => ErrorCode::ConfigError,
        }
    }

    /// Whether the same token may be accepted later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::KeysUnavailable(_))
    }

    /// How long to wait before trying again, if that is worth while.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(error) => Some(error.retry_after),
            Self::Token(_) | Self::Config(_) => None,
        }
    }

    /// The status that a server answers its client with: 401, 503 or 500.
    pub fn http_status(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Config(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `WWW-Authenticate` challenge of a 401, [RFC 6750, section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3).
    ///
    /// It names `invalid_token` only when a token was sent, and never says what was wrong with it.
    pub fn www_authenticate(&self) -> Option<HeaderValue> {
        let Self::Token(error) = self else { return None };
        Some(HeaderValue::from_static(match error.code {
            ErrorCode::HeaderMissing | ErrorCode::HeaderMalformed => "Bearer",
            _ => r#"Bearer error="invalid_token""#,
        }))
    }
}

/// A refused token. Its message never holds the token or the value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct TokenError {
    code: ErrorCode,
    detail: Cow<'static, str>,
}

impl TokenError {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }

    pub(crate) fn no_credentials() -> Self {
        Self::new(ErrorCode::HeaderMissing, "no credentials were sent")
    }

    pub(crate) fn malformed(detail: &'static str) -> Self {
        Self::new(ErrorCode::Malformed, detail)
    }

    /// The stable code of the cause.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What is wrong, in words: for logs. It may change between versions, and the client that sent the token need not learn it.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// The issuer's keys cannot be fetched, and none that are young enough are at hand.
#[derive(Clone, Debug)]
pub struct KeysUnavailable {
    retry_after: Duration,
    source: Arc<FetchError>,
}

impl KeysUnavailable {
    /// Shortest wait that is suggested to a client.
    #[cfg(feature = "http")]
    const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);

    #[cfg(feature = "http")]
    pub(crate) fn new(retry_after: Duration, source: Arc<FetchError>) -> Self {
        Self {
            retry_after: retry_after.max(Self::MIN_RETRY_AFTER),
            source,
        }
    }

    /// How long until the key endpoint is asked again; at least a second.
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// Why the last fetch of the keys failed.
    pub fn fetch_error(&self) -> &FetchError {
        &self.source
    }
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the issuer's keys cannot be fetched",
            ErrorCode::JwksUnavailable
        )
    }
}

impl StdError for KeysUnavailable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Why a key set could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No reply came.
    #[cfg(feature = "http")]
    #[error("the key endpoint could not be reached")]
    Http(#[from] crate::http_client::HttpError),
    /// The reply has a status that carries no key set. Redirects are among them: they are never followed.
    #[error("the key endpoint answered {status}")]
    Status {
        /// The reply's status.
        status: u16,
        /// How long the endpoint asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The reply is encoded although no encoding was asked for.
    #[error("the key endpoint sent an encoded reply")]
    ContentEncoding,
    /// The document is not a key set that can be used.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// The fetch ended without a result.
    #[error("the key fetch was cut off")]
    Aborted,
}

/// Why a document is not a usable key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Larger than a key set has any reason to be.
    #[error("the key set is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes of a key set.
        limit: usize,
    },
    /// Not a JSON object with a `keys` array of at most the allowed number of keys.
    #[error("the document is not a key set (RFC 7517): {0}")]
    Malformed(&'static str),
    /// A key set without a single key that can verify ES256.
    #[error("the key set holds no usable ES256 key")]
    NoUsableKey,
}

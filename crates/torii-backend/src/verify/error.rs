//! Why a token was not accepted.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};

use crate::config::ConfigError;

/// Why there is no [`Auth`](crate::Auth). Nothing else comes out of verification.
///
/// The three variants are three people's business: the caller who sent the token, whoever runs the key endpoint
/// or the network to it, and whoever configured the verifier.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VerifyError {
    /// The token, or the header it came in, is refused: 401.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's keys cannot be had, so nothing can be said about the token: 503, and worth trying again.
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
    /// The verifier cannot work as configured: 500.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl VerifyError {
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

    pub(crate) fn malformed(detail: &'static str) -> Self {
        Self::new(ErrorCode::Malformed, detail)
    }

    /// The stable code of the cause.
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl StdError for TokenError {}

/// The issuer's keys cannot be had, and none that are young enough are at hand.
#[derive(Clone, Debug)]
pub struct KeysUnavailable {
    retry_after: Duration,
    source: Arc<FetchError>,
}

impl KeysUnavailable {
    /// Shortest wait that is suggested to a client.
    const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);

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
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", ErrorCode::JwksUnavailable, self.source)
    }
}

impl StdError for KeysUnavailable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        StdError::source(&*self.source)
    }
}

/// Why a key set could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No reply came.
    #[error("the key endpoint could not be reached: {0}")]
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

/// The stable names of everything that can be wrong. [`Display`](fmt::Display) writes the code as documented:
/// `bad_signature`, `claim_missing:sub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Not three base64url segments of JSON as RFC 7515 wants them.
    Malformed,
    /// Larger than a token has any reason to be.
    TooLarge,
    /// The algorithm is not ES256.
    AlgNotAllowed,
    /// The header asks for an extension (`crit`, `b64`, `zip`, `enc`).
    CritUnsupported,
    /// The header's `typ` is not among the allowed ones.
    TypNotAllowed,
    /// The header names no key.
    KidMissing,
    /// The issuer has no key of that name.
    KidUnknown,
    /// The issuer has two different keys of that name.
    KeyAmbiguous,
    /// The issuer's key of that name cannot verify ES256.
    KeyUnusable,
    /// The signature is not the key's.
    BadSignature,
    /// A required claim is absent.
    ClaimMissing(&'static str),
    /// A claim is not of the type or range that it must have.
    ClaimType(&'static str),
    /// Issued by somebody else.
    IssuerMismatch,
    /// Meant for somebody else, by its `aud` or its `azp`.
    AudienceMismatch,
    /// No longer valid.
    Expired,
    /// Not valid yet.
    NotYetValid,
    /// Issued in the future.
    IatInFuture,
    /// No credentials were sent.
    HeaderMissing,
    /// The header is not `Bearer` and a token.
    HeaderMalformed,
    /// The header was sent more than once.
    HeaderAmbiguous,
    /// The issuer's keys cannot be had.
    JwksUnavailable,
    /// The verifier cannot work as configured.
    ConfigError,
}

impl ErrorCode {
    /// The codes as documented, those for single claims without the claim's name.
    pub(crate) const NAMES: [&str; Self::COUNT] = [
        "malformed",
        "too_large",
        "alg_not_allowed",
        "crit_unsupported",
        "typ_not_allowed",
        "kid_missing",
        "kid_unknown",
        "key_ambiguous",
        "key_unusable",
        "bad_signature",
        "claim_missing",
        "claim_type",
        "issuer_mismatch",
        "audience_mismatch",
        "expired",
        "not_yet_valid",
        "iat_in_future",
        "header_missing",
        "header_malformed",
        "header_ambiguous",
        "jwks_unavailable",
        "config_error",
    ];
    pub(crate) const COUNT: usize = 22;

    /// The code's place in [`NAMES`](Self::NAMES).
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Malformed => 0,
            Self::TooLarge => 1,
            Self::AlgNotAllowed => 2,
            Self::CritUnsupported => 3,
            Self::TypNotAllowed => 4,
            Self::KidMissing => 5,
            Self::KidUnknown => 6,
            Self::KeyAmbiguous => 7,
            Self::KeyUnusable => 8,
            Self::BadSignature => 9,
            Self::ClaimMissing(_) => 10,
            Self::ClaimType(_) => 11,
            Self::IssuerMismatch => 12,
            Self::AudienceMismatch => 13,
            Self::Expired => 14,
            Self::NotYetValid => 15,
            Self::IatInFuture => 16,
            Self::HeaderMissing => 17,
            Self::HeaderMalformed => 18,
            Self::HeaderAmbiguous => 19,
            Self::JwksUnavailable => 20,
            Self::ConfigError => 21,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES[self.index()])?;
        match self {
            Self::ClaimMissing(claim) | Self::ClaimType(claim) => write!(f, ":{claim}"),
            _ => Ok(()),
        }
    }
}

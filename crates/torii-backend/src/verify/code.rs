//! The stable codes of everything that can be wrong.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The stable names of everything that can be wrong. [`Display`](fmt::Display) and [`Serialize`] write the code as
/// documented, `bad_signature` or `claim_missing:sub`, and [`FromStr`] reads it.
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
    /// The header does not hold `Bearer` and a token.
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

    /// The claims that a code can name.
    const CLAIMS: [&str; 10] = [
        "iss",
        "sub",
        "pid",
        "exp",
        "iat",
        "nbf",
        "aud",
        "azp",
        "jti",
        "impersonating",
    ];

    /// The codes that name no claim.
    const PLAIN: [Self; Self::COUNT - 2] = [
        Self::Malformed,
        Self::TooLarge,
        Self::AlgNotAllowed,
        Self::CritUnsupported,
        Self::TypNotAllowed,
        Self::KidMissing,
        Self::KidUnknown,
        Self::KeyAmbiguous,
        Self::KeyUnusable,
        Self::BadSignature,
        Self::IssuerMismatch,
        Self::AudienceMismatch,
        Self::Expired,
        Self::NotYetValid,
        Self::IatInFuture,
        Self::HeaderMissing,
        Self::HeaderMalformed,
        Self::HeaderAmbiguous,
        Self::JwksUnavailable,
        Self::ConfigError,
    ];

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

impl ErrorCode {
    /// The code without the name of a claim, such as `bad_signature` or `claim_missing`: a label for metrics.
    pub const fn as_str(self) -> &'static str {
        Self::NAMES[self.index()]
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::ClaimMissing(claim) | Self::ClaimType(claim) => write!(f, ":{claim}"),
            _ => Ok(()),
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not an [`ErrorCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an error code of torii-backend")]
pub struct UnknownErrorCode;

impl FromStr for ErrorCode {
    type Err = UnknownErrorCode;

    fn from_str(text: &str) -> Result<Self, UnknownErrorCode> {
        let claims = Self::CLAIMS
            .iter()
            .flat_map(|claim| [Self::ClaimMissing(claim), Self::ClaimType(claim)]);
        let mut codes = Self::PLAIN.into_iter().chain(claims);
        codes
            .find(|code| code.to_string() == text)
            .ok_or(UnknownErrorCode)
    }
}

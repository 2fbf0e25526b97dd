//! The stable codes of everything that can be wrong.

use std::fmt;
use std::mem;
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
    pub(crate) const COUNT: usize = 22;

    /// Every code, those for single claims without the claim's name, in the order in which they are declared.
    const ALL: [Self; Self::COUNT] = [
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
        Self::ClaimMissing(""),
        Self::ClaimType(""),
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

    /// The names of all codes, those for single claims without the claim's.
    pub(crate) fn names() -> [&'static str; Self::COUNT] {
        Self::ALL.map(Self::as_str)
    }

    /// The code's place in [`names`](Self::names).
    pub(crate) fn index(self) -> usize {
        let same = |code: &Self| mem::discriminant(code) == mem::discriminant(&self);
        Self::ALL.iter().position(same).unwrap_or_default()
    }

    /// The code without the name of a claim, such as `bad_signature` or `claim_missing`: a label for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::AlgNotAllowed => "alg_not_allowed",
            Self::CritUnsupported => "crit_unsupported",
            Self::TypNotAllowed => "typ_not_allowed",
            Self::KidMissing => "kid_missing",
            Self::KidUnknown => "kid_unknown",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::KeyUnusable => "key_unusable",
            Self::BadSignature => "bad_signature",
            Self::ClaimMissing(_) => "claim_missing",
            Self::ClaimType(_) => "claim_type",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IatInFuture => "iat_in_future",
            Self::HeaderMissing => "header_missing",
            Self::HeaderMalformed => "header_malformed",
            Self::HeaderAmbiguous => "header_ambiguous",
            Self::JwksUnavailable => "jwks_unavailable",
            Self::ConfigError => "config_error",
        }
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
        let claims = Self::CLAIMS.iter();
        let of_claims = claims.flat_map(|claim| [Self::ClaimMissing(claim), Self::ClaimType(claim)]);
        let mut codes = Self::ALL.into_iter().chain(of_claims);
        // The two that name no claim are written with an empty name, `claim_type:`, which is no code.
        codes
            .find(|code| code.to_string() == text && !text.ends_with(':'))
            .ok_or(UnknownErrorCode)
    }
}

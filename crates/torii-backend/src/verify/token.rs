//! The text of a token, taken apart without any key: a JWS in compact form,
//! [RFC 7515, section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::error::{ErrorCode, TokenError};
use super::json;
use super::signature::SIGNATURE_LENGTH;

/// Most bytes of a token.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
/// Most bytes of a decoded header.
const MAX_HEADER: usize = 4 * 1024;
/// Most bytes of a key's name.
const MAX_KID: usize = 256;
/// Header members that change what is signed or how it is read. None is supported, whatever its value.
const EXTENSIONS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// A JWS that is well formed and asks for an algorithm and a key, and of which nothing has been verified.
#[derive(Debug)]
pub(crate) struct UnverifiedJws<'t> {
    /// What the signature is over.
    pub(crate) signing_input: &'t [u8],
    pub(crate) signature: Vec<u8>,
    pub(crate) kid: String,
    /// The payload as it was signed.
    pub(crate) payload: Vec<u8>,
}

impl<'t> UnverifiedJws<'t> {
    /// Runs every check that needs neither a key nor a payload of a certain kind, cheap ones first.
    pub(crate) fn parse(text: &'t str, allowed_types: &AllowedTypes) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN {
            return Err(TokenError::new(ErrorCode::TooLarge, "the token is too large"));
        }
        let (signing_input, [header, payload, signature]) = segments(text)?;
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let kid = check_header(&header, allowed_types)?;
        Ok(Self {
            signing_input,
            signature,
            kid,
            payload,
        })
    }
}

/// A JWS whose payload is an object of claims.
#[derive(Debug)]
pub(crate) struct UnverifiedToken<'t> {
    pub(crate) jws: UnverifiedJws<'t>,
    pub(crate) claims: Map<String, Value>,
}

impl<'t> UnverifiedToken<'t> {
    /// Runs every check that needs no key.
    pub(crate) fn parse(text: &'t str, allowed_types: &AllowedTypes) -> Result<Self, TokenError> {
        let jws = UnverifiedJws::parse(text, allowed_types)?;
        let claims =
            json::object(&jws.payload).map_err(|_| malformed("the payload is not one strict JSON object"))?;
        // No key verifies another length, so none need be fetched for it.
        if jws.signature.len() != SIGNATURE_LENGTH {
            return Err(TokenError::new(
                ErrorCode::BadSignature,
                "an ES256 signature has 64 bytes",
            ));
        }
        Ok(Self { jws, claims })
    }
}

/// The header's `typ` that a verifier takes. Compared without case and without the prefix `application/`, as RFC 7515,
/// section 4.1.9 says.
#[derive(Clone, Debug)]
pub(crate) struct AllowedTypes {
    types: Vec<String>,
    absence: bool,
}

impl AllowedTypes {
    /// These and nothing else: explicit typing, [RFC 8725, section 3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
    pub(crate) fn exactly(types: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self {
            types: types.into_iter().map(|typ| normal_type(typ.as_ref())).collect(),
            absence: false,
        }
    }

    fn contains(&self, typ: Option<&Value>) -> bool {
        match typ {
            None => self.absence,
            Some(typ) => typ
                .as_str()
                .is_some_and(|typ| self.types.contains(&normal_type(typ))),
        }
    }
}

impl Default for AllowedTypes {
    /// None, `JWT`, or `at+jwt` of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068).
    fn default() -> Self {
        Self {
            absence: true,
            ..Self::exactly(["JWT", "at+jwt"])
        }
    }
}

fn normal_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower
        .strip_prefix("application/")
        .map(str::to_owned)
        .unwrap_or(lower)
}

/// Splits a token into what is signed and its three segments.
fn segments(token: &str) -> Result<(&[u8], [&str; 3]), TokenError> {
    if !token
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        return Err(malformed("the token holds a character that is not base64url"));
    }
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => {
            if header.is_empty() || payload.is_empty() || signature.is_empty() {
                return Err(malformed("a segment is empty"));
            }
            Ok((
                &token.as_bytes()[..header.len() + 1 + payload.len()],
                [header, payload, signature],
            ))
        }
        _ => Err(malformed("the token does not have three segments")),
    }
}

/// Canonical base64url: no padding, and the bits after the last byte are zero, so that no two texts decode alike.
fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| malformed("a segment is not canonical base64url"))
}

/// Checks the header and returns the name of the key. `jwk`, `jku`, `x5u` and `x5c` are never looked at.
fn check_header(header: &[u8], allowed_types: &AllowedTypes) -> Result<String, TokenError> {
    if header.len() > MAX_HEADER {
        return Err(TokenError::new(ErrorCode::TooLarge, "the header is too large"));
    }
    let mut header =
        json::object(header).map_err(|_| malformed("the header is not one strict JSON object"))?;
    if header.get("alg").and_then(Value::as_str) != Some("ES256") {
        return Err(TokenError::new(
            ErrorCode::AlgNotAllowed,
            "the algorithm is not ES256",
        ));
    }
    if EXTENSIONS.iter().any(|name| header.contains_key(*name)) {
        return Err(TokenError::new(
            ErrorCode::CritUnsupported,
            "the header asks for an extension",
        ));
    }
    if !allowed_types.contains(header.get("typ")) {
        return Err(TokenError::new(
            ErrorCode::TypNotAllowed,
            "the header's typ is not among the allowed ones",
        ));
    }
    match header.remove("kid") {
        Some(Value::String(kid)) if kid.len() > MAX_KID => Err(TokenError::new(
            ErrorCode::TooLarge,
            "the header's kid is too large",
        )),
        Some(Value::String(kid)) if !kid.is_empty() => Ok(kid),
        _ => Err(TokenError::new(ErrorCode::KidMissing, "the header names no key")),
    }
}

fn malformed(detail: &'static str) -> TokenError {
    TokenError::new(ErrorCode::Malformed, detail)
}

//! The text of a token, taken apart without any key: a JWS in compact form,
//! [RFC 7515, section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1).

use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine};

use super::claims::Claims;
use super::error::{ErrorCode, TokenError};
use super::header::HeaderPolicy;
use super::signature::{SIGNATURE_LENGTH, VerifyingKey};

/// Most bytes of a token.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// A JWS that is well formed and asks for an algorithm and a key, and of which nothing has been verified.
#[derive(Debug)]
pub(crate) struct UnverifiedJws<'t> {
    /// The header as it stands in the token.
    pub(crate) header: &'t str,
    /// What the signature is over.
    signing_input: &'t [u8],
    /// `None` for one that has not the length of an ES256 signature.
    signature: Option<[u8; SIGNATURE_LENGTH]>,
    pub(crate) kid: Arc<str>,
    /// The payload as it was signed.
    pub(crate) payload: Vec<u8>,
}

impl<'t> UnverifiedJws<'t> {
    /// Runs every check that needs neither a key nor a payload of a certain kind, cheap ones first.
    pub(crate) fn parse(text: &'t str, headers: &HeaderPolicy) -> Result<Self, TokenError> {
        if text.len() > MAX_TOKEN {
            return Err(TokenError::new(ErrorCode::TooLarge, "the token is too large"));
        }
        let (signing_input, [header, payload, signature]) = segments(text)?;
        let (payload, signature) = (decode(payload)?, decode_signature(signature)?);
        let kid = headers.check(header)?;
        Ok(Self {
            header,
            signing_input,
            signature,
            kid,
            payload,
        })
    }

    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let signature = self.signature.as_ref();
        signature.is_some_and(|signature| key.verifies(self.signing_input, signature))
    }

    /// The claims of a JWS that may be a token, for all that can be said without a key.
    pub(crate) fn claims(&self) -> Result<Claims<'_>, TokenError> {
        let claims = Claims::read(&self.payload)
            .ok_or_else(|| malformed("the payload is not one strict JSON object"))?;
        match self.signature {
            Some(_) => Ok(claims),
            // No key verifies another length, so none need be fetched for it.
            None => Err(TokenError::new(
                ErrorCode::BadSignature,
                "an ES256 signature has 64 bytes",
            )),
        }
    }
}

/// Splits a token into what is signed and its three segments.
fn segments(token: &str) -> Result<(&[u8], [&str; 3]), TokenError> {
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

/// Canonical base64url: no other character, no padding, and the bits after the last byte are zero, so that no two texts
/// decode alike.
pub(super) fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| not_base64url())
}

/// [`decode`], without memory of its own for a signature of the right length.
fn decode_signature(segment: &str) -> Result<Option<[u8; SIGNATURE_LENGTH]>, TokenError> {
    let mut signature = [0; SIGNATURE_LENGTH];
    match URL_SAFE_NO_PAD.decode_slice(segment, &mut signature) {
        Ok(SIGNATURE_LENGTH) => Ok(Some(signature)),
        Ok(_) => Ok(None),
        Err(DecodeSliceError::DecodeError(_)) => Err(not_base64url()),
        Err(DecodeSliceError::OutputSliceTooSmall) => decode(segment).map(|_| None),
    }
}

fn not_base64url() -> TokenError {
    malformed("a segment is not canonical base64url")
}

pub(super) fn malformed(detail: &'static str) -> TokenError {
    TokenError::new(ErrorCode::Malformed, detail)
}

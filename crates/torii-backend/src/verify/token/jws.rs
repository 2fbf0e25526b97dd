//! The text of a token, taken apart without any key: a JWS in compact form,
//! [RFC 7515, section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1).

use std::sync::Arc;

use super::base64url::{decode, decode_exactly};
use super::claims::Claims;
use super::header::HeaderPolicy;
use super::signature::{SIGNATURE_LENGTH, VerifyingKey};
use crate::verify::error::{ErrorCode, TokenError};

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
        Self::read(text, headers).map_err(|error| match has_scheme(text) {
            true => TokenError::malformed("begins with `Bearer `: pass the token alone, without the scheme"),
            false => error,
        })
    }

    fn read(text: &'t str, headers: &HeaderPolicy) -> Result<Self, TokenError> {
        let (signing_input, [header, payload, signature]) = segments(text)?;
        let (payload, signature) = (decode(payload)?, decode_exactly(signature)?);
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
            .ok_or_else(|| TokenError::malformed("the payload is not one strict JSON object"))?;
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

/// Whether a text is the value of a header instead of a token.
fn has_scheme(text: &str) -> bool {
    const SCHEME: &str = "bearer ";
    text.get(..SCHEME.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// Splits a token into what is signed and its three segments.
fn segments(token: &str) -> Result<(&[u8], [&str; 3]), TokenError> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => {
            if header.is_empty() || payload.is_empty() || signature.is_empty() {
                return Err(TokenError::malformed("a segment is empty"));
            }
            Ok((
                &token.as_bytes()[..header.len() + 1 + payload.len()],
                [header, payload, signature],
            ))
        }
        _ => Err(TokenError::malformed("the token does not have three segments")),
    }
}

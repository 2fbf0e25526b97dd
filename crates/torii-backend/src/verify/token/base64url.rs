//! Canonical base64url: no other character, no padding, and the bits after the last byte are zero, so that no two texts
//! decode alike.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine};

use crate::verify::error::TokenError;

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())
}

/// [`decode`], for a text that should have a certain length, and without memory of its own then. `None` if it has another.
pub(crate) fn decode_exactly<const N: usize>(text: &str) -> Result<Option<[u8; N]>, TokenError> {
    let mut bytes = [0; N];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(length) => Ok((length == N).then_some(bytes)),
        Err(DecodeSliceError::DecodeError(_)) => Err(refused()),
        Err(DecodeSliceError::OutputSliceTooSmall) => decode(text).map(|_| None),
    }
}

fn refused() -> TokenError {
    TokenError::malformed("a segment is not canonical base64url")
}

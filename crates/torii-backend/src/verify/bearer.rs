//! The credentials in a request's header, [RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).

use http::header::{AUTHORIZATION, HeaderMap};

use super::error::{ErrorCode, TokenError, VerifyError};
use super::token::auth::Auth;
use super::token::jws::MAX_TOKEN;
use super::verifier::Verifier;

/// Most bytes of the header's value: a token, the scheme and some white space.
const MAX_HEADER: usize = MAX_TOKEN + 64;
const SCHEME: &str = "bearer";

impl Verifier {
    /// The token in a request's headers, not verified: `Authorization: Bearer <token>`, or the header configured by
    /// [`VerifierBuilder::header`](crate::VerifierBuilder::header). A refusal is counted.
    ///
    /// # Errors
    ///
    /// With the codes `header_missing`, `header_malformed`, `header_ambiguous` and `too_large`.
    pub fn bearer_token<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, VerifyError> {
        let values = headers.get_all(self.header_name());
        self.bearer_token_in(values.iter().map(|value| value.as_bytes()))
    }

    /// [`bearer_token`](Self::bearer_token) for frameworks with header types of their own: `values` are all values of the
    /// configured header, as they were received.
    ///
    /// # Errors
    ///
    /// As [`bearer_token`](Self::bearer_token).
    pub fn bearer_token_in<'h>(
        &self,
        values: impl IntoIterator<Item = &'h [u8]>,
    ) -> Result<&'h str, VerifyError> {
        let bare = *self.header_name() != AUTHORIZATION;
        token(values.into_iter(), bare).map_err(|error| self.refused(error.into()))
    }

    /// Verifies the token in a request's headers: `Authorization: Bearer <token>`, or the header configured by
    /// [`VerifierBuilder::header`](crate::VerifierBuilder::header).
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify), and with the codes `header_missing`, `header_malformed` and `header_ambiguous`.
    pub async fn authenticate_request(&self, headers: &HeaderMap) -> Result<Auth, VerifyError> {
        self.verify(self.bearer_token(headers)?).await
    }

    /// [`authenticate_request`](Self::authenticate_request) for a thread.
    ///
    /// # Errors
    ///
    /// As [`authenticate_request`](Self::authenticate_request).
    pub fn authenticate_request_blocking(&self, headers: &HeaderMap) -> Result<Auth, VerifyError> {
        self.verify_blocking(self.bearer_token(headers)?)
    }
}

/// The token in the values of one header. `bare` takes a value without a scheme as the token.
fn token<'h>(mut values: impl Iterator<Item = &'h [u8]>, bare: bool) -> Result<&'h str, TokenError> {
    let Some(value) = values.next() else {
        return Err(TokenError::new(
            ErrorCode::HeaderMissing,
            "no credentials were sent",
        ));
    };
    if values.next().is_some() {
        // Even if they are equal: proxies and frameworks disagree on which one counts.
        return Err(TokenError::new(
            ErrorCode::HeaderAmbiguous,
            "the header was sent more than once",
        ));
    }
    from_value(value, bare)
}

fn from_value(value: &[u8], bare: bool) -> Result<&str, TokenError> {
    let malformed = |detail| Err(TokenError::new(ErrorCode::HeaderMalformed, detail));
    if value.len() > MAX_HEADER {
        return Err(TokenError::new(
            ErrorCode::TooLarge,
            "the header is too large to hold a token",
        ));
    }
    let Ok(text) = str::from_utf8(value) else {
        return malformed("the header is not ASCII text");
    };
    // Optional white space around a field's value belongs to HTTP (RFC 9110, section 5.5), not to the value.
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() {
        return Err(TokenError::new(ErrorCode::HeaderMissing, "the header is empty"));
    }
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return malformed("the header holds a control character or one that is not ASCII");
    }
    match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => Ok(rest.trim_start_matches(' ')),
        None if bare && !text.eq_ignore_ascii_case(SCHEME) => Ok(text),
        _ => malformed("the header is not `Bearer` and a token"),
    }
}

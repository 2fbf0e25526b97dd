//! Verification of a request: [`credentials`](super::credentials) finds the token, and the [`Verifier`] judges it.

use http::HeaderName;
use http::header::HeaderMap;

use super::error::VerifyError;
use super::token::auth::Auth;
use super::verifier::Verifier;

impl Verifier {
    /// The token in a request's headers, not verified: `Authorization: Bearer <token>`, or what is configured by
    /// [`VerifierBuilder::header`](crate::VerifierBuilder::header),
    /// [`websocket_protocol`](crate::VerifierBuilder::websocket_protocol) and
    /// [`cookie`](crate::VerifierBuilder::cookie). A refusal is counted.
    ///
    /// # Errors
    ///
    /// With the codes `header_missing`, `header_malformed`, `header_ambiguous` and `too_large`.
    pub fn bearer_token<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, VerifyError> {
        self.bearer_token_in(|name| headers.get_all(name).iter().map(|value| value.as_bytes()))
    }

    /// [`bearer_token`](Self::bearer_token) for frameworks with header types of their own: `values` returns all values of
    /// a header, as they were received.
    ///
    /// # Errors
    ///
    /// As [`bearer_token`](Self::bearer_token).
    pub fn bearer_token_in<'h, V>(&self, values: impl Fn(&HeaderName) -> V) -> Result<&'h str, VerifyError>
    where
        V: Iterator<Item = &'h [u8]>,
    {
        let token = self.places().token(values);
        token.map_err(|error| self.refused(error.into()))
    }

    /// The subprotocol that the answer to a WebSocket handshake has to select, because the token follows it: `bearer` as the
    /// client wrote it in `Sec-WebSocket-Protocol`, of which these are all values. `None` where no token was sent in this way, or
    /// [none is read](crate::VerifierBuilder::websocket_protocol).
    pub fn selected_protocol<'h>(&self, values: impl Iterator<Item = &'h [u8]>) -> Option<&'h str> {
        self.places().protocol(values)
    }

    /// The headers that [`bearer_token`](Self::bearer_token) reads.
    pub fn credential_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.places().headers()
    }

    /// Verifies the token in a request's headers, as [`bearer_token`](Self::bearer_token) finds it.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify) and [`bearer_token`](Self::bearer_token).
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

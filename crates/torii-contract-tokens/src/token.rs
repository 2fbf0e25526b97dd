//! A valid token, and ways to spoil one thing about it.

use std::fmt::Display;

use crate::base64url::base64url;
use crate::json::{Object, quoted};
use crate::key::{Key, SIGNER_KID};

/// The clock of a case that does not set one.
pub(crate) const NOW: i64 = 1_790_000_000;
/// The leeway of a policy that does not set one.
pub(crate) const LEEWAY: i64 = 30;
/// The longest token that is looked at, in bytes.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

pub(crate) const ISSUER: &str = "https://acme.torii.so";
pub(crate) const USER: &str = "01991f3c-7a10-7c41-9d2e-5b6f0a8c1e01";
pub(crate) const ENVIRONMENT: &str = "01991f3c-0000-7b8e-8f00-3c2d1e0f9a02";
pub(crate) const ISSUED_AT: i64 = NOW - 60;
pub(crate) const EXPIRES_AT: i64 = NOW + 300;

/// A token under construction. It starts valid under the default key set and policy.
#[derive(Clone)]
pub(crate) struct Token {
    header: Object,
    payload: Object,
    key: Key,
}

impl Token {
    pub(crate) fn valid() -> Self {
        let header = Object::new()
            .set("alg", quoted("ES256"))
            .set("kid", quoted(SIGNER_KID));
        let payload = Object::new()
            .set("iss", quoted(ISSUER))
            .set("sub", quoted(USER))
            .set("pid", quoted(ENVIRONMENT))
            .set("iat", ISSUED_AT)
            .set("exp", EXPIRES_AT)
            .set("email_verified", true)
            .set("profile_complete", true);
        Self {
            header,
            payload,
            key: Key::signer().clone(),
        }
    }

    /// Sets a header member to a value given as JSON text.
    pub(crate) fn header(mut self, name: &str, value: impl Display) -> Self {
        self.header = self.header.set(name, value);
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header = self.header.without(name);
        self
    }

    /// Sets a claim to a value given as JSON text.
    pub(crate) fn claim(mut self, name: &str, value: impl Display) -> Self {
        self.payload = self.payload.set(name, value);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.payload = self.payload.without(name);
        self
    }

    pub(crate) fn kid(self, kid: &str) -> Self {
        self.header("kid", quoted(kid))
    }

    pub(crate) fn signed_by(mut self, key: &Key) -> Self {
        self.key = key.clone();
        self
    }

    pub(crate) fn header_object(&self) -> &Object {
        &self.header
    }

    pub(crate) fn payload_object(&self) -> &Object {
        &self.payload
    }

    /// The first two segments, encoded.
    pub(crate) fn segments(&self) -> (String, String) {
        (
            base64url(self.header.to_string()),
            base64url(self.payload.to_string()),
        )
    }

    /// What the signature covers.
    pub(crate) fn signing_input(&self) -> String {
        let (header, payload) = self.segments();
        format!("{header}.{payload}")
    }

    pub(crate) fn signature(&self) -> [u8; 64] {
        self.key.sign(self.signing_input().as_bytes()).to_bytes().into()
    }

    /// The token with these bytes in place of its signature.
    pub(crate) fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.signing_input(), base64url(signature))
    }

    pub(crate) fn text(&self) -> String {
        self.with_signature(self.signature())
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.text()
    }
}

/// A token over a header and a payload given as bytes, signed by [`Key::signer`].
pub(crate) fn seal(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    sign_segments(&base64url(header), &base64url(payload))
}

/// A token over two segments as they are written, signed by [`Key::signer`].
pub(crate) fn sign_segments(header: &str, payload: &str) -> String {
    let signing_input = format!("{header}.{payload}");
    let signature = Key::signer().sign(signing_input.as_bytes());
    format!("{signing_input}.{}", base64url(signature.to_bytes()))
}

/// A valid token of exactly this many bytes, padded with a claim that nobody reads.
pub(crate) fn token_of_length(bytes: usize) -> String {
    let bare = Token::valid().text().len();
    // Base64 turns 3 bytes into 4, so the padding is about three quarters of what is missing; the last step is found
    // by trying, and by letting the header give way where no payload length encodes to the right size.
    let guess = (bytes - bare) * 3 / 4;
    (0..3)
        .flat_map(|header| (guess.saturating_sub(20)..=guess).map(move |payload| (header, payload)))
        .map(|(header, payload)| {
            Token::valid()
                .header("pad", quoted(&"h".repeat(header)))
                .claim("pad", quoted(&"p".repeat(payload)))
        })
        .find(|token| token.signing_input().len() + ".".len() + SIGNATURE_CHARS == bytes)
        .expect("two segments reach every length")
        .text()
}

/// How long 64 bytes are in unpadded base64.
const SIGNATURE_CHARS: usize = 86;

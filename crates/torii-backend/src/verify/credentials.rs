//! Where a request carries its token: a header ([RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1))
//! and, where the verifier is told so, the WebSocket handshake's subprotocols and a cookie.

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL};

use super::error::{ErrorCode, TokenError};
use super::token::jws::MAX_TOKEN;

/// Most bytes of the header's value: a token, the scheme and some white space.
const MAX_HEADER: usize = MAX_TOKEN + 64;
const SCHEME: &str = "bearer";

/// Where a verifier looks for the token. The first place that holds something decides; a bad token there is refused,
/// whatever the other places hold.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) header: HeaderName,
    pub(super) websocket_protocol: bool,
    pub(super) cookie: Option<String>,
}

impl Places {
    /// The headers that are read, in the order in which they count.
    pub(super) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let protocol = self.websocket_protocol.then_some(&SEC_WEBSOCKET_PROTOCOL);
        let cookie = self.cookie.as_ref().map(|_| &COOKIE);
        [Some(&self.header), protocol, cookie].into_iter().flatten()
    }

    /// The token in a request. `values` are all values of one header, as they were received.
    pub(super) fn token<'h, V>(&self, values: impl Fn(&HeaderName) -> V) -> Result<&'h str, TokenError>
    where
        V: Iterator<Item = &'h [u8]>,
    {
        let mut found = in_header(values(&self.header), self.header != AUTHORIZATION)?;
        if found.is_none() && self.websocket_protocol {
            found = in_protocols(values(&SEC_WEBSOCKET_PROTOCOL))?.map(|(_, token)| token);
        }
        if found.is_none()
            && let Some(name) = &self.cookie
        {
            found = in_cookies(values(&COOKIE), name)?;
        }
        found.ok_or_else(TokenError::no_credentials)
    }

    /// The subprotocol that says that a token follows it, as it is written in the values of `Sec-WebSocket-Protocol`.
    pub(super) fn protocol<'h>(&self, values: impl Iterator<Item = &'h [u8]>) -> Option<&'h str> {
        let offered = self.websocket_protocol.then(|| in_protocols(values));
        offered?.ok()?.map(|(protocol, _)| protocol)
    }
}

fn ambiguous(detail: &'static str) -> TokenError {
    // Even if both are equal: proxies and frameworks disagree on which one counts.
    TokenError::new(ErrorCode::HeaderAmbiguous, detail)
}

fn malformed(detail: &'static str) -> TokenError {
    TokenError::new(ErrorCode::HeaderMalformed, detail)
}

/// The token in the values of one header. `bare` takes a value without a scheme as the token.
fn in_header<'h>(
    mut values: impl Iterator<Item = &'h [u8]>,
    bare: bool,
) -> Result<Option<&'h str>, TokenError> {
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ambiguous("the header was sent more than once"));
    }
    let Some(text) = text(value)? else { return Ok(None) };
    match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => Ok(Some(rest.trim_start_matches(' '))),
        None if bare && !text.eq_ignore_ascii_case(SCHEME) => Ok(Some(text)),
        _ => Err(malformed("the header is not `Bearer` and a token")),
    }
}

/// A header's value as text, `None` if it is empty.
fn text(value: &[u8]) -> Result<Option<&str>, TokenError> {
    if value.len() > MAX_HEADER {
        return Err(TokenError::new(
            ErrorCode::TooLarge,
            "the header is too large to hold a token",
        ));
    }
    let text = str::from_utf8(value).map_err(|_| malformed("the header is not ASCII text"))?;
    // Optional white space around a field's value belongs to HTTP (RFC 9110, section 5.5), not to the value.
    let text = text.trim_matches([' ', '\t']);
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(malformed(
            "the header holds a control character or one that is not ASCII",
        ));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// `bearer` and the token after it in the list of subprotocols that a WebSocket's client offers: a browser's script can set
/// no other header. Other subprotocols may stand around the two.
fn in_protocols<'h>(
    values: impl Iterator<Item = &'h [u8]>,
) -> Result<Option<(&'h str, &'h str)>, TokenError> {
    let mut found = None;
    for value in values {
        let Some(text) = text(value)? else { continue };
        let mut offered = text.split(',').map(|offered| offered.trim_matches([' ', '\t']));
        while let Some(protocol) = offered.next() {
            if !protocol.eq_ignore_ascii_case(SCHEME) {
                continue;
            }
            let next = offered.next().filter(|next| !next.is_empty());
            let next = next.ok_or_else(|| malformed("no token follows the subprotocol `bearer`"))?;
            if found.replace((protocol, next)).is_some() {
                return Err(ambiguous("the subprotocol `bearer` was offered more than once"));
            }
        }
    }
    Ok(found)
}

/// The value of the cookie `name` ([RFC 6265, section 4.2](https://www.rfc-editor.org/rfc/rfc6265#section-4.2)). Two of that
/// name are refused: one of them may have been set by another host of the same domain.
fn in_cookies<'h>(values: impl Iterator<Item = &'h [u8]>, name: &str) -> Result<Option<&'h str>, TokenError> {
    let pairs = values.flat_map(|value| value.split(|byte| *byte == b';'));
    let mut named = pairs.filter_map(|pair| {
        pair.trim_ascii()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")
    });
    let Some(value) = named.next() else {
        return Ok(None);
    };
    if named.next().is_some() {
        return Err(ambiguous("the cookie was sent more than once"));
    }
    text(value)
}

/// Whether it is a token of [RFC 9110, section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
pub(super) fn is_cookie_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

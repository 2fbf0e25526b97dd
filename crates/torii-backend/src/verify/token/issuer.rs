//! How an issuer may be written in the configuration and in a token.

use std::sync::Arc;

use crate::config::{ConfigError, host_is_loopback};

/// Longest issuer, in bytes.
const MAX_ISSUER: usize = 2048;

/// A configured issuer.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    /// As it was given, and without its trailing slashes. A token's `iss` must be one of the two, byte for byte.
    spellings: [Arc<str>; 2],
}

impl Issuer {
    /// Checks an operator's issuer: an https URL (or http on loopback) in the spelling that tokens have, which is that of
    /// URLs: the scheme and the host in lower case, and no default port.
    pub(crate) fn parse(text: &str, allow_insecure_http: bool) -> Result<Self, ConfigError> {
        check(text, allow_insecure_http).map_err(|problem| ConfigError::new("issuer", problem))?;
        Ok(Self {
            spellings: [text, text.trim_end_matches('/')].map(Arc::from),
        })
    }

    /// The configured issuer in a token's spelling; `None` if it is another issuer.
    pub(crate) fn spelled(&self, iss: &str) -> Option<&Arc<str>> {
        self.spellings.iter().find(|spelling| &***spelling == iss)
    }

    /// Whether `spelling` came from this very object: each verifier has issuers of its own.
    pub(crate) fn lent(&self, spelling: &Arc<str>) -> bool {
        self.spellings.iter().any(|ours| Arc::ptr_eq(ours, spelling))
    }

    /// Whether some `iss` would name both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.spellings
            .iter()
            .any(|spelling| other.spelled(spelling).is_some())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.spellings[0]
    }
}

fn check(text: &str, allow_insecure_http: bool) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.len() > MAX_ISSUER {
        return Err("is longer than 2048 bytes");
    }
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return Err("contains white space, a control character or a backslash");
    }
    let (scheme, rest) = text.split_once("://").ok_or("is not an absolute URL")?;
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return Err("must start with https://, in lower case"),
    };
    if rest.contains(['?', '#']) {
        return Err("must not contain a query or a fragment");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not contain a user name or a password");
    }
    if authority.ends_with(default_port) {
        return Err("must be written without the default port, as it is in tokens");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err("must have a host after `//`");
    }
    if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err()) {
        return Err("has an invalid port");
    }
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("must have its host in lower case, as it is in tokens");
    }
    if scheme == "http" && !allow_insecure_http && !host_is_loopback(host) {
        return Err(
            "must be https; http is for localhost, 127.0.0.0/8 and [::1], or after `allow_insecure_http`",
        );
    }
    Ok(())
}

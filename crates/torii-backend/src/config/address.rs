//! Addresses that requests go to.

use url::{Host, Url};

use super::error::ConfigError;

/// Longest issuer or API address, in bytes.
const MAX_ADDRESS: usize = 2048;

/// An https address (or http on loopback) without credentials, query or fragment, and without trailing slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    text: String,
    loopback: bool,
}

impl BaseUrl {
    /// Reads an operator's address. `allow_insecure_http` lifts the rule that http is for loopback only.
    pub(crate) fn parse(
        setting: &'static str,
        text: &str,
        allow_insecure_http: bool,
    ) -> Result<Self, ConfigError> {
        let (url, loopback) = check_address(setting, text, allow_insecure_http)?;
        if url.query().is_some() {
            return Err(ConfigError::new(setting, "must not contain a query"));
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            loopback,
        })
    }

    /// The address followed by a path, which starts with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    #[cfg(feature = "client")]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "client")]
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// Checks an address that will be asked, and tells whether it is on loopback: an https one (or http on loopback) without
/// credentials and fragment. `allow_insecure_http` lifts the rule that http is for loopback only.
pub(crate) fn check_address(
    setting: &'static str,
    text: &str,
    allow_insecure_http: bool,
) -> Result<(Url, bool), ConfigError> {
    let refuse = |problem: &'static str| Err(ConfigError::new(setting, problem));
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.len() > MAX_ADDRESS {
        return Err(ConfigError::new(
            setting,
            format!("is longer than {MAX_ADDRESS} bytes"),
        ));
    }
    // The URL parser would quietly drop or rewrite these.
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return refuse("contains white space, a control character or a backslash");
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("is not an absolute URL");
    };
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("must start with https://");
    }
    if authority(text).is_empty() {
        return refuse("must have a host after `//`");
    }
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        return refuse("must not contain a user name or a password");
    }
    if url.fragment().is_some() {
        return refuse("must not contain a fragment");
    }
    let loopback = is_loopback(&url, text);
    if url.scheme() == "http" && !loopback && !allow_insecure_http {
        return refuse(
            "must be https; http is for localhost, 127.0.0.0/8 and [::1], or after `allow_insecure_http`",
        );
    }
    Ok((url, loopback))
}

/// Loopback as written, not as the URL parser folds it: `http://0x7f.1` and `http://127.1` are not.
fn is_loopback(url: &Url, text: &str) -> bool {
    let host = match url.host() {
        Some(Host::Domain("localhost")) => "localhost".to_owned(),
        Some(Host::Ipv4(address)) if address.is_loopback() => address.to_string(),
        Some(Host::Ipv6(address)) if address.is_loopback() => format!("[{address}]"),
        _ => return false,
    };
    let authority = authority(text).to_ascii_lowercase();
    authority
        .strip_prefix(&host)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn authority(text: &str) -> &str {
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().unwrap_or_default()
}

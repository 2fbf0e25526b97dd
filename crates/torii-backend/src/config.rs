//! What an operator configures, checked once, when it is given.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// A setting that cannot be used. The message names the setting and the rule, and never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    setting: &'static str,
    problem: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting,
            problem: problem.into(),
        }
    }

    /// Which setting is wrong, such as `issuer` or `secret key`.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

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
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not contain a query or a fragment");
        }
        let loopback = is_loopback(&url, text);
        if url.scheme() == "http" && !loopback && !allow_insecure_http {
            return refuse(
                "must be https; http is for localhost, 127.0.0.0/8 and [::1], or after `allow_insecure_http`",
            );
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

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
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

/// Whether a URL that we made points at this machine, where no proxy is to be asked.
pub(crate) fn host_is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Longest secret key, in bytes.
const MAX_SECRET_KEY: usize = 512;

/// A backend secret key, `sk_test_…` or `sk_live_…`. Shown as its prefix only; wiped from memory when dropped.
#[derive(Clone)]
pub(crate) struct SecretKey(SecretString);

impl SecretKey {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: &'static str| Err(ConfigError::new("secret key", problem));
        match text {
            "" => refuse("is empty"),
            _ if text.len() > MAX_SECRET_KEY => refuse("is too long to be a secret key"),
            _ if !text.bytes().all(|b| b.is_ascii_graphic()) => {
                refuse("contains white space, a line break or a character that is not ASCII")
            }
            _ if text.starts_with("pk_") => {
                refuse("is a publishable key (pk_…); the backend API takes a secret key (sk_…)")
            }
            _ if !text.starts_with("sk_") => refuse("does not begin with sk_"),
            _ => Ok(Self(SecretString::from(text))),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.expose().starts_with("sk_live_")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = ["sk_live_", "sk_test_"]
            .into_iter()
            .find(|prefix| self.expose().starts_with(prefix));
        write!(f, "{}***", prefix.unwrap_or_default())
    }
}

/// Reads a setting from the environment. Surrounding white space is dropped; an empty variable counts as absent.
pub(crate) fn from_env(name: &'static str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError::new(name, "is not Unicode text")),
    }
}

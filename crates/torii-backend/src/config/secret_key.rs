//! The secret key of the backend API.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::error::ConfigError;

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

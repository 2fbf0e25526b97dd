//! What an operator configures, checked once, when it is given.

#[cfg(feature = "http")]
mod address;
mod error;
#[cfg(feature = "client")]
mod secret_key;

#[cfg(feature = "http")]
pub(crate) use self::address::{BaseUrl, check_address, host_is_loopback};
pub use self::error::ConfigError;
#[cfg(feature = "client")]
pub(crate) use self::secret_key::SecretKey;

/// Reads a setting from the environment. Surrounding white space is dropped; an empty variable counts as absent.
pub(crate) fn from_env(name: &'static str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError::new(name, "is not Unicode text")),
    }
}

//! What an operator configures, checked once, when it is given.

#[cfg(feature = "http")]
mod address;
mod error;
#[cfg(feature = "client")]
mod secret_key;

use std::net::{Ipv4Addr, Ipv6Addr};

#[cfg(feature = "http")]
pub(crate) use self::address::{BaseUrl, check_address};
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

/// Whether a host, as it stands in a URL, is this machine.
pub(crate) fn host_is_loopback(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address
            .parse()
            .is_ok_and(|address: Ipv6Addr| address.is_loopback()),
        None => host == "localhost" || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback()),
    }
}

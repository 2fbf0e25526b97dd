//! By which names, and by whom, the emulator may be called.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};

use crate::error::StartError;
use crate::loopback::is_loopback_host;

/// Fewest characters in a control token.
const MIN_TOKEN_CHARS: usize = 8;

pub(crate) struct Access {
    /// The address that the emulator listens on.
    bound: IpAddr,
    /// Names beyond this machine's own.
    hosts: Vec<String>,
    /// As a digest, like the secret keys. Without one, the control plane is open to this machine only.
    control_token: Option<Digest>,
}

impl Access {
    pub(crate) fn new(
        bound: IpAddr,
        hosts: Vec<String>,
        control_token: Option<&str>,
    ) -> Result<Self, StartError> {
        if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
            return Err(StartError::Host { host: host.clone() });
        }
        if control_token.is_some_and(|token| {
            token.len() < MIN_TOKEN_CHARS || !token.bytes().all(|byte| byte.is_ascii_graphic())
        }) {
            return Err(StartError::ControlToken {
                least: MIN_TOKEN_CHARS,
            });
        }
        Ok(Self {
            bound,
            hosts,
            control_token: control_token.map(|token| digest(&SHA256, token.as_bytes())),
        })
    }

    /// Whether a request may name this host. A listener on every address is reached by any of them; a rebound name is
    /// never an address.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        is_loopback_host(host)
            || self.is_allowed_name(host)
            || host
                .parse()
                .is_ok_and(|ip: IpAddr| ip == self.bound || self.bound.is_unspecified())
    }

    /// Whether the host is one of those that were allowed besides this machine's.
    pub(crate) fn is_allowed_name(&self, host: &str) -> bool {
        let name = host.strip_suffix('.').unwrap_or(host);
        self.hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(name))
    }

    /// Whether a control token is configured. Then everybody needs it.
    pub(crate) fn needs_control_token(&self) -> bool {
        self.control_token.is_some()
    }

    /// Compares in constant time.
    pub(crate) fn is_control_token(&self, presented: &str) -> bool {
        let presented = digest(&SHA256, presented.as_bytes());
        self.control_token
            .as_ref()
            .is_some_and(|token| verify_slices_are_equal(token.as_ref(), presented.as_ref()).is_ok())
    }
}

/// A name or an address, without scheme, port and brackets.
fn is_host(text: &str) -> bool {
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    is_name || text.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(bound: [u8; 4], hosts: &[&str]) -> Access {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Access::new(IpAddr::from(bound), hosts, None).expect("usable")
    }

    #[test]
    fn a_listener_beyond_loopback_answers_to_its_addresses_and_to_the_names_it_was_told() {
        let one = access([192, 168, 1, 5], &[]);
        assert!(one.is_own_host("192.168.1.5") && one.is_own_host("localhost"));
        assert!(!one.is_own_host("192.168.1.6"));
        let every = access([0, 0, 0, 0], &["torii", "host.docker.internal"]);
        for own in ["192.168.1.6", "torii", "TORII.", "Host.Docker.Internal"] {
            assert!(every.is_own_host(own), "{own}");
        }
        for foreign in ["evil.example", "torii.evil.example", "xtorii", ""] {
            assert!(!every.is_own_host(foreign), "{foreign}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_a_name_is_no_host() {
        for host in ["", "torii:4010", "http://torii", "[::1]", "a b", "*"] {
            assert!(!is_host(host), "{host}");
        }
        for host in ["torii", "host.docker.internal", "my_service", "10.0.0.1", "::1"] {
            assert!(is_host(host), "{host}");
        }
    }
}

//! Names of this machine.

use std::net::IpAddr;

/// Whether a host is this machine, by a loopback address or by `localhost` and what is below it (RFC 6761, section 6.3).
/// An IPv6 address may stand in brackets.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last_label = name.rsplit('.').next().unwrap_or(name);
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = bare.unwrap_or(host).parse();
    last_label.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_names_below_localhost_are_this_machine() {
        for own in [
            "localhost",
            "LocalHost.",
            "app.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_loopback_host(own), "{own}");
        }
        for foreign in [
            "",
            ".",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "128.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_loopback_host(foreign), "{foreign}");
        }
    }
}

//! Which proxy an exchange goes through.

use std::env;
use std::fmt;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::{HttpError, HttpErrorKind};
use crate::config::{ConfigError, host_is_loopback};

/// The variables for each scheme. The first one that is set decides, as for curl; empty, it means no proxy.
const HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The proxies for each scheme. `Debug` shows no address: it may hold a password.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    exceptions: Vec<Exception>,
    /// What macOS or Windows is set to, where the environment names no proxy.
    system: Option<std::sync::Arc<Matcher>>,
}

/// A proxy, or why it cannot be used, with the name of the variable.
type Named = Result<Url, HttpError>;

impl Proxies {
    /// The proxies that the environment names or, where it names none, those of macOS or Windows.
    pub(super) fn from_environment() -> Self {
        // A CGI program finds its client's `Proxy` header in HTTP_PROXY.
        let cgi = env::var_os("REQUEST_METHOD").is_some();
        let named = |names: &[&'static str]| {
            let mut names = names.iter().filter(|name| !(cgi && **name == "HTTP_PROXY"));
            names.find_map(|name| Some((*name, env::var_os(name)?)))
        };
        let proxy = |names: &[&'static str]| {
            let (variable, value) = named(names).filter(|(_, value)| !value.is_empty())?;
            let proxy = value.to_str().ok_or("is not Unicode text").and_then(parse);
            Some(proxy.map_err(|problem| setup(format!("{variable} {problem}"))))
        };
        let exceptions = named(&EXCEPTIONS).map(|(_, value)| value.to_string_lossy().into_owned());
        let unset = named(&HTTP).is_none() && named(&HTTPS).is_none();
        let system = unset && !cgi && cfg!(any(target_os = "macos", windows));
        Self {
            http: proxy(&HTTP),
            https: proxy(&HTTPS),
            exceptions: exceptions.as_deref().map(exceptions_in).unwrap_or_default(),
            system: system.then(|| Matcher::from_system().into()),
        }
    }

    /// One proxy for everything.
    pub(super) fn only(address: &str) -> Result<Self, ConfigError> {
        let proxy = parse(address).map_err(|problem| ConfigError::new("proxy", problem))?;
        Ok(Self {
            http: Some(Ok(proxy.clone())),
            https: Some(Ok(proxy)),
            ..Self::default()
        })
    }

    /// The proxy on the way to `uri`, with its credentials. This machine is always reached directly: what a proxy
    /// calls `localhost` is another machine.
    pub(super) fn for_uri(&self, uri: &Uri) -> Result<Option<Url>, HttpError> {
        let excepted = |host| host_is_loopback(host) || self.exceptions.iter().any(|e| e.matches(uri, host));
        if uri.host().is_none_or(excepted) {
            return Ok(None);
        }
        if let Some(system) = &self.system {
            let proxy = system.intercept(uri);
            return proxy
                .map(|proxy| parse(&proxy.uri().to_string()))
                .transpose()
                .map_err(|problem| setup(format!("the system's proxy {problem}")));
        }
        match uri.scheme_str() {
            Some("https") => self.https.clone().transpose(),
            _ => self.http.clone().transpose(),
        }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

fn setup(problem: String) -> HttpError {
    HttpError::new(HttpErrorKind::Setup, problem)
}

/// Reads a proxy's address. Without a scheme, it is http. To go around a proxy of another kind would be wrong.
fn parse(address: &str) -> Result<Url, &'static str> {
    let address = address.trim();
    let url = match address.contains("://") {
        true => Url::parse(address),
        false => Url::parse(&format!("http://{address}")),
    };
    match url {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Err("is neither an http nor an https proxy, and no other kind is supported")
        }
        Ok(url) if url.has_host() => Ok(url),
        _ => Err("is not the address of a proxy"),
    }
}

/// One entry of `NO_PROXY`: hosts, on one port or on all.
#[derive(Clone)]
struct Exception {
    port: Option<u16>,
    /// Sends everything but these hosts through a proxy.
    hosts: std::sync::Arc<Matcher>,
}

impl Exception {
    fn matches(&self, uri: &Uri, host: &str) -> bool {
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        if self.port.is_some_and(|excepted| excepted != port) {
            return false;
        }
        // `example.com.` is the same host as `example.com`.
        let host = format!("http://{}/", host.trim_end_matches('.'));
        host.parse()
            .is_ok_and(|host: Uri| self.hosts.intercept(&host).is_none())
    }
}

/// The entries of `NO_PROXY`, separated by commas or white space. The matcher knows names, suffixes, `*`, addresses and
/// networks, but no ports, brackets or `*.` before a suffix.
fn exceptions_in(list: &str) -> Vec<Exception> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (host, port) = split_port(entry);
            let host = host.strip_prefix("*.").unwrap_or(host);
            let host = host.strip_suffix('.').unwrap_or(host);
            Exception {
                port,
                hosts: Matcher::builder().all("http://proxy").no(host).build().into(),
            }
        })
        .collect()
}

/// Splits `host:port`, `[address]:port` and `[address]`. An address with colons and no brackets has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return (address, port);
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_suffixes_ports_addresses_and_networks() {
        let excepted = |list: &str, url: &str| {
            let proxies = Proxies {
                exceptions: exceptions_in(list),
                ..Proxies::only("proxy.test:3128").unwrap()
            };
            proxies.for_uri(&url.parse().unwrap()).unwrap().is_none()
        };
        for (list, url) in [
            ("example.com", "https://example.com/"),
            ("example.com", "https://api.EXAMPLE.com/"),
            (".example.com", "https://api.example.com/"),
            ("*.example.com", "https://api.example.com/"),
            ("a.test, example.com", "https://example.com./"),
            ("a.test example.com.", "https://example.com/"),
            ("example.com:443", "https://example.com/"),
            ("example.com:8443", "https://api.example.com:8443/"),
            ("*", "https://example.com/"),
            ("*:443", "https://example.com/"),
            ("10.1.2.3", "https://10.1.2.3/"),
            ("10.1.2.3:80", "http://10.1.2.3/"),
            ("10.0.0.0/8", "https://10.1.2.3/"),
            ("fd00::/8", "https://[fd00::1]/"),
            ("fd00::1", "https://[fd00::1]/"),
            ("[fd00::1]", "https://[fd00::1]/"),
            ("[fd00::1]:443", "https://[fd00::1]/"),
            ("", "http://localhost:4010/"),
            ("", "https://127.0.0.1/"),
        ] {
            assert!(excepted(list, url), "{list:?} {url}");
        }
        for (list, url) in [
            ("", "https://example.com/"),
            ("example.com", "https://notexample.com/"),
            ("api.example.com", "https://example.com/"),
            ("example.com:8443", "https://example.com/"),
            ("*:8443", "https://example.com/"),
            ("10.0.0.0/8", "https://11.1.2.3/"),
            ("[fd00::1]:8443", "https://[fd00::1]/"),
        ] {
            assert!(!excepted(list, url), "{list:?} {url}");
        }
    }

    #[test]
    fn a_proxy_without_a_scheme_is_http_and_what_is_no_proxy_is_refused() {
        assert_eq!(
            parse("proxy.test:3128").unwrap().as_str(),
            "http://proxy.test:3128/"
        );
        assert_eq!(parse("https://u:p@proxy.test").unwrap().password(), Some("p"));
        for address in [
            "socks5://proxy.test:1080",
            "file:///proxy",
            "http://",
            "pro xy",
            "proxy.test:x",
        ] {
            assert!(parse(address).is_err(), "{address}");
        }
    }
}

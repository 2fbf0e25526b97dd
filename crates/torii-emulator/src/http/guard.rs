//! Who may call: the names that the emulator answers to, and its secret keys.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Request, Response};
use axum::middleware::Next;
use torii_backend_types::EnvironmentId;

use super::openapi::{Part, Schemas, Signature};
use super::peer::Peer;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::secret_keys::LIVE_KEY_PREFIX;

/// What a call of the control plane that changes or exports something must carry, with any value. A browser lets a web
/// page send it only after a preflight, which is never answered.
const CONTROL_HEADER: HeaderName = HeaderName::from_static("x-torii-emulator");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Keeps web pages and other machines out. It needs only the head of a request.
///
/// A foreign `Host` is the sign of DNS rebinding. A foreign `Origin` or `Sec-Fetch-Site` is the sign of a request that
/// another site's page makes.
pub(super) struct Guard {
    bound: IpAddr,
}

impl Guard {
    pub(super) fn new(bound: IpAddr) -> Self {
        Self { bound }
    }

    pub(super) fn check(&self, request: &Request<Body>) -> Result<(), Error> {
        let host = sole(request.headers(), &HOST)?
            .ok_or_else(|| Error::invalid("the request has no Host header"))?;
        let target = request.uri().authority().map(|authority| authority.as_str());
        // A target with an authority overrides the header, so both must be ours.
        if !self.is_own(host) || target.is_some_and(|target| !self.is_own(target)) {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "foreign_host",
                "the local torii answers only to this machine's names",
            ));
        }
        if sole(request.headers(), &ORIGIN)?.is_some_and(|origin| !is_loopback_origin(origin)) {
            return Err(foreign_page());
        }
        // A link that somebody follows is no page's request: its destination is a document in a window of its own.
        match sole(request.headers(), &SEC_FETCH_SITE)? {
            Some("cross-site") if sole(request.headers(), &SEC_FETCH_DEST)? != Some("document") => {
                Err(foreign_page())
            }
            _ => Ok(()),
        }
    }

    /// A listener on every address is reached by any of them. A rebound name is never an address.
    fn is_own(&self, authority: &str) -> bool {
        let Some(host) = host(authority) else { return false };
        is_loopback(host)
            || host
                .parse()
                .is_ok_and(|ip: IpAddr| ip == self.bound || self.bound.is_unspecified())
    }
}

/// What the control plane demands beyond [`Guard::check`], whatever address the emulator listens on. `path` is that
/// below the control plane's own.
pub(super) fn check_control(peer: &Peer, path: &str, request: &Request<Body>) -> Result<(), Error> {
    if !peer.address().ip().to_canonical().is_loopback() {
        return Err(Error::forbidden("the control plane is open to this machine only"));
    }
    let site = sole(request.headers(), &SEC_FETCH_SITE)?;
    if matches!(site, Some("cross-site" | "same-site")) {
        return Err(foreign_page());
    }
    let is_guarded = !request.method().is_safe() || path == "/export";
    if is_guarded && !request.headers().contains_key(CONTROL_HEADER) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "missing_control_header",
            "this call needs the header `X-Torii-Emulator: 1`, which no web page can send",
        ));
    }
    Ok(())
}

fn foreign_page() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "foreign_origin",
        "the local torii takes no requests from web pages of other sites",
    )
}

/// The environment that the request's secret key stands for.
#[derive(Clone, Copy)]
pub(super) struct Environment(pub(super) EnvironmentId);

impl<S: Sync> FromRequestParts<S> for Environment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        parts
            .extensions
            .get()
            .copied()
            .ok_or_else(|| Error::internal("a route of the backend API is not behind the secret key"))
    }
}

impl Part for Environment {
    fn describe(_: &mut Signature, _: &mut Schemas) {}
}

/// Lets a request of the backend API through to its route, whose parts are looked at only then.
pub(super) async fn secret_key(
    State(engine): State<Arc<Engine>>,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response<Body>, Error> {
    let environment = environment(&engine, request.headers())?;
    request.extensions_mut().insert(Environment(environment));
    Ok(next.run(request).await)
}

/// The environment whose secret key the request has.
pub(super) fn environment(engine: &Engine, headers: &HeaderMap) -> Result<EnvironmentId, Error> {
    let refused = |code, detail: &'static str| Error::new(ErrorKind::Unauthenticated, code, detail);
    let missing = || {
        refused(
            "missing_secret_key",
            "the request needs the header `Authorization: Bearer sk_test_…`",
        )
    };
    let header = sole(headers, &AUTHORIZATION)
        .map_err(|_| missing())?
        .ok_or_else(missing)?;
    let (scheme, key) = header.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(missing());
    }
    let key = key.trim();
    if key.starts_with(LIVE_KEY_PREFIX) {
        return Err(refused(
            "live_secret_key",
            "the local torii takes only test keys (sk_test_…); the live key was not kept",
        ));
    }
    let place = engine.secret_keys.place(key).ok_or_else(|| {
        refused(
            "invalid_secret_key",
            "the local torii does not know this secret key",
        )
    })?;
    engine.domain.environment(place)
}

/// The header's value as text, where there is at most one.
fn sole<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Error> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::invalid(format!("the header {name} came twice")));
    }
    first
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| Error::invalid(format!("the header {name} is not visible ASCII")))
}

/// The host of `host[:port]`, without the brackets of an IPv6 address.
fn host(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = rest.strip_prefix(':').unwrap_or("");
    let well_formed =
        (rest.is_empty() || rest.starts_with(':')) && port.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

fn is_loopback_origin(origin: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme))
        .and_then(host)
        .is_some_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_are_own() {
        let guard = Guard::new(IpAddr::from([127, 0, 0, 1]));
        for own in [
            "localhost",
            "LocalHost:4010",
            "localhost.",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]",
            "[::1]:4010",
        ] {
            assert!(guard.is_own(own), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "user@localhost",
            "localhost:4010:1",
            "localhost:x",
            "[::1",
            "[::1]x",
            "192.168.1.5",
            "128.0.0.1",
            "::1",
        ] {
            assert!(!guard.is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_listener_beyond_loopback_answers_to_its_addresses_and_to_no_name() {
        let one = Guard::new(IpAddr::from([192, 168, 1, 5]));
        assert!(one.is_own("192.168.1.5:4010"));
        assert!(!one.is_own("192.168.1.6:4010"));
        let every = Guard::new(IpAddr::from([0, 0, 0, 0]));
        assert!(every.is_own("192.168.1.6:4010"));
        assert!(!every.is_own("evil.example:4010"));
    }

    #[test]
    fn only_pages_of_this_machine_are_let_in() {
        for own in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:8080"] {
            assert!(is_loopback_origin(own), "{own}");
        }
        for foreign in [
            "null",
            "https://evil.example",
            "localhost",
            "file://",
            "http://localhost.evil.example",
        ] {
            assert!(!is_loopback_origin(foreign), "{foreign}");
        }
    }
}

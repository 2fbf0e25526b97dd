//! Who may call: the names that the emulator answers to, and its secret keys.

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
use crate::access::Access;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::loopback::is_loopback_host;
use crate::secret_keys::LIVE_KEY_PREFIX;

/// What a call of the control plane that changes or exports something must carry, with any value. A browser lets a web
/// page send it only after a preflight, which is never answered.
const CONTROL_HEADER: HeaderName = HeaderName::from_static("x-torii-emulator");
/// The call of the control plane that tells nothing but that the emulator runs, and is open to everybody.
const HEALTH: &str = "/health";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Keeps web pages and other machines out. It needs only the head of a request.
///
/// A foreign `Host` is the sign of DNS rebinding. A foreign `Origin` or `Sec-Fetch-Site` is the sign of a request that
/// another site's page makes.
pub(super) struct Guard<'g> {
    access: &'g Access,
}

impl<'g> Guard<'g> {
    pub(super) fn new(access: &'g Access) -> Self {
        Self { access }
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
                "the local torii answers only to this machine's names; `torii dev --allow-host` adds others",
            ));
        }
        if sole(request.headers(), &ORIGIN)?.is_some_and(|origin| !self.is_own_origin(origin, host)) {
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

    fn is_own(&self, authority: &str) -> bool {
        host(authority).is_some_and(|host| self.access.is_own_host(host))
    }

    /// A page of this machine, of a name that was allowed, or of this server itself.
    fn is_own_origin(&self, origin: &str, own_authority: &str) -> bool {
        let Some(authority) = origin_authority(origin) else {
            return false;
        };
        let is_own_name = |host| is_loopback_host(host) || self.access.is_allowed_name(host);
        authority.eq_ignore_ascii_case(own_authority) || host(authority).is_some_and(is_own_name)
    }
}

/// What the control plane demands beyond [`Guard::check`], whatever address the emulator listens on. `path` is that
/// below the control plane's own.
///
/// With a control token, everybody needs it, also on this machine: behind a port forward, others come from here too.
pub(super) fn check_control(
    access: &Access,
    peer: &Peer,
    path: &str,
    request: &Request<Body>,
) -> Result<(), Error> {
    if path != HEALTH && access.needs_control_token() {
        let presented = bearer(request.headers());
        if !presented.is_some_and(|token| access.is_control_token(token)) {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                "invalid_control_token",
                "this call needs the header `Authorization: Bearer <control token>`",
            ));
        }
    } else if path != HEALTH && !peer.address().ip().to_canonical().is_loopback() {
        return Err(Error::forbidden(
            "the control plane is open to this machine only; `torii dev --control-token` opens it to others",
        ));
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

/// What a form demands: that a page of this very server has sent it.
pub(super) fn check_own_page(headers: &HeaderMap) -> Result<(), Error> {
    let own = sole(headers, &HOST)?.unwrap_or_default();
    let is_own =
        |origin| origin_authority(origin).is_some_and(|authority| authority.eq_ignore_ascii_case(own));
    let from_own = sole(headers, &ORIGIN)?.is_none_or(is_own);
    let site = sole(headers, &SEC_FETCH_SITE)?;
    match from_own && matches!(site, None | Some("same-origin" | "none")) {
        true => Ok(()),
        false => Err(foreign_page()),
    }
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
    let key = bearer(headers).ok_or_else(missing)?;
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

/// What the one `Authorization` header of the scheme `Bearer` holds.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = sole(headers, &AUTHORIZATION).ok().flatten()?;
    let (scheme, credentials) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| credentials.trim())
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

/// `host[:port]` of the origin of a page on the web.
fn origin_authority(origin: &str) -> Option<&str> {
    ["http://", "https://"]
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn loopback() -> Access {
        Access::new(IpAddr::from([127, 0, 0, 1]), vec!["torii".to_owned()], None).expect("usable")
    }

    #[test]
    fn only_this_machines_names_are_own() {
        let access = loopback();
        let guard = Guard::new(&access);
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
            "[localhost]x",
        ] {
            assert!(!guard.is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_are_let_in() {
        let access = loopback();
        let guard = Guard::new(&access);
        for own in [
            "http://localhost:5173",
            "https://127.0.0.1",
            "http://[::1]:8080",
            "http://torii:3000",
            "http://10.0.0.1:4010",
        ] {
            assert!(guard.is_own_origin(own, "10.0.0.1:4010"), "{own}");
        }
        for foreign in [
            "null",
            "https://evil.example",
            "localhost",
            "file://",
            "http://localhost.evil.example",
            "http://10.0.0.1:4011",
        ] {
            assert!(!guard.is_own_origin(foreign, "10.0.0.1:4010"), "{foreign}");
        }
    }
}

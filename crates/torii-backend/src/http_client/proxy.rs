//! Which proxy stands between us and a server: one answer for both clients.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::{HttpError, HttpErrorKind};
use crate::config::host_is_loopback;

/// The proxies that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) or, where it names
/// none, the settings of macOS or Windows.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Arc<Matcher>);

impl Proxies {
    pub(super) fn of_system() -> Self {
        Self(Arc::new(Matcher::from_system()))
    }

    /// The proxy on the way to `uri`, with its credentials. This machine is always reached directly: what a proxy
    /// calls `localhost` is another machine.
    pub(super) fn for_uri(&self, uri: &Uri) -> Result<Option<Url>, HttpError> {
        if uri.host().is_some_and(host_is_loopback) {
            return Ok(None);
        }
        let Some(proxy) = self.0.intercept(uri) else {
            return Ok(None);
        };
        let refuse = |why| Err(HttpError::new(HttpErrorKind::Setup, why));
        match proxy.uri().scheme_str() {
            Some("http" | "https") => match with_credentials(&proxy) {
                Some(url) => Ok(Some(url)),
                None => refuse("the proxy's address cannot be used"),
            },
            // Going around a proxy that somebody asked for is no option.
            _ => refuse("the proxy is neither http nor https, and no other kind is supported"),
        }
    }
}

fn with_credentials(proxy: &Intercept) -> Option<Url> {
    let mut url = Url::parse(&proxy.uri().to_string()).ok()?;
    if let Some(basic) = proxy.basic_auth() {
        let decoded = STANDARD
            .decode(basic.to_str().ok()?.strip_prefix("Basic ")?)
            .ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        let (user, password) = decoded.split_once(':')?;
        url.set_username(user).ok()?;
        url.set_password(Some(password).filter(|password| !password.is_empty()))
            .ok()?;
    }
    Some(url)
}

//! Addresses that others may be sent to, and the origins that an environment allows.

use torii_backend_types::{AllowedOrigins, EnvironmentId, Metadata, SetAllowedOrigins};
use url::Url;

use super::Domain;
use super::profile::check_length;
use crate::error::{Error, ErrorKind};
use crate::loopback::is_loopback_host;

/// Most origins that an environment may allow.
const MAX_ORIGINS: usize = 100;
/// Most characters in an address.
const MAX_URL_CHARS: usize = 2_000;

impl Domain {
    pub(crate) async fn allowed_origins(&self, environment: EnvironmentId) -> Result<AllowedOrigins, Error> {
        self.store
            .read(move |tx| tx.allowed_origins(environment).map(listed))
            .await
    }

    /// Replaces the list. Its order stays, what comes twice is kept once.
    pub(crate) async fn set_allowed_origins(
        &self,
        environment: EnvironmentId,
        body: SetAllowedOrigins,
    ) -> Result<AllowedOrigins, Error> {
        let origins = canonical_origins(&body.origins)?;
        self.store
            .write(move |tx| {
                tx.set_allowed_origins(environment, &origins)?;
                Ok(listed(origins))
            })
            .await
    }
}

impl Domain {
    /// Where a browser may be sent back to with a token: an address of this machine, or one at an allowed origin.
    pub(crate) async fn redirect_target(&self, environment: EnvironmentId, text: &str) -> Result<Url, Error> {
        let url = check_url("redirect_url", text)?;
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let is_local =
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback_host);
        let origin = origin_of(&url);
        let allowed = self.store.read(move |tx| tx.allowed_origins(environment)).await?;
        if !has_credentials && (is_local || origin.is_some_and(|origin| allowed.contains(&origin))) {
            return Ok(url);
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "redirect_url_not_allowed",
            "redirect_url must be at this machine or at one of the environment's allowed origins",
        ))
    }
}

/// The origins as they are kept, each once.
pub(super) fn canonical_origins(origins: &[String]) -> Result<Vec<String>, Error> {
    if origins.len() > MAX_ORIGINS {
        return Err(Error::invalid(format!(
            "origins has {} entries; {MAX_ORIGINS} is the most",
            origins.len()
        )));
    }
    let mut kept = Vec::with_capacity(origins.len());
    for (place, origin) in origins.iter().enumerate() {
        let origin = canonical_origin(origin).ok_or_else(|| {
            Error::invalid(format!("origins[{place}] is not an origin: scheme://host[:port]"))
        })?;
        if !kept.contains(&origin) {
            kept.push(origin);
        }
    }
    Ok(kept)
}

/// An absolute address with a host.
pub(super) fn check_url(field: &str, text: &str) -> Result<Url, Error> {
    check_length(field, text, MAX_URL_CHARS)?;
    // The parser would drop what does not belong in an address, and take `https:host` for one.
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let parsed = Url::parse(text).ok();
    parsed
        .filter(|url| plain && text.contains("://") && origin_of(url).is_some())
        .ok_or_else(|| Error::invalid(format!("{field} must be an absolute address: scheme://host/path")))
}

/// Scheme, host and port of an address. Schemes of applications count, which the web's own rule leaves out.
pub(super) fn origin_of(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let host = host.to_ascii_lowercase();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()))
}

fn canonical_origin(text: &str) -> Option<String> {
    let (_, authority) = text.split_once("://")?;
    if authority.contains(['/', '\\', '?', '#', '@', '*']) {
        return None;
    }
    let url = check_url("origin", text).ok()?;
    origin_of(&url)
}

fn listed(origins: Vec<String>) -> AllowedOrigins {
    AllowedOrigins {
        origins,
        extra: Metadata::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (given, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Ionic://LocalHost", "ionic://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://blåbær.dk", "https://xn--blbr-roah.dk"),
        ] {
            assert_eq!(canonical_origin(given).as_deref(), Some(kept), "{given}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_none() {
        for text in [
            "",
            "null",
            "*",
            "https://",
            "https://*.example.com",
            "app.example.com",
            "localhost:5173",
            "https:app.example.com",
            "https:///app.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?",
            "https://app.example.com#",
            "https://user@app.example.com",
            "https://app.example.com:99999",
            "https://app.example.com\\",
            " https://app.example.com",
            "https://app.exa\nmple.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            assert_eq!(canonical_origin(text), None, "{text:?}");
        }
    }
}

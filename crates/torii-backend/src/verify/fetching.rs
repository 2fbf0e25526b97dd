//! How a verifier's keys are fetched, as its builder was told.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use super::keys::Keys;
use super::keys::cache::RemoteKeys;
use super::keys::fetch::{CONNECT_TIMEOUT, KEY_SET_PATH};
use super::keys::jwks::KeySet;
use super::keys::set::CacheSettings;
use super::keys::source::KeySource;
use super::keys::status::KeySnapshot;
use super::registry::Registry;
use super::verifier::Trusted;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, BaseUrl, ConfigError};
use crate::http_client::{HttpClient, ReqwestClient};
use crate::process::PerProcess;

/// How keys are fetched; what is `None` is left to the defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetching {
    pub(super) client: Option<Arc<dyn HttpClient>>,
    pub(super) cache: Option<CacheSettings>,
    pub(super) timeout: Option<Duration>,
    pub(super) snapshots: Vec<KeySnapshot>,
}

impl Fetching {
    pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

    /// The keys of `source`, which with default settings are those of all verifiers of its address.
    pub(super) fn keys(
        &self,
        issuer: &str,
        source: &KeySource,
        clock: Option<&Arc<dyn Clock>>,
        allow_insecure_http: bool,
    ) -> Result<Arc<RemoteKeys>, ConfigError> {
        self.check()?;
        let url = match source {
            KeySource::Url(url) => {
                config::check_address("key source", url, allow_insecure_http)?;
                if url.parse::<Uri>().is_err() {
                    let problem = "contains a character that must be percent-encoded";
                    return Err(ConfigError::new("key source", problem));
                }
                tracing::info!(url, "keys come from another address than the issuer's");
                url.clone()
            }
            _ => BaseUrl::parse("issuer", issuer, allow_insecure_http)?.join(KEY_SET_PATH),
        };
        let Self {
            client,
            cache,
            timeout,
            ..
        } = self;
        let is_default = clock.is_none() && client.is_none() && cache.is_none() && timeout.is_none();
        let make = || {
            Arc::new(RemoteKeys::new(
                url.clone(),
                client.clone().unwrap_or_else(shared_http_client),
                clock.cloned().unwrap_or_else(|| Arc::new(SystemClock)),
                cache.clone().unwrap_or_default(),
                timeout.unwrap_or(Self::DEFAULT_TIMEOUT),
            ))
        };
        Ok(match SHARED_KEYS.get(&url) {
            _ if !is_default => make(),
            Some(shared) => shared,
            None => SHARED_KEYS.insert(&url, make()),
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let limit = self.cache.as_ref().map(|cache| cache.stale_limit);
        if limit.is_some_and(|limit| limit > CacheSettings::MAX_STALE_LIMIT) {
            let most = CacheSettings::MAX_STALE_LIMIT.as_secs();
            return Err(ConfigError::new(
                "cache",
                format!("the stale limit must be at most {most} seconds"),
            ));
        }
        let allowed = Duration::from_millis(100)..=Duration::from_secs(30);
        match self.timeout {
            Some(timeout) if !allowed.contains(&timeout) => {
                Err(ConfigError::new("fetch timeout", "must be 0.1 to 30 seconds"))
            }
            _ => Ok(()),
        }
    }

    /// Hands the snapshots to the issuers that they are of.
    pub(super) fn import_into(&self, issuers: &[Trusted]) -> Result<(), ConfigError> {
        let refuse = |problem: &str| ConfigError::new("import_keys", problem.to_owned());
        let remotes = issuers.iter().filter_map(|trusted| match &trusted.keys {
            Keys::Given(_) => None,
            Keys::Remote(remote) => Some(remote),
        });
        let remotes: Vec<_> = remotes.collect();
        if remotes.is_empty() && !self.snapshots.is_empty() {
            return Err(refuse("cannot be combined with keys that are given"));
        }
        for snapshot in &self.snapshots {
            let remote = remotes.iter().find(|remote| remote.url() == snapshot.url);
            let remote = remote.ok_or_else(|| refuse("the keys are another issuer's"))?;
            let keys =
                KeySet::from_jwks(snapshot.jwks.as_bytes()).map_err(|error| refuse(&error.to_string()))?;
            remote.import(keys, snapshot);
        }
        Ok(())
    }
}

/// The caches of all verifiers with the default settings, by the address of the key set.
pub(super) static SHARED_KEYS: Registry<RemoteKeys> = Registry::new();

/// The client of all verifiers that were given none.
fn shared_http_client() -> Arc<dyn HttpClient> {
    static SHARED: PerProcess<ReqwestClient> = PerProcess::new();
    SHARED.get_or_make(|| ReqwestClient::new(CONNECT_TIMEOUT))
}

//! How a verifier is configured. Everything is checked by [`VerifierBuilder::build`], nothing later.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::cache::CacheSettings;
use super::claims::ClaimsPolicy;
use super::fetch::{CONNECT_TIMEOUT, KEY_SET_PATH};
use super::header::AllowedTypes;
use super::jwks::KeySet;
use super::key_source::{self, KeySource, Keys};
use super::lru::Lru;
use super::remote::{KeySnapshot, RemoteKeys};
use super::verified::VerifiedTokens;
use super::verifier::Verifier;
use crate::clock::{Clock, SystemClock};
use crate::config::{BaseUrl, ConfigError};
use crate::http_client::{HttpClient, ReqwestClient};
use crate::process::PerProcess;

/// Builds a [`Verifier`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct VerifierBuilder {
    issuer: String,
    audiences: Option<Vec<String>>,
    authorized_parties: Option<Vec<String>>,
    types: Option<Vec<String>>,
    leeway: Duration,
    header: String,
    key_source: KeySource,
    allow_insecure_http: bool,
    clock: Option<Arc<dyn Clock>>,
    http_client: Option<Arc<dyn HttpClient>>,
    cache: Option<CacheSettings>,
    snapshot: Option<KeySnapshot>,
    verified_tokens: usize,
}

impl Verifier {
    /// A verifier with the defaults, for tokens whose `iss` is `issuer` (trailing slashes do not matter).
    ///
    /// # Errors
    ///
    /// If the issuer is not an https URL, or http on loopback. See [`VerifierBuilder::build`].
    pub fn new(issuer: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(issuer).build()
    }

    /// A verifier with settings of your own.
    ///
    /// `issuer` is configuration: never take it from a token or a request.
    pub fn builder(issuer: impl Into<String>) -> VerifierBuilder {
        VerifierBuilder::new(issuer)
    }
}

impl VerifierBuilder {
    /// Default of [`leeway`](Self::leeway).
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
    /// Largest [`leeway`](Self::leeway).
    pub const MAX_LEEWAY: Duration = Duration::from_secs(300);
    /// Default of [`remember_verified`](Self::remember_verified).
    pub const DEFAULT_VERIFIED_TOKENS: usize = 10_000;

    fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: None,
            authorized_parties: None,
            types: None,
            leeway: Self::DEFAULT_LEEWAY,
            header: AUTHORIZATION.as_str().to_owned(),
            key_source: KeySource::default(),
            allow_insecure_http: false,
            clock: None,
            http_client: None,
            cache: None,
            snapshot: None,
            verified_tokens: Self::DEFAULT_VERIFIED_TOKENS,
        }
    }

    /// Demands an `aud` claim that names one of these. Without this, a token that has an `aud` claim is refused.
    pub fn audiences(mut self, audiences: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.audiences = Some(audiences.into_iter().map(Into::into).collect());
        self
    }

    /// Demands an `azp` claim that is one of these. Without this, `azp` is not looked at.
    pub fn authorized_parties(mut self, parties: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.authorized_parties = Some(parties.into_iter().map(Into::into).collect());
        self
    }

    /// Demands a `typ` in the token's header that is one of these, compared without case, and with or without
    /// `application/`. Without this, `JWT`, `at+jwt` and no `typ` at all are taken.
    pub fn allowed_types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// How far the issuer's clock may differ from ours, in whole seconds. Default
    /// [30 s](Self::DEFAULT_LEEWAY), at most [300 s](Self::MAX_LEEWAY).
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The request header that carries the token. Default `authorization`; when set, that one is not looked at.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = name.into();
        self
    }

    /// Where the keys come from. Default [`KeySource::Issuer`].
    pub fn key_source(mut self, source: KeySource) -> Self {
        self.key_source = source;
        self
    }

    /// Starts with keys that another process exported, instead of fetching at the first token.
    pub fn import_keys(mut self, snapshot: KeySnapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Lets the issuer's address be plain http beyond loopback: whoever is on the way can then replace the keys.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// The clock that claims and key ages are judged by. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The client that fetches keys. Default: a [`ReqwestClient`] that all verifiers share.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// How long fetched keys are used.
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.cache = Some(settings);
        self
    }

    /// How many verified tokens are remembered, so that seeing one again costs no signature check. Default
    /// [10,000](Self::DEFAULT_VERIFIED_TOKENS) of ordinary size, with a payload of 512 bytes; 0 remembers none. A token
    /// takes its payload and some 250 bytes, and more once somebody has asked for [`Auth::raw`](crate::Auth::raw).
    ///
    /// It changes no decision: the expiry, and that the key is still the issuer's, are checked each time. Tokens
    /// themselves are not kept, only their SHA-256 and their payload.
    pub fn remember_verified(mut self, tokens: usize) -> Self {
        self.verified_tokens = tokens;
        self
    }

    /// Checks the settings. Opens no connection and starts no thread.
    ///
    /// Verifiers of one issuer that leave the key source, the clock, the client and the cache at their defaults
    /// share one key cache, so that building a verifier per request costs no fetch.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting: an issuer that is not https (or http on loopback), an empty list,
    /// a leeway out of range, keys that cannot be read.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        let issuer = BaseUrl::parse("issuer", &self.issuer, self.allow_insecure_http)?;
        let claims = ClaimsPolicy {
            issuers: [self.issuer.as_str(), self.issuer.trim_end_matches('/')].map(Arc::from),
            audiences: some_texts("audiences", self.audiences.clone())?.unwrap_or_default(),
            authorized_parties: some_texts("authorized_parties", self.authorized_parties.clone())?
                .unwrap_or_default(),
            leeway: self.leeway,
        };
        if self.leeway > Self::MAX_LEEWAY || self.leeway.subsec_nanos() != 0 {
            let most = Self::MAX_LEEWAY.as_secs();
            return Err(ConfigError::new(
                "leeway",
                format!("must be a whole number of seconds, 0 to {most}"),
            ));
        }
        if self
            .cache
            .as_ref()
            .is_some_and(|cache| cache.stale_limit > CacheSettings::MAX_STALE_LIMIT)
        {
            let most = CacheSettings::MAX_STALE_LIMIT.as_secs();
            return Err(ConfigError::new(
                "cache",
                format!("the stale limit must be at most {most} seconds"),
            ));
        }
        let types = some_texts("allowed_types", self.types.clone())?;
        let types = types.map_or_else(AllowedTypes::default, AllowedTypes::exactly);
        let header = HeaderName::try_from(self.header.as_str())
            .map_err(|_| ConfigError::new("header", "is not the name of a header"))?;
        let keys = self.keys(&issuer)?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let verified = VerifiedTokens::new(self.verified_tokens);
        Ok(Verifier::from_parts(claims, types, header, keys, clock, verified))
    }

    fn keys(&self, issuer: &BaseUrl) -> Result<Keys, ConfigError> {
        if let Some(set) = key_source::read(&self.key_source)? {
            return match self.snapshot {
                None => Ok(Keys::Given(Arc::new(set))),
                Some(_) => Err(ConfigError::new(
                    "import_keys",
                    "cannot be combined with keys that are given",
                )),
            };
        }
        let url = match &self.key_source {
            KeySource::Url(url) => {
                let url = BaseUrl::parse("key source", url, self.allow_insecure_http)?;
                tracing::info!(
                    url = url.as_str(),
                    "keys come from another address than the issuer's"
                );
                url.as_str().to_owned()
            }
            _ => issuer.join(KEY_SET_PATH),
        };
        let custom = self.clock.is_some() || self.http_client.is_some() || self.cache.is_some();
        let remote = if custom {
            Arc::new(self.remote(url))
        } else {
            shared_keys(&url, || self.remote(url.clone()))
        };
        if let Some(snapshot) = &self.snapshot {
            self.import(&remote, snapshot)?;
        }
        Ok(Keys::Remote(remote))
    }

    fn remote(&self, url: String) -> RemoteKeys {
        let client = self.http_client.clone().unwrap_or_else(shared_http_client);
        let clock = self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        RemoteKeys::new(url, client, clock, self.cache.clone().unwrap_or_default())
    }

    fn import(&self, remote: &RemoteKeys, snapshot: &KeySnapshot) -> Result<(), ConfigError> {
        if snapshot.url != remote.url() {
            return Err(ConfigError::new("import_keys", "the keys are another issuer's"));
        }
        let keys = KeySet::from_jwks(snapshot.jwks.as_bytes())
            .map_err(|error| ConfigError::new("import_keys", error.to_string()))?;
        remote.import(keys, snapshot);
        Ok(())
    }
}

/// The caches of all verifiers with the default settings, by the address of the key set.
pub(super) static SHARED_KEYS: Lru<RemoteKeys> = Lru::new();

fn shared_keys(url: &str, make: impl FnOnce() -> RemoteKeys) -> Arc<RemoteKeys> {
    SHARED_KEYS
        .get(url)
        .unwrap_or_else(|| SHARED_KEYS.insert(url, Arc::new(make())))
}

/// The client of all verifiers that were given none.
fn shared_http_client() -> Arc<dyn HttpClient> {
    static SHARED: PerProcess<ReqwestClient> = PerProcess::new();
    SHARED.get_or_make(|| ReqwestClient::new(CONNECT_TIMEOUT))
}

/// A list that, if given, names something: an empty one would silently switch the check off.
fn some_texts(setting: &'static str, texts: Option<Vec<String>>) -> Result<Option<Vec<String>>, ConfigError> {
    match &texts {
        Some(texts) if texts.is_empty() => Err(ConfigError::new(setting, "is an empty list")),
        Some(texts) if texts.iter().any(String::is_empty) => {
            Err(ConfigError::new(setting, "contains an empty text"))
        }
        _ => Ok(texts),
    }
}

//! How a verifier is configured. Everything is checked by [`VerifierBuilder::build`], nothing later.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::credentials::{self, Places};
#[cfg(feature = "http")]
use super::fetching::Fetching;
use super::keys::Keys;
#[cfg(feature = "http")]
use super::keys::set::CacheSettings;
use super::keys::source::{self, KeySource};
#[cfg(feature = "http")]
use super::keys::status::KeySnapshot;
use super::token::claims::ClaimsPolicy;
use super::token::header::AllowedTypes;
use super::token::issuer::Issuer;
use super::verified::VerifiedTokens;
use super::verifier::{Trusted, Verifier};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, ConfigError};
#[cfg(feature = "http")]
use crate::http_client::HttpClient;

/// Builds a [`Verifier`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct VerifierBuilder {
    /// The issuers and where their keys come from; the first is what the builder was made for.
    issuers: Vec<(String, KeySource)>,
    audiences: Option<Vec<String>>,
    authorized_parties: Option<Vec<String>>,
    types: Option<Vec<String>>,
    leeway: Duration,
    header: String,
    websocket_protocol: bool,
    cookie: Option<String>,
    allow_insecure_http: bool,
    clock: Option<Arc<dyn Clock>>,
    #[cfg(feature = "http")]
    fetching: Fetching,
    verified_tokens: usize,
}

impl Verifier {
    /// A verifier with the defaults, for tokens whose `iss` is `issuer`, as written here or without its trailing slashes.
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

    /// A verifier as the environment configures it: `TORII_ISSUER`, and `TORII_AUDIENCE` with the
    /// [audiences](VerifierBuilder::audiences), separated by commas, if it is set.
    ///
    /// # Errors
    ///
    /// If `TORII_ISSUER` is not set, and as [`VerifierBuilder::build`].
    pub fn from_env() -> Result<Self, ConfigError> {
        VerifierBuilder::from_env()?.build()
    }
}

impl VerifierBuilder {
    /// Default of [`leeway`](Self::leeway).
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
    /// Largest [`leeway`](Self::leeway).
    pub const MAX_LEEWAY: Duration = Duration::from_secs(300);
    /// Default of [`fetch_timeout`](Self::fetch_timeout).
    #[cfg(feature = "http")]
    pub const DEFAULT_FETCH_TIMEOUT: Duration = Fetching::DEFAULT_TIMEOUT;
    /// Default of [`remember_verified`](Self::remember_verified).
    pub const DEFAULT_VERIFIED_TOKENS: usize = 10_000;

    fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuers: vec![(issuer.into(), KeySource::default())],
            audiences: None,
            authorized_parties: None,
            types: None,
            leeway: Self::DEFAULT_LEEWAY,
            header: AUTHORIZATION.as_str().to_owned(),
            websocket_protocol: false,
            cookie: None,
            allow_insecure_http: false,
            clock: None,
            #[cfg(feature = "http")]
            fetching: Fetching::default(),
            verified_tokens: Self::DEFAULT_VERIFIED_TOKENS,
        }
    }

    /// A builder with what the environment configures, as [`Verifier::from_env`] reads it.
    ///
    /// # Errors
    ///
    /// If `TORII_ISSUER` is not set.
    pub fn from_env() -> Result<Self, ConfigError> {
        const ISSUER: &str = "TORII_ISSUER";
        let issuer = config::from_env(ISSUER)?.ok_or_else(|| ConfigError::new(ISSUER, "is not set"))?;
        let builder = Self::new(issuer);
        Ok(match config::from_env("TORII_AUDIENCE")? {
            Some(audiences) => builder.audiences(audiences.split(',').map(str::trim)),
            None => builder,
        })
    }

    /// Accepts the tokens of one more issuer, with keys from `source`. The other settings hold for all issuers.
    ///
    /// A token's `iss` selects among the configured issuers, and the token must be signed by a key of that one. The token
    /// of any other issuer is refused with the code `issuer_mismatch`, and causes no request.
    pub fn accept_issuer(mut self, issuer: impl Into<String>, source: KeySource) -> Self {
        self.issuers.push((issuer.into(), source));
        self
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
    ///
    /// `authorization` must hold `Bearer` and a token. Any other header may also hold the token alone.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = name.into();
        self
    }

    /// Takes the token from a WebSocket handshake's subprotocols as well: the one that follows `bearer` in
    /// `Sec-WebSocket-Protocol`, as `new WebSocket(url, ["bearer", token])` sends it. A browser's script can set no other
    /// header. The header counts first. The server has to select the subprotocol `bearer` in its answer, or else the
    /// browser closes the connection.
    pub fn websocket_protocol(mut self, accept: bool) -> Self {
        self.websocket_protocol = accept;
        self
    }

    /// Takes the token from the cookie of this name as well, if no other place holds one.
    ///
    /// A browser sends cookies along with requests that other sites make it send: set the cookie with `HttpOnly`,
    /// `Secure` and `SameSite=Lax` or `Strict`, and protect what changes something against cross-site request forgery.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Where the keys of the builder's own issuer come from. Default [`KeySource::Issuer`].
    pub fn key_source(mut self, source: KeySource) -> Self {
        self.issuers[0].1 = source;
        self
    }

    /// Starts with keys that another process exported, instead of fetching at the first token. With several issuers, it
    /// can be called for each.
    #[cfg(feature = "http")]
    pub fn import_keys(mut self, snapshot: KeySnapshot) -> Self {
        self.fetching.snapshots.push(snapshot);
        self
    }

    /// Lets addresses be plain http beyond loopback: whoever is on the way can then replace the keys.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// The clock that claims and key ages are judged by. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The client that fetches keys. Default: a [`ReqwestClient`](crate::http_client::ReqwestClient) that all verifiers share.
    #[cfg(feature = "http")]
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.fetching.client = Some(Arc::new(client));
        self
    }

    /// How long a fetch of the key set may take, its second attempt included, and so how long the first token may wait:
    /// 0.1 s to 30 s. Default [5 s](Self::DEFAULT_FETCH_TIMEOUT).
    #[cfg(feature = "http")]
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetching.timeout = Some(timeout);
        self
    }

    /// How long fetched keys are used.
    #[cfg(feature = "http")]
    pub fn cache(mut self, settings: CacheSettings) -> Self {
        self.fetching.cache = Some(settings);
        self
    }

    /// How many verified tokens are remembered, so that seeing one again costs no signature check. Default
    /// [10,000](Self::DEFAULT_VERIFIED_TOKENS) of ordinary size, with a payload of 512 bytes; 0 remembers none. A token
    /// takes its payload and some 250 bytes, and more once somebody has asked for [`Auth::raw`](crate::Auth::raw).
    ///
    /// It changes no decision: the expiry, and that the key is still the issuer's, are checked each time. Tokens
    /// themselves are not kept, only a keyed hash of each and its payload.
    pub fn remember_verified(mut self, tokens: usize) -> Self {
        self.verified_tokens = tokens;
        self
    }

    /// Checks the settings. Opens no connection and starts no thread.
    ///
    /// Verifiers that fetch keys from one address, and leave the clock, the client, the fetch's timeout and the cache at
    /// their defaults, share one key cache, so that building a verifier per request costs no fetch.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting: an issuer that is not https (or http on loopback), an empty list,
    /// a leeway out of range, keys that cannot be read.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        let issuers = self.trusted()?;
        let claims = ClaimsPolicy {
            audiences: some_texts("audiences", self.audiences)?.unwrap_or_default(),
            authorized_parties: some_texts("authorized_parties", self.authorized_parties)?
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
        let types = some_texts("allowed_types", self.types)?;
        let types = types.map_or_else(AllowedTypes::default, AllowedTypes::exactly);
        let header = HeaderName::try_from(self.header.as_str())
            .map_err(|_| ConfigError::new("header", "is not the name of a header"))?;
        if self
            .cookie
            .as_deref()
            .is_some_and(|name| !credentials::is_cookie_name(name))
        {
            return Err(ConfigError::new("cookie", "is not the name of a cookie"));
        }
        let places = Places {
            header,
            websocket_protocol: self.websocket_protocol,
            cookie: self.cookie,
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let verified = VerifiedTokens::new(self.verified_tokens);
        Ok(Verifier::from_parts(
            claims, types, places, issuers, clock, verified,
        ))
    }

    /// The issuers and their keys.
    fn trusted(&self) -> Result<Vec<Trusted>, ConfigError> {
        let mut all: Vec<Trusted> = Vec::new();
        for (text, source) in &self.issuers {
            let issuer = Issuer::parse(text, self.allow_insecure_http)?;
            if all.iter().any(|other| issuer.overlaps(&other.issuer)) {
                return Err(ConfigError::new("issuer", "is configured twice"));
            }
            let keys = match source::read(source)? {
                Some(set) => Keys::Given(Arc::new(set)),
                #[cfg(feature = "http")]
                None => {
                    let (issuer, clock) = (issuer.as_str(), self.clock.as_ref());
                    Keys::Remote(
                        self.fetching
                            .keys(issuer, source, clock, self.allow_insecure_http)?,
                    )
                }
                #[cfg(not(feature = "http"))]
                None => return Err(source::needs_http()),
            };
            all.push(Trusted { issuer, keys });
        }
        #[cfg(feature = "http")]
        self.fetching.import_into(&all)?;
        Ok(all)
    }
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

//! What the default HTTP client can be told.

use std::time::Duration;

use http::header::HeaderValue;
use rustls::pki_types::CertificateDer;

use super::proxy::Proxies;
use super::tls;
use crate::config::ConfigError;

pub(super) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For how long new requests use the connections that are open. After that they open new ones, so that a host that has
/// moved is found at its new address although it is always busy.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(180);

/// Makes a [`ReqwestClient`](super::ReqwestClient).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ReqwestClientBuilder {
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) max_idle_per_host: usize,
    pub(super) connection_lifetime: Duration,
    pub(super) user_agent: Option<Result<HeaderValue, ConfigError>>,
    pub(super) roots: Option<Result<Vec<CertificateDer<'static>>, ConfigError>>,
    pub(super) proxies: Option<Result<Proxies, ConfigError>>,
}

impl Default for ReqwestClientBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            idle_timeout: Self::DEFAULT_IDLE_TIMEOUT,
            max_idle_per_host: Self::DEFAULT_MAX_IDLE_PER_HOST,
            connection_lifetime: CONNECTION_LIFETIME,
            user_agent: None,
            roots: None,
            proxies: None,
        }
    }
}

impl ReqwestClientBuilder {
    /// Less than the 60 s after which load balancers usually close a connection.
    ///
    /// A server that closes sooner is noticed before the connection is used again, unless its close and our request
    /// cross on the way. Then nobody can know whether it saw the request, and the retry classes decide.
    pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
    /// Idle connections to one host.
    pub const DEFAULT_MAX_IDLE_PER_HOST: usize = 16;

    /// Until a connection must stand, name look-up and TLS included. Default
    /// [`ReqwestClient::DEFAULT_CONNECT_TIMEOUT`](super::ReqwestClient::DEFAULT_CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an idle connection is kept. Default [`DEFAULT_IDLE_TIMEOUT`](Self::DEFAULT_IDLE_TIMEOUT).
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How many idle connections to one host are kept. Default
    /// [`DEFAULT_MAX_IDLE_PER_HOST`](Self::DEFAULT_MAX_IDLE_PER_HOST).
    pub fn pool_max_idle_per_host(mut self, most: usize) -> Self {
        self.max_idle_per_host = most;
        self
    }

    /// `User-Agent`, in place of the one that a request has.
    pub fn user_agent(mut self, value: &str) -> Self {
        let value = HeaderValue::from_str(value);
        self.user_agent =
            Some(value.map_err(|_| ConfigError::new("user agent", "cannot be sent in a header")));
        self
    }

    /// Trusts exactly these certificates, in PEM, and no variable, platform or built-in root.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        let roots = tls::read_pem(pem.as_ref());
        self.roots = Some(roots.map_err(|problem| ConfigError::new("root certificates", problem)));
        self
    }

    /// Goes through this proxy (`http://user:password@host:port`), except to loopback. No variable is read.
    pub fn proxy(mut self, address: &str) -> Self {
        self.proxies = Some(Proxies::only(address));
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxies = Some(Ok(Proxies::default()));
        self
    }

    /// For tests: after this time new requests open new connections.
    #[doc(hidden)]
    pub fn connection_lifetime(mut self, lifetime: Duration) -> Self {
        self.connection_lifetime = lifetime;
        self
    }
}

//! The client of torii's backend API.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Sessions, Users};
use crate::config::{self, BaseUrl, ConfigError, SecretKey};
use crate::transport::{HttpClient, ReqwestClient, Timeouts, Transport};

/// A client of torii's backend API. Cheap to clone; clones share connections.
///
/// ```no_run
/// # async fn example() -> Result<(), torii_backend::Error> {
/// let torii = torii_backend::Torii::new("sk_test_…")?;
/// let user = torii.users().get("01931a73-8b00-7000-8000-000000000000").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Torii {
    transport: Arc<Transport>,
}

impl Torii {
    /// Address of the API unless another is configured.
    pub const DEFAULT_API_URL: &'static str = "https://api.torii.so";

    /// A client with the defaults.
    ///
    /// # Errors
    ///
    /// If the text cannot be a secret key. The key is not repeated in the error.
    pub fn new(secret_key: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::builder(secret_key).build()
    }

    /// A client with settings of your own.
    pub fn builder(secret_key: impl AsRef<str>) -> ToriiBuilder {
        ToriiBuilder::new(SecretKey::parse(secret_key.as_ref()))
    }

    /// A client from `TORII_SECRET_KEY` and, if it is set, `TORII_API_URL`. Nothing else reads the environment.
    ///
    /// # Errors
    ///
    /// If `TORII_SECRET_KEY` is absent or empty, or either cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        let secret_key = config::from_env("TORII_SECRET_KEY")?
            .ok_or_else(|| ConfigError::new("TORII_SECRET_KEY", "is not set"))?;
        let builder = Self::builder(secret_key);
        match config::from_env("TORII_API_URL")? {
            Some(api_url) => builder.api_url(api_url).build(),
            None => builder.build(),
        }
    }

    /// End-users.
    pub fn users(&self) -> Users<'_> {
        Users::new(&self.transport)
    }

    /// End-users' sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions::new(&self.transport)
    }
}

/// Builds a [`Torii`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ToriiBuilder {
    secret_key: Result<SecretKey, ConfigError>,
    api_url: String,
    allow_insecure_http: bool,
    timeouts: Timeouts,
    http_client: Option<Arc<dyn HttpClient>>,
    user_agent_suffix: Option<String>,
}

impl ToriiBuilder {
    fn new(secret_key: Result<SecretKey, ConfigError>) -> Self {
        Self {
            secret_key,
            api_url: Torii::DEFAULT_API_URL.to_owned(),
            allow_insecure_http: false,
            timeouts: Timeouts::default(),
            http_client: None,
            user_agent_suffix: None,
        }
    }

    /// Where the API is. Default [`Torii::DEFAULT_API_URL`]. A path prefix is kept.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = url.into();
        self
    }

    /// Lets the API's address be plain http beyond loopback: whoever is on the way can then read the secret key.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// Until a connection must stand, name look-up and TLS included. Default 3 s. A client given by
    /// [`http_client`](Self::http_client) has its own.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// Until the last byte of one attempt's reply. Default 10 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.attempt = limit;
        self
    }

    /// Until a call returns, whatever happens. Default 30 s.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.call = limit;
        self
    }

    /// Performs the exchanges. Default: a [`ReqwestClient`] of this client's own.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Your application's name and version, put behind ours in `User-Agent`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Checks the settings. Opens no connection.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting: a secret key that cannot be one, an address that is not https (or
    /// http on loopback), a time limit of zero.
    pub fn build(self) -> Result<Torii, ConfigError> {
        let secret_key = self.secret_key?;
        let base = BaseUrl::parse("api_url", &self.api_url, self.allow_insecure_http)?;
        if secret_key.is_live() && base.is_loopback() {
            tracing::warn!("a live secret key is being sent to a local server");
        }
        let Timeouts {
            connect,
            attempt,
            call,
        } = self.timeouts;
        if [connect, attempt, call].iter().any(Duration::is_zero) {
            return Err(ConfigError::new("timeouts", "must be longer than zero"));
        }
        let client = self
            .http_client
            .unwrap_or_else(|| Arc::new(ReqwestClient::new(connect)));
        let suffix = self.user_agent_suffix.as_deref();
        let transport = Transport::new(client, base, secret_key, suffix, self.timeouts)?;
        Ok(Torii {
            transport: Arc::new(transport),
        })
    }
}

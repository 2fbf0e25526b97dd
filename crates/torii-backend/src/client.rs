//! The client of torii's backend API.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Impersonation, Invitations, Organizations, Origins, Sessions, Users};
use crate::config::{self, BaseUrl, ConfigError, SecretKey};
use crate::http_client::{HttpClient, ReqwestClient};
#[cfg(feature = "blocking")]
use crate::transport::Blocking;
use crate::transport::{Async, Interrupt, Mode, Timeouts, Transport};

/// A client of torii's backend API. Cheap to clone; clones share connections. In the child of a fork, see
/// [`process::forked`](crate::process::forked).
///
/// ```no_run
/// # async fn example() -> Result<(), torii_backend::Error> {
/// let torii = torii_backend::Torii::new("sk_test_…")?;
/// let user = torii.users().get("01931a73-8b00-7000-8000-000000000000").await?;
/// # Ok(()) }
/// ```
///
/// It can be awaited on any executor, and one client may serve several runtimes: connections are kept by a thread of the
/// process, which starts with the first call. For a program without an executor, the feature `blocking` adds
/// `ToriiBuilder::build_blocking`, which makes a `BlockingTorii` with the same methods.
///
/// # What is retried
///
/// A call makes another attempt where that can do no harm, after a random wait that grows. What an operation does
/// and how an attempt failed decide:
///
/// | the operation | nothing was sent | told to come back later | may have been carried out |
/// |---|---|---|---|
/// | reads | retried | retried | retried |
/// | sets what is the same the second time | retried | retried | once more, and soon: a late repeat could undo somebody's newer change |
/// | deletes one thing | retried | after 429 only | [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) |
/// | creates, mails or mints | once more | once more, after 429 only | [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) |
///
/// - Nothing was sent: there was no connection, for want of an address, an answer or a TLS handshake.
/// - Told to come back later: 408, 425, 429, or 503 with `Retry-After`.
/// - May have been carried out: the connection broke or the time ran out after that, or the reply was another server
///   error. No client can tell a lost request from a lost answer.
///
/// A `Retry-After` of any reply is obeyed; one that is longer than the call has time, or than 30 s, ends the retries and is
/// returned in the error.
///
/// Every other refusal is final. A 403 or a 404 on a deletion is never taken for success. When much fails, a client
/// stops retrying until calls succeed again, so that it does not add to the load.
/// [`Call::without_retries`](crate::Call::without_retries) makes one attempt only.
#[derive(Clone, Debug)]
pub struct Torii<M: Mode = Async> {
    transport: Arc<Transport<M>>,
}

/// A client whose calls wait on the calling thread, by [`Call::send`](crate::Call::send).
///
/// ```no_run
/// # fn example() -> Result<(), torii_backend::Error> {
/// let torii = torii_backend::Torii::builder("sk_test_…").build_blocking()?;
/// let user = torii.users().get("01931a73-8b00-7000-8000-000000000000").send()?;
/// # Ok(()) }
/// ```
#[cfg(feature = "blocking")]
pub type BlockingTorii = Torii<Blocking>;

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
        ToriiBuilder::from_env()?.build()
    }
}

impl<M: Mode> Torii<M> {
    /// End-users.
    pub fn users(&self) -> Users<M> {
        Users(self.transport.clone())
    }

    /// End-users' sessions.
    pub fn sessions(&self) -> Sessions<M> {
        Sessions(self.transport.clone())
    }

    /// Organizations and who belongs to them.
    pub fn organizations(&self) -> Organizations<M> {
        Organizations(self.transport.clone())
    }

    /// Invitations to sign up.
    pub fn invitations(&self) -> Invitations<M> {
        Invitations(self.transport.clone())
    }

    /// Acting in a user's place.
    pub fn impersonation(&self) -> Impersonation<M> {
        Impersonation(self.transport.clone())
    }

    /// Origins that may use the client API.
    pub fn allowed_origins(&self) -> Origins<M> {
        Origins(self.transport.clone())
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
    interrupt: Interrupt,
}

impl ToriiBuilder {
    /// How often a blocking call that waits asks [`interrupt`](Self::interrupt)'s hook.
    #[cfg(feature = "blocking")]
    pub const INTERRUPT_INTERVAL: Duration = crate::runtime::INTERRUPT_INTERVAL;

    fn new(secret_key: Result<SecretKey, ConfigError>) -> Self {
        Self {
            secret_key,
            api_url: Torii::DEFAULT_API_URL.to_owned(),
            allow_insecure_http: false,
            timeouts: Timeouts::default(),
            http_client: None,
            user_agent_suffix: None,
            interrupt: Interrupt::default(),
        }
    }

    /// The settings that `TORII_SECRET_KEY` and, if it is set, `TORII_API_URL` make.
    ///
    /// # Errors
    ///
    /// If `TORII_SECRET_KEY` is absent or empty.
    pub fn from_env() -> Result<Self, ConfigError> {
        let secret_key = config::from_env("TORII_SECRET_KEY")?
            .ok_or_else(|| ConfigError::new("TORII_SECRET_KEY", "is not set"))?;
        let builder = Torii::builder(secret_key);
        Ok(match config::from_env("TORII_API_URL")? {
            Some(api_url) => builder.api_url(api_url),
            None => builder,
        })
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

    /// Until a call returns, waits and retries included. Default 30 s.
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.call = limit;
        self
    }

    /// Performs the exchanges. Default: a [`ReqwestClient`] of its own.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Your application's name and version, put behind ours in `User-Agent`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Asks `hook` whether a blocking call is to end, every [50 ms](Self::INTERRUPT_INTERVAL) for as long as the call waits:
    /// for the reply, or before another attempt. It is asked on the thread that makes the call. Default: nobody is asked.
    ///
    /// After `true` the call makes no other attempt. It ends with
    /// [`HttpErrorKind::Interrupted`](crate::http_client::HttpErrorKind::Interrupted) in an
    /// [`Error::Transport`](crate::Error::Transport), or in an [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown)
    /// where a timeout would end so: during an attempt, connecting included, the request counts as one that may have been
    /// sent. An asynchronous call is dropped instead.
    #[cfg(feature = "blocking")]
    pub fn interrupt(mut self, hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.interrupt = Interrupt::new(hook);
        self
    }

    /// Checks the settings. Opens no connection and starts no thread.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting: a secret key that cannot be one, an address that is not https (or
    /// http on loopback), a time limit of zero.
    pub fn build(self) -> Result<Torii, ConfigError> {
        self.finish()
    }

    /// [`build`](Self::build) for a client whose calls wait on the calling thread.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    #[cfg(feature = "blocking")]
    pub fn build_blocking(self) -> Result<BlockingTorii, ConfigError> {
        self.finish()
    }

    fn finish<M: Mode>(self) -> Result<Torii<M>, ConfigError> {
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
        let transport = Transport::new(client, base, secret_key, suffix, self.timeouts, self.interrupt)?;
        Ok(Torii {
            transport: Arc::new(transport),
        })
    }
}

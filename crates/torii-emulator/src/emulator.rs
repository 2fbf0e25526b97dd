//! Starting and stopping.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use torii_backend_types::EnvironmentId;

use crate::clock::Clock;
use crate::control::Control;
use crate::domain::Domain;
use crate::engine::Engine;
use crate::error::{Error, StartError};
use crate::http::{self, Faults, Guard, RequestLog, SecretKeys};
use crate::keys::Keys;
use crate::store::{Storage, Store, beside};

/// The secret key of an emulator that was not given one.
pub const DEFAULT_SECRET_KEY: &str = "sk_test_local";

/// How long the requests under way may take to finish when the emulator stops.
const REQUEST_GRACE: Duration = Duration::from_millis(1_400);
/// How long the store may take to close after that.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// A running emulator. It stops when it is shut down or dropped.
pub struct Emulator {
    engine: Arc<Engine>,
    control: Control,
    secret_key: String,
    environment: EnvironmentId,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// An emulator that is still to be configured: on loopback, on any free port, in memory, with
    /// [`DEFAULT_SECRET_KEY`].
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The `iss` of its tokens. The key set is at `{issuer}/_torii/.well-known/jwks.json`.
    pub fn issuer(&self) -> &str {
        self.engine.domain.issuer()
    }

    /// Where its backend API is, without the path. The same origin as the issuer.
    pub fn api_url(&self) -> &str {
        self.engine.domain.issuer()
    }

    /// The first secret key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The environment of the first secret key: the `pid` of its users' tokens.
    pub fn environment_id(&self) -> EnvironmentId {
        self.environment
    }

    /// The handle by which tests drive it.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops within two seconds: takes no more requests, lets those under way finish, closes the store.
    pub async fn shutdown(mut self) {
        // Nobody listens any more if the server ended by itself; then there is nothing to tell.
        let _ = self.stop.send(true);
        if tokio::time::timeout(REQUEST_GRACE, &mut self.server)
            .await
            .is_err()
        {
            self.server.abort();
        }
        match tokio::time::timeout(CLOSE_GRACE, self.engine.domain.store().close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the store did not close cleanly"),
            Err(_) => tracing::warn!("the store is still busy; it closes when it is done"),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
        self.engine.domain.store().close_unless_busy();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

/// Configures an [`Emulator`].
#[derive(Clone)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    host: IpAddr,
    port: u16,
    storage: Storage,
    secret_keys: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            storage: Storage::Memory,
            secret_keys: vec![DEFAULT_SECRET_KEY.to_owned()],
        }
    }
}

impl Builder {
    /// The address to listen on. Any but a loopback one lets other machines in, which get everything but the
    /// control plane.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// The port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Where users and keys are kept.
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// The secret key (`sk_test_…`), instead of [`DEFAULT_SECRET_KEY`].
    pub fn secret_key(self, key: impl Into<String>) -> Self {
        self.secret_keys([key])
    }

    /// Several secret keys, each of which is an environment of its own. The first is the main one.
    pub fn secret_keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.secret_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Starts the emulator on the current tokio runtime. It accepts connections when this returns.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let Self {
            host,
            port,
            storage,
            secret_keys,
        } = self;
        let known_keys = SecretKeys::new(&secret_keys)?;
        let secret_key = secret_keys.first().cloned().unwrap_or_default();

        // The port first: an emulator that cannot listen leaves no files behind.
        let address = SocketAddr::new(host, port);
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let bound = listener.local_addr().map_err(listen_error)?;
        if !bound.ip().is_loopback() {
            tracing::warn!(address = %bound, "the local torii listens beyond this machine");
        }

        let (store, keys) = tokio::task::spawn_blocking(move || open(&storage))
            .await
            .map_err(|error| StartError::Internal(error.to_string()))??;
        let count = secret_keys.len();
        let (environments, settings) = store
            .write(move |tx| Ok((tx.environments(count)?, tx.settings()?)))
            .await
            .map_err(internal)?;
        let clock = Clock::default();
        let domain = Domain::new(store, clock, keys, origin(bound), environments, settings);
        let environment = domain.environment(0).map_err(internal)?;
        let engine = Arc::new(Engine {
            domain,
            secret_keys: known_keys,
            guard: Guard::new(bound.ip()),
            faults: Faults::default(),
            requests: RequestLog::default(),
        });
        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(http::serve(listener, Arc::clone(&engine), stopping));
        Ok(Emulator {
            control: Control::new(Arc::clone(&engine)),
            engine,
            secret_key,
            environment,
            stop,
            server,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

fn open(storage: &Storage) -> Result<(Store, Keys), StartError> {
    let store = Store::open(storage)?;
    let keys = match storage {
        Storage::Memory => Keys::in_memory()?,
        Storage::File(path) => Keys::open(beside(path, ".keys"))?,
    };
    Ok((store, keys))
}

/// The issuer. A listener on every address is called by its loopback one.
fn origin(bound: SocketAddr) -> String {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

fn internal(error: Error) -> StartError {
    StartError::Internal(error.to_string())
}

//! Starting and stopping.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{self, Handle};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use torii_backend_types::EnvironmentId;
use url::Url;

use crate::access::Access;
use crate::clock::Clock;
use crate::control::Control;
use crate::domain::Domain;
use crate::engine::Engine;
use crate::error::{Error, StartError};
use crate::faults::Faults;
use crate::http;
use crate::keys::{self, Keys};
use crate::requests::RequestLog;
use crate::secret_keys::SecretKeys;
use crate::store::{Storage, Store, beside};

/// The secret key of an emulator that was not given one.
pub const DEFAULT_SECRET_KEY: &str = "sk_test_local";

/// How long the requests under way may take to finish when the emulator stops.
const REQUEST_GRACE: Duration = Duration::from_millis(1_400);
/// How long the store may take to close after that.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// The name of the thread of [`Builder::start_blocking`].
const THREAD_NAME: &str = "torii-emulator";

/// A running emulator. It stops when it is shut down or dropped.
pub struct Emulator {
    engine: Arc<Engine>,
    control: Control,
    api_url: String,
    secret_key: String,
    environment: EnvironmentId,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    runtime: Handle,
    /// The thread that the emulator has for itself, if it was not started on the caller's runtime.
    thread: Option<Thread>,
}

/// A thread with a runtime on it, which ends when this is dropped.
struct Thread {
    end: Option<oneshot::Sender<()>>,
    handle: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(handle) = self.handle.take() {
            // It fails only if the emulator has panicked, which the panic hook has reported.
            let _ = handle.join();
        }
    }
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

    /// Where this machine reaches its backend API, without the path. The same as the issuer, unless
    /// [`Builder::issuer`] chose another.
    pub fn api_url(&self) -> &str {
        &self.api_url
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

    /// Stops within two seconds: takes no more requests, lets those under way finish, closes the store. Can be awaited on
    /// any runtime, and without one.
    pub async fn shutdown(self) {
        // Nobody listens any more if the server ended by itself; then there is nothing to tell.
        let _ = self.stop.send(true);
        let server = self.server.abort_handle();
        let engine = Arc::clone(&self.engine);
        let is_over = self.stop.clone();
        let stopping = self.runtime.spawn(async move {
            if tokio::time::timeout(REQUEST_GRACE, is_over.closed())
                .await
                .is_err()
            {
                server.abort();
            }
            match tokio::time::timeout(CLOSE_GRACE, engine.domain.store().close()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the store did not close cleanly"),
                Err(_) => tracing::warn!("the store is still busy; it closes when it is done"),
            }
        });
        if stopping.await.is_err() {
            tracing::warn!("the runtime of the local torii ended before it was shut down");
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
    issuer: Option<String>,
    allowed_hosts: Vec<String>,
    control_token: Option<String>,
    keys_folder: Option<PathBuf>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            storage: Storage::Memory,
            secret_keys: vec![DEFAULT_SECRET_KEY.to_owned()],
            issuer: None,
            allowed_hosts: Vec::new(),
            control_token: None,
            keys_folder: None,
        }
    }
}

impl Builder {
    /// The address to listen on. Any but a loopback one lets other machines in, which get everything but the
    /// control plane; see [`allow_host`](Self::allow_host) and [`control_token`](Self::control_token).
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

    /// The address by which others know it, where that is not the one that it listens on: behind a mapped port, or as a
    /// service of docker compose. Tokens, discovery and links carry it, and its host is allowed.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// One more host that requests may name, besides this machine's own names.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Opens the control plane to other machines that send `Authorization: Bearer <token>`, and to nobody without it.
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.control_token = Some(token.into());
        self
    }

    /// The folder in which the signing keys of a [`Storage::File`] are kept, instead of beside it, each database's in a
    /// file of its own. It is created when needed.
    pub fn keys_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.keys_folder = Some(path.into());
        self
    }

    /// Starts the emulator on a thread of its own. It accepts connections when this returns. Needs no runtime, and works
    /// within one.
    ///
    /// An emulator that [`start`](Self::start) started ends with the runtime that it was started on; this one serves every
    /// test of a process from a `static`:
    ///
    /// ```
    /// use std::sync::LazyLock;
    /// use torii_emulator::Emulator;
    ///
    /// static TORII: LazyLock<Emulator> =
    ///     LazyLock::new(|| Emulator::builder().start_blocking().expect("the emulator starts"));
    ///
    /// # fn main() {
    /// assert!(TORII.issuer().starts_with("http://127.0.0.1:"));
    /// # }
    /// ```
    pub fn start_blocking(self) -> Result<Emulator, StartError> {
        let (started, outcome) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let run = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(StartError::Internal(error.to_string())))),
            };
            runtime.block_on(async {
                // A caller that has gone away drops the emulator, and so ends this too.
                let _ = started.send(self.start().await);
                // An error: the sender is dropped, never used.
                let _ = ended.await;
            });
            // Work on the store that is under way finishes by itself.
            runtime.shutdown_background();
        };
        let handle = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(run)
            .map_err(|error| StartError::Internal(error.to_string()))?;
        let thread = Thread {
            end: Some(end),
            handle: Some(handle),
        };
        let mut emulator = outcome
            .recv()
            .unwrap_or_else(|_| Err(StartError::Internal("the thread has panicked".to_owned())))?;
        emulator.thread = Some(thread);
        Ok(emulator)
    }

    /// Starts the emulator on the current tokio runtime, and ends with it. It accepts connections when this returns. In
    /// tests that share one emulator, use [`start_blocking`](Self::start_blocking).
    pub async fn start(self) -> Result<Emulator, StartError> {
        let Self {
            host,
            port,
            storage,
            secret_keys,
            issuer,
            mut allowed_hosts,
            control_token,
            keys_folder,
        } = self;
        let known_keys = SecretKeys::new(&secret_keys)?;
        let issuer = issuer.map(|issuer| public_origin(&issuer)).transpose()?;
        allowed_hosts.extend(issuer.as_ref().map(|(_, host)| host.clone()));
        let access = Access::new(host, allowed_hosts, control_token.as_deref())?;
        let secret_key = secret_keys.first().cloned().unwrap_or_default();

        // The port first: an emulator that cannot listen leaves no files behind.
        let address = SocketAddr::new(host, port);
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let bound = listener.local_addr().map_err(listen_error)?;
        if !bound.ip().is_loopback() {
            tracing::warn!(address = %bound, "the local torii listens beyond this machine");
        }

        let (store, keys) = tokio::task::spawn_blocking(move || open(&storage, keys_folder))
            .await
            .map_err(|error| StartError::Internal(error.to_string()))??;
        let count = secret_keys.len();
        let (environments, settings) = store
            .write(move |tx| Ok((tx.environments(count)?, tx.settings()?)))
            .await
            .map_err(internal)?;
        let clock = Clock::default();
        let api_url = origin(bound);
        let issuer = issuer.map_or_else(|| api_url.clone(), |(issuer, _)| issuer);
        let domain = Domain::new(store, clock, keys, issuer, environments, settings);
        let environment = domain.environment(0).map_err(internal)?;
        let engine = Arc::new(Engine {
            domain,
            secret_keys: known_keys,
            access,
            faults: Faults::default(),
            requests: RequestLog::default(),
        });
        let (stop, stopping) = watch::channel(false);
        let server = tokio::spawn(http::serve(listener, Arc::clone(&engine), stopping));
        let runtime = Handle::current();
        Ok(Emulator {
            control: Control::new(Arc::clone(&engine), runtime.clone()),
            engine,
            api_url,
            secret_key,
            environment,
            stop,
            server,
            runtime,
            thread: None,
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

fn open(storage: &Storage, keys_folder: Option<PathBuf>) -> Result<(Store, Keys), StartError> {
    let Storage::File(path) = storage else {
        return Ok((Store::in_memory()?, Keys::in_memory()?));
    };
    let path = real_path(path);
    let keys_file = match keys_folder {
        None => beside(&path, ".keys"),
        Some(folder) => keys::file_in(&folder, &path)?,
    };
    let is_old = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
    let store = Store::open(&path)?;
    if is_old && !keys_file.exists() {
        tracing::warn!(keys = %keys_file.display(), "the signing keys of this database are gone; new ones are made, and tokens issued before fail");
    }
    Ok((store, Keys::open(keys_file)?))
}

/// The path without symbolic links, so that a database has one lock and one file of keys by whichever name it is
/// opened. Where that cannot be found out, opening `path` says why.
fn real_path(path: &Path) -> PathBuf {
    let real = path.canonicalize().or_else(|error| {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().ok_or(error)?;
        Ok::<_, io::Error>(folder.canonicalize()?.join(name))
    });
    real.unwrap_or_else(|_| path.to_owned())
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

/// The issuer that was given, without a slash at its end, and its host.
fn public_origin(text: &str) -> Result<(String, String), StartError> {
    let refused = || StartError::Issuer {
        issuer: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| refused())?;
    let host = url.host_str().ok_or_else(refused)?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_origin {
        return Err(refused());
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((url.origin().ascii_serialization(), host.to_owned()))
}

fn internal(error: Error) -> StartError {
    StartError::Internal(error.to_string())
}

//! The default HTTP client. The only file that names `reqwest`.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use http::header::USER_AGENT;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tracing::Instrument;

use super::proxy::Proxies;
use super::settings::{self, ReqwestClientBuilder};
use super::tls;
use super::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
use crate::config::{ConfigError, host_is_loopback};
use crate::process::PerProcess;
use crate::runtime;

const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// How soon a silently dead HTTP/2 connection with requests on it is pinged.
#[cfg(feature = "client")]
const HTTP2_PING: Duration = Duration::from_secs(20);
/// More response headers than this are an attack, not a reply.
const MAX_HEADERS: usize = 100;
/// Most bytes of all response headers together: what hyper allows for HTTP/2 as well.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// An [`HttpClient`] over reqwest and rustls, for HTTP/1.1 and HTTP/2. Cheap to clone; clones share connections.
///
/// Exchanges run on a thread of the process, so that any executor can wait for them and connections outlive their
/// callers. Nothing is opened before the first request.
///
/// # Proxies
///
/// Read from the environment when the client is made, as curl reads them: `https_proxy` or `http_proxy`, then
/// `all_proxy`, each before its form in capitals. The first that is set counts, and an empty one means no proxy.
/// `HTTP_PROXY` in capitals is passed over in a CGI program. `no_proxy` lists hosts with their subdomains, addresses, networks
/// (`10.0.0.0/8`) or `*`, each with a port if you like. Where no variable is set, the settings of macOS or Windows count.
/// Loopback is never reached through a proxy. A proxy can be http or https; any other kind is an error.
///
/// # Certificates
///
/// Read with the first request: exactly what [`root_certificates`](ReqwestClientBuilder::root_certificates) gave; otherwise
/// what `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE` name together; otherwise the platform's
/// roots. Only where the platform has none, a built-in copy of the web's roots is trusted.
///
/// A variable that cannot be used is named in an error of the kind [`Setup`](HttpErrorKind::Setup).
#[derive(Clone, Debug)]
pub struct ReqwestClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: ReqwestClientBuilder,
    proxies: Proxies,
    /// For https, and for plain http on loopback, which needs no certificates.
    connections: [PerProcess<OnceCell<Connections>>; 2],
}

impl ReqwestClient {
    /// Three seconds: enough for a lost packet or two on the way around the world.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = settings::DEFAULT_CONNECT_TIMEOUT;

    /// A client that gives up on a connection (name look-up and TLS included) after `connect_timeout`.
    pub fn new(connect_timeout: Duration) -> Self {
        Self::from_settings(Self::builder().connect_timeout(connect_timeout), None)
    }

    /// A client with settings of your own.
    pub fn builder() -> ReqwestClientBuilder {
        ReqwestClientBuilder::default()
    }

    fn from_settings(settings: ReqwestClientBuilder, proxies: Option<Proxies>) -> Self {
        Self(Arc::new(Shared {
            settings,
            proxies: proxies.unwrap_or_else(Proxies::from_environment),
            connections: [PerProcess::new(), PerProcess::new()],
        }))
    }
}

impl Default for ReqwestClient {
    /// A client that gives up on a connection after [`DEFAULT_CONNECT_TIMEOUT`](Self::DEFAULT_CONNECT_TIMEOUT).
    fn default() -> Self {
        Self::new(Self::DEFAULT_CONNECT_TIMEOUT)
    }
}

impl ReqwestClientBuilder {
    /// Checks the settings. Opens no connection and reads no file.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(mut self) -> Result<ReqwestClient, ConfigError> {
        if self.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "must be longer than zero"));
        }
        self.user_agent = self.user_agent.transpose()?.map(Ok);
        self.roots = self.roots.transpose()?.map(Ok);
        let proxies = self.proxies.take().transpose()?;
        Ok(ReqwestClient::from_settings(self, proxies))
    }
}

/// What a process has opened.
struct Connections {
    tls: ClientConfig,
    current: ArcSwap<Pool>,
}

struct Pool {
    opened: Instant,
    client: reqwest::Client,
}

impl Shared {
    /// The client for new requests. An older one lives until its requests are done.
    async fn client_for(&self, uri: &Uri) -> Result<reqwest::Client, HttpError> {
        let plain = is_plain_loopback(uri);
        let connections = self.connections[usize::from(plain)].get_or_make(OnceCell::new);
        let connections = connections.get_or_try_init(|| self.set_up(plain)).await?;
        let current = connections.current.load();
        if current.opened.elapsed() < self.settings.connection_lifetime {
            return Ok(current.client.clone());
        }
        let pool = self.open(&connections.tls)?;
        let client = pool.client.clone();
        connections.current.store(Arc::new(pool));
        Ok(client)
    }

    async fn set_up(&self, plain: bool) -> Result<Connections, HttpError> {
        let setup = |problem| HttpError::new(HttpErrorKind::Setup, problem);
        let tls = match plain {
            true => tls::none().map_err(setup)?,
            false => {
                let roots = self.settings.roots.clone().transpose().ok().flatten();
                // Other exchanges go on meanwhile.
                let tls = spawn_blocking(move || tls::config(roots.as_ref()));
                tls.await
                    .map_err(|error| setup(error.to_string()))?
                    .map_err(setup)?
            }
        };
        let current = ArcSwap::from_pointee(self.open(&tls)?);
        Ok(Connections { tls, current })
    }

    fn open(&self, tls: &ClientConfig) -> Result<Pool, HttpError> {
        let proxies = self.proxies.clone();
        let proxy = reqwest::Proxy::custom(move |url| {
            let uri: Uri = url.as_str().parse().ok()?;
            proxies.for_uri(&uri).ok().flatten()
        });
        // The library's own retries stay as they are: they repeat only what the server's protocol says was not
        // processed, such as a refused HTTP/2 stream.
        let builder = reqwest::Client::builder()
            .connect_timeout(self.settings.connect_timeout)
            .redirect(Policy::none())
            .referer(false)
            .pool_idle_timeout(self.settings.idle_timeout)
            .pool_max_idle_per_host(self.settings.max_idle_per_host)
            .tcp_keepalive(TCP_KEEPALIVE)
            .http1_max_headers(MAX_HEADERS)
            .proxy(proxy)
            .tls_backend_preconfigured(tls.clone());
        #[cfg(feature = "client")]
        let builder = builder.http2_keep_alive_interval(HTTP2_PING);
        Ok(Pool {
            opened: Instant::now(),
            client: builder
                .build()
                .map_err(|error| HttpError::new(HttpErrorKind::Setup, error))?,
        })
    }

    async fn exchange(
        &self,
        mut request: Request<Bytes>,
        max_body: usize,
    ) -> Result<Response<Bytes>, HttpError> {
        let client = self.client_for(request.uri()).await?;
        if let Some(Ok(user_agent)) = &self.settings.user_agent {
            request.headers_mut().insert(USER_AGENT, user_agent.clone());
        }
        let request = reqwest::Request::try_from(request).map_err(classify)?;
        let mut reply = client.execute(request).await.map_err(classify)?;
        let headers = reply.headers().iter();
        if headers
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum::<usize>()
            > MAX_HEADER_BYTES
        {
            return Err(HttpError::new(HttpErrorKind::Broken, "the headers are too large"));
        }
        if reply
            .content_length()
            .is_some_and(|length| length > max_body as u64)
        {
            return Err(HttpErrorKind::TooLarge.into());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = reply.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > max_body {
                return Err(HttpErrorKind::TooLarge.into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = reply.status();
        *response.headers_mut() = std::mem::take(reply.headers_mut());
        Ok(response)
    }
}

impl HttpClient for ReqwestClient {
    fn send<'a>(&'a self, request: Request<Bytes>, limits: Limits) -> Exchange<'a> {
        Box::pin(async move {
            let proxy = self.0.proxies.for_uri(request.uri())?;
            let shared = self.0.clone();
            let exchange = async move { shared.exchange(request, limits.max_body).await };
            exchange_within(limits.total, exchange)
                .await
                .map_err(|error| error.through(proxy.as_ref()))
        })
    }
}

/// Runs an exchange on the process's thread. One limit over connecting, waiting and reading: a slow drip resets limits on
/// single reads, not this.
async fn exchange_within(
    limit: Duration,
    exchange: impl Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'static,
) -> Result<Response<Bytes>, HttpError> {
    let no_thread = |error: io::Error| HttpError::new(HttpErrorKind::Setup, error);
    let exchange = runtime::spawn(exchange.in_current_span()).map_err(no_thread)?;
    match runtime::timeout_at(Instant::now() + limit, exchange)
        .await
        .map_err(no_thread)?
    {
        Some(Ok(outcome)) => outcome,
        Some(Err(gone)) => Err(HttpError::new(HttpErrorKind::Broken, gone)),
        None => Err(HttpErrorKind::Timeout.into()),
    }
}

/// Whether a request stays on this machine and in the clear: it then needs no certificate roots.
fn is_plain_loopback(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some_and(host_is_loopback)
}

fn classify(error: reqwest::Error) -> HttpError {
    let kind = match () {
        () if tls::is_untrusted(&error) => HttpErrorKind::Untrusted,
        // A connect timeout is both; what counts is that nothing was sent.
        () if error.is_connect() => HttpErrorKind::Connect,
        () if error.is_builder() => HttpErrorKind::Setup,
        () if error.is_timeout() => HttpErrorKind::Timeout,
        () => HttpErrorKind::Broken,
    };
    HttpError::new(kind, error.without_url())
}

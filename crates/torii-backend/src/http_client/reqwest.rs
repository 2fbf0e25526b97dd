//! The default HTTP client. The only file that names `reqwest`.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;
use tracing::Instrument;

use super::proxy::Proxies;
use super::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
use crate::config::host_is_loopback;
use crate::process::PerProcess;
use crate::runtime;

/// How long an idle connection is kept: less than the 60 s after which load balancers usually close it.
///
/// A server that closes sooner is noticed before the connection is used again, unless its close and our request
/// cross on the way. Then nobody can know whether it saw the request, and the retry classes decide.
const POOL_IDLE: Duration = Duration::from_secs(30);
const POOL_MAX_IDLE_PER_HOST: usize = 16;
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// How soon a silently dead HTTP/2 connection with requests on it is pinged.
const HTTP2_PING: Duration = Duration::from_secs(20);
/// More response headers than this are an attack, not a reply.
const MAX_HEADERS: usize = 100;
/// Most bytes of all response headers together: what hyper allows for HTTP/2 as well.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// An [`HttpClient`] over reqwest and rustls.
///
/// It trusts the platform's certificate roots, together with a built-in copy of the web's roots for images that
/// have none. It honours the system's proxy settings, except for loopback. Nothing is opened before the first
/// request.
///
/// Exchanges run on a thread of the process, so that any executor can wait for them and connections outlive their
/// callers. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct ReqwestClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connect_timeout: Duration,
    proxies: Proxies,
    clients: [PerProcess<Result<reqwest::Client, HttpError>>; 2],
}

impl ReqwestClient {
    /// Three seconds: enough for a lost packet or two on the way around the world.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

    /// A client that gives up on a connection (name look-up and TLS included) after `connect_timeout`.
    pub fn new(connect_timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            connect_timeout,
            proxies: Proxies::of_system(),
            clients: [PerProcess::new(), PerProcess::new()],
        }))
    }
}

impl Shared {
    fn client_for(&self, uri: &Uri) -> Result<reqwest::Client, HttpError> {
        let plain = is_plain_loopback(uri);
        let client = self.clients[usize::from(plain)].get_or_make(|| {
            // The library's own retries stay as they are: they repeat only what the server's protocol says was not
            // processed, such as a refused HTTP/2 stream.
            let builder = reqwest::Client::builder()
                .connect_timeout(self.connect_timeout)
                .redirect(Policy::none())
                .referer(false)
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_MAX_IDLE_PER_HOST)
                .tcp_keepalive(TCP_KEEPALIVE)
                .http2_keep_alive_interval(HTTP2_PING)
                .http1_max_headers(MAX_HEADERS)
                .no_proxy();
            let builder = if plain {
                builder.tls_certs_only([])
            } else {
                builder.proxy(self.proxy()).tls_certs_merge(built_in_roots())
            };
            builder
                .build()
                .map_err(|error| HttpError::new(HttpErrorKind::Setup, error))
        });
        (*client).clone()
    }

    fn proxy(&self) -> reqwest::Proxy {
        let proxies = self.proxies.clone();
        reqwest::Proxy::custom(move |url| {
            let uri: Uri = url.as_str().parse().ok()?;
            proxies.for_uri(&uri).ok().flatten()
        })
    }

    async fn exchange(&self, request: Request<Bytes>, max_body: usize) -> Result<Response<Bytes>, HttpError> {
        let client = self.client_for(request.uri())?;
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

impl Default for ReqwestClient {
    /// A client that gives up on a connection after [`DEFAULT_CONNECT_TIMEOUT`](Self::DEFAULT_CONNECT_TIMEOUT).
    fn default() -> Self {
        Self::new(Self::DEFAULT_CONNECT_TIMEOUT)
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
    let deadline = Instant::now() + limit;
    match runtime::timeout_at(deadline, exchange).map_err(no_thread)?.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panicked)) => Err(HttpError::new(HttpErrorKind::Broken, panicked)),
        Err(_) => Err(HttpErrorKind::Timeout.into()),
    }
}

/// Whether a request stays on this machine and in the clear: it then needs no certificate roots.
fn is_plain_loopback(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some_and(host_is_loopback)
}

fn built_in_roots() -> impl Iterator<Item = reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| reqwest::Certificate::from_der(root).ok())
}

fn classify(error: reqwest::Error) -> HttpError {
    let kind = match () {
        () if is_untrusted(&error) => HttpErrorKind::Untrusted,
        // A connect timeout is both; what counts is that nothing was sent.
        () if error.is_connect() => HttpErrorKind::Connect,
        () if error.is_builder() => HttpErrorKind::Setup,
        () if error.is_timeout() => HttpErrorKind::Timeout,
        () => HttpErrorKind::Broken,
    };
    HttpError::new(kind, error.without_url())
}

/// Whether a server was refused for its certificate, which it will show the next time as well.
fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| {
        // The source of an I/O error that wraps another error is the source of the wrapped one.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
    .filter_map(|error| error.downcast_ref::<rustls::Error>())
    .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

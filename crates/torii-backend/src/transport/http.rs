//! The default HTTP client. The only file that names `reqwest`.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use reqwest::redirect::Policy;

use super::exchange::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
use crate::config::host_is_loopback;

/// How long an idle connection is kept: less than the 60 s after which load balancers usually close it.
const POOL_IDLE: Duration = Duration::from_secs(30);
const POOL_MAX_IDLE_PER_HOST: usize = 16;
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// More response headers than this are an attack, not a reply.
const MAX_HEADERS: usize = 100;
/// Most bytes of all response headers together: what hyper allows for HTTP/2 as well.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// An [`HttpClient`] over reqwest and rustls.
///
/// It trusts the platform's certificate roots, together with a built-in copy of the web's roots for images that
/// have none. It honours the system's proxy settings, except for http on loopback. Nothing is opened before
/// the first request.
#[derive(Debug)]
pub struct ReqwestClient {
    connect_timeout: Duration,
    clients: [OnceLock<Result<reqwest::Client, HttpError>>; 2],
}

impl ReqwestClient {
    /// Three seconds: enough for a lost packet or two on the way around the world.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

    /// A client that gives up on a connection (name look-up and TLS included) after `connect_timeout`.
    pub fn new(connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            clients: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// The client for a URL: plain http on loopback needs neither a proxy nor certificate roots.
    fn client_for(&self, uri: &Uri) -> Result<&reqwest::Client, HttpError> {
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some_and(host_is_loopback);
        let client = self.clients[usize::from(plain)].get_or_init(|| {
            let builder = reqwest::Client::builder()
                .connect_timeout(self.connect_timeout)
                .redirect(Policy::none())
                .referer(false)
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_MAX_IDLE_PER_HOST)
                .tcp_keepalive(TCP_KEEPALIVE)
                .http1_max_headers(MAX_HEADERS);
            let builder = if plain {
                builder.no_proxy().tls_certs_only([])
            } else {
                builder.tls_certs_merge(built_in_roots())
            };
            builder
                .build()
                .map_err(|error| HttpError::new(HttpErrorKind::Setup, error))
        });
        client.as_ref().map_err(HttpError::clone)
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
            // One deadline over connecting, waiting and reading: a slow drip resets per-read timeouts, not this.
            let exchange = self.exchange(request, limits.max_body);
            tokio::time::timeout(limits.total, exchange)
                .await
                .unwrap_or(Err(HttpErrorKind::Timeout.into()))
        })
    }
}

fn built_in_roots() -> impl Iterator<Item = reqwest::Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| reqwest::Certificate::from_der(root).ok())
}

fn classify(error: reqwest::Error) -> HttpError {
    let kind = match () {
        // A connect timeout is both; what counts is that nothing was sent.
        () if error.is_connect() => HttpErrorKind::Connect,
        () if error.is_builder() => HttpErrorKind::Setup,
        () if error.is_timeout() => HttpErrorKind::Timeout,
        () => HttpErrorKind::Broken,
    };
    HttpError::new(kind, error.without_url())
}

//! The seam between this crate and the network: one HTTP exchange, and the clients that perform it.

pub(crate) mod headers;
mod proxy;
mod reqwest;
mod settings;
mod tls;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use url::Url;

pub use self::reqwest::ReqwestClient;
pub use self::settings::ReqwestClientBuilder;

/// Performs one HTTP exchange. The default is [`ReqwestClient`].
///
/// An implementation follows no redirect, retries nothing that the server may have seen, decodes no content
/// encoding, keeps to the [`Limits`] and does not block its thread. One client can serve any number of verifiers and API
/// clients. An exchange may be polled on any executor; during a blocking call it is polled on the calling thread, where a
/// tokio runtime with time and I/O is entered.
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and reads the whole reply, whatever its status.
    fn send<'a>(&'a self, request: Request<Bytes>, limits: Limits) -> Exchange<'a>;
}

/// The future of one exchange.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl<T: HttpClient> HttpClient for Arc<T> {
    fn send<'a>(&'a self, request: Request<Bytes>, limits: Limits) -> Exchange<'a> {
        (**self).send(request, limits)
    }
}

/// What one exchange may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Until the last byte of the reply has been read, from the start of the connection attempt.
    pub total: Duration,
    /// Most bytes of the reply's body.
    pub max_body: usize,
}

impl Limits {
    pub(crate) const fn new(total: Duration, max_body: usize) -> Self {
        Self { total, max_body }
    }
}

/// An exchange that brought no reply.
#[derive(Clone, Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    /// Whether it is known that nothing was sent, where the kind leaves that open.
    unsent: bool,
    /// Host and port of the proxy on the way.
    proxy: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Why an exchange brought no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// No connection was made, so the server saw nothing.
    Connect,
    /// The server's certificate is not trusted, so nothing was sent to it.
    Untrusted,
    /// The time ran out; the server may have seen the request.
    Timeout,
    /// The connection broke; the server may have seen the request.
    Broken,
    /// The reply's body is larger than [`Limits::max_body`].
    TooLarge,
    /// The client could not be set up or the request could not be written down.
    Setup,
    /// The application interrupted the call (`ToriiBuilder::interrupt`). During an attempt, the server may have seen the
    /// request.
    Interrupted,
}

impl HttpError {
    /// An error of this kind, caused by `source`.
    pub fn new(kind: HttpErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(Arc::from(source.into())),
            ..kind.into()
        }
    }

    /// An error that ends a call between two attempts, so that nothing more was sent.
    #[cfg(feature = "client")]
    pub(crate) fn before_sending(kind: HttpErrorKind) -> Self {
        Self {
            unsent: true,
            ..kind.into()
        }
    }

    /// Why there is no reply.
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Names the proxy that the exchange went through, never its credentials.
    pub(super) fn through(mut self, proxy: Option<&Url>) -> Self {
        self.proxy = proxy.map(|proxy| {
            let port = proxy.port_or_known_default().unwrap_or_default();
            format!("{}:{port}", proxy.host_str().unwrap_or_default())
        });
        self
    }

    /// Whether the server may have seen the request, and so may have acted on it. No client can know that it has not
    /// once the first byte is out.
    pub fn may_have_been_sent(&self) -> bool {
        match self.kind {
            HttpErrorKind::Connect | HttpErrorKind::Untrusted | HttpErrorKind::Setup => false,
            HttpErrorKind::Timeout
            | HttpErrorKind::Broken
            | HttpErrorKind::TooLarge
            | HttpErrorKind::Interrupted => !self.unsent,
        }
    }
}

impl From<HttpErrorKind> for HttpError {
    fn from(kind: HttpErrorKind) -> Self {
        Self {
            kind,
            unsent: false,
            proxy: None,
            source: None,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Connect => "no connection could be made",
            HttpErrorKind::Untrusted => "the server's certificate is not trusted",
            HttpErrorKind::Timeout => "no complete reply came in time",
            HttpErrorKind::Broken => "the connection broke before the reply was complete",
            HttpErrorKind::TooLarge => "the reply is too large",
            HttpErrorKind::Setup => "the HTTP client could not be set up",
            HttpErrorKind::Interrupted => "the application interrupted the call",
        })?;
        match &self.proxy {
            Some(proxy) => write!(f, " (through the proxy {proxy})"),
            None => Ok(()),
        }
    }
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// What we call ourselves, with the application's own name behind it.
pub(crate) fn user_agent(suffix: Option<&str>) -> String {
    const OURS: &str = concat!("torii-backend-rust/", env!("CARGO_PKG_VERSION"));
    suffix.map_or_else(|| OURS.to_owned(), |suffix| format!("{OURS} {suffix}"))
}

//! The default blocking HTTP client. It and its connector are the only files that name `ureq`.

mod connector;
mod tcp;

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::Url;

use self::connector::{Connecting, Later, NotConnected, Secrets};
use super::interrupt::{Interrupt, Interrupted};
use super::proxy::Proxies;
use super::reqwest::{MAX_HEADER_BYTES, POOL_IDLE, POOL_MAX_IDLE_PER_HOST, ReqwestClient, is_plain_loopback};
use super::tls::built_in_roots;
use super::{BlockingHttpClient, HttpError, HttpErrorKind, Limits};
use crate::process::PerProcess;

/// A [`BlockingHttpClient`] over ureq and rustls. It needs no runtime.
///
/// The only threads it starts open new connections, so that opening one, and looking its name up, can be given up.
/// ureq's own log shows replies as they come, at TRACE, and of requests everything but the sensitive headers.
///
/// It trusts the platform's certificate roots, together with a built-in copy of the web's roots for images that
/// have none. It honours the system's proxy settings, except for loopback. Nothing is opened before the first
/// request.
#[derive(Debug)]
pub struct UreqClient {
    connect_timeout: Duration,
    proxies: Proxies,
    interrupt: Interrupt,
    agents: [PerProcess<Agent>; 2],
}

impl UreqClient {
    /// A client that gives up on a connection (name look-up and TLS included) after `connect_timeout`.
    pub fn new(connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            proxies: Proxies::of_system(),
            interrupt: Interrupt::default(),
            agents: [PerProcess::new(), PerProcess::new()],
        }
    }

    /// The same client, whose exchanges can be interrupted.
    pub(crate) fn interrupted_by(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    fn agent_for(&self, uri: &Uri) -> Arc<Agent> {
        let plain = is_plain_loopback(uri);
        self.agents[usize::from(plain)].get_or_make(|| {
            let builder = Agent::config_builder()
                .timeout_connect(Some(self.connect_timeout))
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_idle_age(POOL_IDLE)
                .max_idle_connections(POOL_MAX_IDLE_PER_HOST)
                .max_idle_connections_per_host(POOL_MAX_IDLE_PER_HOST)
                .max_response_header_size(MAX_HEADER_BYTES)
                .proxy(None);
            let builder = if plain {
                builder
            } else {
                builder.tls_config(tls_config())
            };
            Agent::with_parts(builder.build(), Connecting::new(self.interrupt.clone()), Later)
        })
    }

    fn exchange(
        &self,
        request: Request<Bytes>,
        proxy: Option<&Url>,
        limits: Limits,
    ) -> Result<Response<Bytes>, HttpError> {
        let agent = self.agent_for(request.uri());
        let proxy = proxy
            .map(|proxy| ureq::Proxy::new(proxy.as_str()))
            .transpose()
            .map_err(classify)?;
        let (mut parts, body) = request.into_parts();
        let _secrets = Secrets::withhold(&mut parts.headers);
        let reply = if body.is_empty() {
            let request = agent.configure_request(Request::from_parts(parts, ()));
            agent.run(request.proxy(proxy).timeout_global(Some(limits.total)).build())
        } else {
            let request = agent.configure_request(Request::from_parts(parts, body.to_vec()));
            agent.run(request.proxy(proxy).timeout_global(Some(limits.total)).build())
        };
        let (parts, mut body) = reply.map_err(classify)?.into_parts();
        if body
            .content_length()
            .is_some_and(|length| length > limits.max_body as u64)
        {
            return Err(HttpErrorKind::TooLarge.into());
        }
        let mut bytes = Vec::new();
        // One byte more than allowed tells a full reply from one that is too large.
        let mut reader = body.as_reader().take(limits.max_body as u64 + 1);
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| classify(error.into()))?;
        if bytes.len() > limits.max_body {
            return Err(HttpErrorKind::TooLarge.into());
        }
        Ok(Response::from_parts(parts, bytes.into()))
    }
}

impl Default for UreqClient {
    /// A client that gives up on a connection after [`ReqwestClient::DEFAULT_CONNECT_TIMEOUT`].
    fn default() -> Self {
        Self::new(ReqwestClient::DEFAULT_CONNECT_TIMEOUT)
    }
}

impl BlockingHttpClient for UreqClient {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> Result<Response<Bytes>, HttpError> {
        let proxy = self.proxies.for_uri(request.uri())?;
        self.exchange(request, proxy.as_ref(), limits)
            .map_err(|error| error.through(proxy.as_ref()))
    }
}

fn tls_config() -> TlsConfig {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "a certificate root of the platform cannot be read");
    }
    let roots: Vec<_> = native
        .certs
        .iter()
        .chain(built_in_roots())
        .map(|root| Certificate::from_der(root).to_owned())
        .collect();
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build()
}

fn classify(error: ureq::Error) -> HttpError {
    let error = match error {
        ureq::Error::Other(cause) => match cause.downcast::<NotConnected>() {
            Ok(cause) if cause.is_untrusted() => return HttpError::new(HttpErrorKind::Untrusted, cause.0),
            Ok(cause) if cause.is_interrupted() => return HttpError::interrupted_before_sending(),
            Ok(cause) => return HttpError::new(HttpErrorKind::Connect, cause.0),
            Err(cause) if cause.is::<Interrupted>() => return HttpErrorKind::Interrupted.into(),
            Err(cause) => ureq::Error::Other(cause),
        },
        error => error,
    };
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(error) if error.kind() == ErrorKind::TimedOut => HttpErrorKind::Timeout,
        ureq::Error::Http(_) | ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl => HttpErrorKind::Setup,
        _ => HttpErrorKind::Broken,
    };
    HttpError::new(kind, error)
}

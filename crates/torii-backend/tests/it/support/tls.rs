//! A well-behaved https server on loopback, with a certificate authority of its own. It speaks HTTP/2 to those who
//! can, and HTTP/1.1 to the others.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::tokens::{Key, jwks};

/// What an HTTP/2 stream meets; HTTP/1.1 is always answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meets {
    Answer,
    /// The stream is refused: by the protocol's promise, nothing was processed.
    RefusedStream,
    /// The stream is broken off.
    CancelledStream,
    /// The whole connection is given up.
    GoAway,
}

#[derive(Debug)]
pub(crate) struct TlsServer {
    /// Ends every task when it is dropped.
    _runtime: Runtime,
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    body: Vec<u8>,
    /// The reply to whoever asks for a key set.
    keys: Mutex<Option<Vec<u8>>>,
    script: Mutex<VecDeque<Meets>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl TlsServer {
    /// Answers every request with this body.
    pub(crate) fn start(body: Vec<u8>) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            body,
            keys: Mutex::default(),
            script: Mutex::default(),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let (acceptor, served) = (TlsAcceptor::from(Arc::new(config)), shared.clone());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().converse(acceptor.clone(), stream));
            }
        });
        Self {
            _runtime: runtime,
            address,
            authority: authority.pem(),
            shared,
        }
    }

    /// With the name that its certificate has.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// What a client must trust, as PEM.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// What the next streams meet; those after them are answered.
    pub(crate) fn play(&self, script: impl Into<VecDeque<Meets>>) {
        *self.shared.script.lock().unwrap() = script.into();
    }

    /// Publishes a key set, over HTTP/2.
    pub(crate) fn publish(&self) {
        *self.shared.keys.lock().unwrap() = Some(jwks(&[&Key::new("first")]).into_bytes());
    }

    /// Connections whose handshake was completed, and requests on them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        (count(&self.shared.connections), count(&self.shared.requests))
    }
}

impl Shared {
    async fn converse(self: Arc<Self>, acceptor: TlsAcceptor, stream: TcpStream) {
        let Ok(stream) = acceptor.accept(stream).await else {
            return;
        };
        self.connections.fetch_add(1, Ordering::SeqCst);
        // Errors are the peer's leaving.
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => drop(self.http2(stream).await),
            _ => drop(self.http1(stream).await),
        }
    }

    async fn http1(&self, mut stream: TlsStream<TcpStream>) -> std::io::Result<()> {
        let mut head = Vec::new();
        loop {
            head.push(stream.read_u8().await?);
            // The requests of these tests have no body.
            if head.ends_with(b"\r\n\r\n") {
                head.clear();
                self.requests.fetch_add(1, Ordering::SeqCst);
                let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", self.body.len());
                stream.write_all(&[reply.as_bytes(), &self.body].concat()).await?;
                stream.flush().await?;
            }
        }
    }

    async fn http2(&self, stream: TlsStream<TcpStream>) -> Result<(), h2::Error> {
        let mut connection = h2::server::handshake(stream).await?;
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request?;
            self.requests.fetch_add(1, Ordering::SeqCst);
            let meets = self.script.lock().unwrap().pop_front();
            match meets.unwrap_or(Meets::Answer) {
                Meets::Answer => {
                    let keys = self.keys.lock().unwrap().clone();
                    let asks_for_keys = request.uri().path().ends_with("jwks.json");
                    let sent = keys
                        .filter(|_| asks_for_keys)
                        .unwrap_or_else(|| self.body.clone());
                    let mut body = respond.send_response(http::Response::new(()), false)?;
                    body.send_data(sent.into(), true)?;
                }
                Meets::RefusedStream => respond.send_reset(h2::Reason::REFUSED_STREAM),
                Meets::CancelledStream => respond.send_reset(h2::Reason::CANCEL),
                Meets::GoAway => connection.abrupt_shutdown(h2::Reason::INTERNAL_ERROR),
            }
        }
        Ok(())
    }
}

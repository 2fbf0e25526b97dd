//! A server on a port of its own, and its client.

use std::future::Future;
use std::net::SocketAddr;

use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use torii_backend::Verifier;
use torii_backend_tonic::AuthLayer;
use torii_conformance::{Contract, Settings};

use crate::service::Who;

pub(crate) struct Grpcs {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Grpcs {
    /// The service behind a layer.
    pub(crate) async fn behind(layer: AuthLayer) -> Self {
        Self::start(|listener, stopped| async {
            let server = Server::builder().layer(layer).add_service(Who);
            let incoming = TcpListenerStream::new(listener);
            server.serve_with_incoming_shutdown(incoming, stopped).await
        })
        .await
    }

    pub(crate) async fn start<F, S>(serve: F) -> Self
    where
        F: FnOnce(TcpListener, Stopped) -> S,
        S: Future<Output = Result<(), tonic::transport::Error>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = serve(listener, Box::pin(async { drop(stopped.await) }));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self {
            address,
            channel: endpoint.connect_lazy(),
            stop,
            task: tokio::spawn(async { served.await.unwrap() }),
        }
    }

    pub(crate) async fn client(&self) -> Grpc<Channel> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        client
    }

    /// Calls a method that takes one message and answers with one.
    pub(crate) async fn unary(&self, path: &'static str, request: Request<String>) -> Result<String, Status> {
        let path = PathAndQuery::from_static(path);
        let reply = self.client().await.unary(request, path, codec()).await?;
        Ok(reply.into_inner())
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        drop(self.channel);
        self.task.await.unwrap();
    }
}

pub(crate) type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) fn codec() -> ProstCodec<String, String> {
    ProstCodec::default()
}

/// A request with a token.
pub(crate) fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

pub(crate) fn anonymous() -> Request<String> {
    Request::new(String::new())
}

/// The contract's tokens, and a verifier that takes them.
pub(crate) fn contract() -> (Contract, Verifier) {
    let contract = Contract::read();
    let verifier = Settings::new(&contract).plain;
    (contract, verifier)
}

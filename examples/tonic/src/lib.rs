//! A gRPC service for signed-in users: one method tells the caller who they are, one streams, one is for administrators.

use std::error::Error;
use std::pin::Pin;

use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use torii_backend::{Requirement, Verifier};
use torii_backend_tonic::{AuthExt, AuthLayer};

pub use generated::notes_client::NotesClient;
use generated::notes_server::{Notes, NotesServer};

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "written by tonic's generator"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/example.Notes.rs"));
}

/// What a client asks.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Question {
    /// About what.
    #[prost(string, tag = "1")]
    pub topic: String,
}

/// What it is answered.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Answer {
    /// In words.
    #[prost(string, tag = "1")]
    pub text: String,
}

/// Serves on a listener, to users of this issuer.
pub async fn serve(listener: TcpListener, issuer: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let verifier = Verifier::new(issuer)?;
    Server::builder()
        .layer(AuthLayer::new(verifier))
        .add_service(NotesServer::new(Service))
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

struct Service;

#[tonic::async_trait]
impl Notes for Service {
    async fn who_am_i(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let auth = request.auth()?;
        answer(format!("You are {}.", auth.user_id()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

    async fn watch(&self, request: Request<Question>) -> Result<Response<Self::WatchStream>, Status> {
        let user = request.auth()?.user_id().to_owned();
        let topic = request.into_inner().topic;
        let notes = (1..=3).map(move |note| {
            Ok(Answer {
                text: format!("{topic}, note {note}, for {user}"),
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(notes))))
    }

    async fn close(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let administrator = Requirement::new().role("org:administrator");
        let auth = request.require(&administrator)?;
        answer(format!(
            "{} was closed by {}.",
            request.get_ref().topic,
            auth.user_id()
        ))
    }
}

fn answer(text: String) -> Result<Response<Answer>, Status> {
    Ok(Response::new(Answer { text }))
}

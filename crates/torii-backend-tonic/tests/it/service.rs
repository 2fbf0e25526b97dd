//! A service with a method of each kind, written by hand as tonic's generator writes them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request as HttpRequest, Response as HttpResponse};
use serde::Deserialize;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use torii_backend::Requirement;
use torii_backend_tonic::AuthExt;
use tower::{Service, service_fn};

/// Every method answers with the caller's id.
#[derive(Clone, Debug)]
pub(crate) struct Who;

pub(crate) const SAY: &str = "/test.Who/Say";
pub(crate) const OTHER_SAY: &str = "/test.Other/Say";
pub(crate) const LIST: &str = "/test.Who/List";
pub(crate) const COLLECT: &str = "/test.Who/Collect";
pub(crate) const CHAT: &str = "/test.Who/Chat";
pub(crate) const OPTIONAL: &str = "/test.Who/Optional";
pub(crate) const ADMIN: &str = "/test.Who/Admin";
pub(crate) const PLAN: &str = "/test.Who/Plan";

type Reply<T> = Result<Response<T>, Status>;
type Replies = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

async fn say(request: Request<String>) -> Reply<String> {
    let user = request.auth()?.user_id().to_owned();
    Ok(Response::new(user + &request.into_inner()))
}

/// Three messages.
async fn list(request: Request<String>) -> Reply<Replies> {
    let user = request.auth()?.user_id().to_owned();
    let replies = tokio_stream::iter([1, 2, 3].map(move |turn| Ok(format!("{user} {turn}"))));
    Ok(Response::new(Box::pin(replies)))
}

/// How many messages came.
async fn collect(request: Request<Streaming<String>>) -> Reply<String> {
    let user = request.auth()?.user_id().to_owned();
    let mut messages = request.into_inner();
    let mut count = 0;
    while messages.next().await.transpose()?.is_some() {
        count += 1;
    }
    Ok(Response::new(format!("{user} {count}")))
}

/// A message for each that comes.
async fn chat(request: Request<Streaming<String>>) -> Reply<Replies> {
    let user = request.auth()?.user_id().to_owned();
    let messages = request.into_inner();
    let replies = messages.map(move |message| Ok(format!("{user} {}", message?)));
    Ok(Response::new(Box::pin(replies)))
}

async fn optional(request: Request<String>) -> Reply<String> {
    let auth = request.optional_auth()?;
    Ok(Response::new(
        auth.map_or("nobody".to_owned(), |auth| auth.user_id().to_owned()),
    ))
}

async fn admin(request: Request<String>) -> Reply<String> {
    let auth = request.require(&Requirement::new().role("org:administrator"))?;
    Ok(Response::new(auth.user_id().to_owned()))
}

#[derive(Deserialize)]
struct Plan {
    plan: String,
}

async fn plan(request: Request<String>) -> Reply<String> {
    Ok(Response::new(request.claims::<Plan>()?.plan))
}

impl NamedService for Who {
    const NAME: &'static str = "test.Who";
}

impl Service<HttpRequest<Body>> for Who {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            let path = request.uri().path().to_owned();
            Ok(match &*path {
                SAY | OTHER_SAY => grpc.unary(service_fn(say), request).await,
                LIST => grpc.server_streaming(service_fn(list), request).await,
                COLLECT => grpc.client_streaming(service_fn(collect), request).await,
                CHAT => grpc.streaming(service_fn(chat), request).await,
                OPTIONAL => grpc.unary(service_fn(optional), request).await,
                ADMIN => grpc.unary(service_fn(admin), request).await,
                PLAN => grpc.unary(service_fn(plan), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// The same service under another name.
#[derive(Clone, Debug)]
pub(crate) struct Other(pub(crate) Who);

impl NamedService for Other {
    const NAME: &'static str = "test.Other";
}

impl<R> Service<R> for Other
where
    Who: Service<R>,
{
    type Response = <Who as Service<R>>::Response;
    type Error = <Who as Service<R>>::Error;
    type Future = <Who as Service<R>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}

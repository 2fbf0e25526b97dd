//! A unary call through tonic.

use std::convert::Infallible;
use std::error::Error;

use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::Full;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use torii_backend_tonic::{AuthExt, AuthLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::adapters::{Ask, headers, verifier};
use crate::world::World;

/// An empty message in its frame.
const EMPTY: Bytes = Bytes::from_static(&[0; 5]);

pub(crate) fn ask(name: &str, world: &'static World) -> Result<Ask, Box<dyn Error>> {
    let headers = headers(world)?;
    let remember = !name.ends_with("without memory");
    Ok(match name {
        "tonic" => asked(
            service_fn(async |request| unary(service_fn(somebody), request).await),
            headers,
        ),
        "tonic, AuthLayer" | "tonic, AuthLayer without memory" => {
            let layer = AuthLayer::new(verifier(world, remember)?);
            asked(
                layer.layer(service_fn(async |request| unary(service_fn(me), request).await)),
                headers,
            )
        }
        _ => return Err(format!("no peer is called {name}").into()),
    })
}

async fn somebody(_: tonic::Request<String>) -> Result<tonic::Response<String>, tonic::Status> {
    Ok(tonic::Response::new("somebody".to_owned()))
}

async fn me(request: tonic::Request<String>) -> Result<tonic::Response<String>, tonic::Status> {
    Ok(tonic::Response::new(request.auth()?.user_id().to_owned()))
}

async fn unary<S>(method: S, request: Request<Body>) -> Result<Response<Body>, Infallible>
where
    S: tonic::server::UnaryService<String, Response = String>,
{
    let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
    Ok(grpc.unary(method, request).await)
}

fn asked<S, B>(service: S, headers: Vec<HeaderValue>) -> Ask
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
{
    Box::new(move |index| {
        let mut request = Request::post("/bench.Who/Me")
            .header(header::CONTENT_TYPE, "application/grpc")
            .body(Body::new(Full::new(EMPTY)))
            .expect("a request");
        let token = headers[index].clone();
        request.headers_mut().insert(header::AUTHORIZATION, token);
        // Keys are at hand, so that nothing waits.
        let reply = service.clone().oneshot(request).now_or_never();
        let Ok(reply) = reply.expect("an answer at once");
        assert_eq!(reply.status(), StatusCode::OK);
        assert!(!reply.headers().contains_key("grpc-status"));
    })
}

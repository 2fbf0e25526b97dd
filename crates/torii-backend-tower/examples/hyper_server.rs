//! A server on hyper, without a web framework, for signed-in users only.
//!
//! `torii dev --in-memory -- cargo run -p torii-backend-tower --example hyper_server` runs it against a local torii.
#![allow(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use torii_backend::{Auth, Verifier};
use torii_backend_tower::{AuthLayer, ResponseBody};
use tower::{Service, ServiceBuilder, service_fn};
use tower_http::cors::CorsLayer;

const DEFAULT_PORT: u16 = 3000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer =
        std::env::var("TORII_ISSUER").map_err(|_| "set TORII_ISSUER, or start me with `torii dev -- …`")?;
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| "PORT is not the number of a port")?,
        Err(_) => DEFAULT_PORT,
    };
    let verifier = Verifier::new(issuer)?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service(verifier.clone()));
        tokio::spawn(async move {
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = serving.await {
                println!("a connection ended early: {error}");
            }
        });
    }
}

/// The application: the CORS layer is outside, because a browser's preflight carries no token.
pub(crate) fn service<B: Send + 'static>(
    verifier: Verifier,
) -> impl Service<Request<B>, Response = Response<ResponseBody<Full<Bytes>>>, Error = Infallible, Future: Send>
+ Clone {
    let auth = AuthLayer::new(verifier).on_refused(|_, mut reply| {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        reply.headers_mut().insert(CONTENT_TYPE, plain);
        *reply.body_mut() = format!("{}: please sign in.\n", reply.status()).into();
        reply
    });
    ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(auth)
        .service(service_fn(hello))
}

async fn hello<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    // The layer has put it there; without one nobody would be signed in.
    let user = request.extensions().get::<Auth>().map_or("nobody", Auth::user_id);
    Ok(Response::new(Full::from(format!("Hello, {user}!\n"))))
}

//! One `ServiceBuilder` with the layers that applications put around ours.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use torii_backend_tower::{AuthLayer, ResponseBody};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::map_response_body::MapResponseBodyLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::{Torii, anonymous, read, who, with_header, with_token};

const A_MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_layer_goes_under_cors_and_timeouts() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            A_MINUTE,
        ))
        .layer(AuthLayer::new(torii.verifier.clone()))
        .service(service_fn(who));

    let reply = service.clone().oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let mut preflight = with_header("access-control-request-method", "GET");
    *preflight.method_mut() = Method::OPTIONS;
    let reply = service.clone().oneshot(preflight).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, String::new()));
    let reply = service.oneshot(anonymous()).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(reply.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_timeout_outside_the_layer_has_an_empty_reply() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let never =
        service_fn(async |_| std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await);
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_millis(50),
        ))
        .layer(AuthLayer::new(torii.verifier.clone()))
        .service(never);
    let reply = service.oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::GATEWAY_TIMEOUT, String::new()));
}

#[tokio::test]
async fn the_layer_goes_between_layers_that_change_bodies_on_both_sides() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(SetResponseHeaderLayer::if_not_present(
            http::header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(MapResponseBodyLayer::new(|body: ResponseBody<_>| {
            body.boxed_unsync()
        }))
        .layer(AuthLayer::new(torii.verifier.clone()))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyLimitLayer::new(1_024))
        .map_request(|request: Request<_>| request.map(|_| Empty::<Bytes>::new()))
        .service(service_fn(who));
    assert_shared(&service);

    for (request, status, body) in [
        (with_token(&token), StatusCode::OK, id.as_str()),
        (anonymous(), StatusCode::UNAUTHORIZED, "Authentication failed."),
    ] {
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), status);
        assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
        let bytes = reply.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&bytes).contains(body), "{bytes:?}");
    }
}

#[tokio::test]
async fn compression_and_panic_catching_go_outside_the_layer() {
    let torii = Torii::start().await;
    let service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(1_024))
        .layer(AuthLayer::new(torii.verifier.clone()))
        .map_request(|request: Request<_>| request.map(|_| Empty::<Bytes>::new()))
        .service(service_fn(who));
    assert_shared(&service);
    let mut request = anonymous();
    request
        .headers_mut()
        .insert("accept-encoding", HeaderValue::from_static("gzip"));
    let reply = service.oneshot(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(reply.headers()["www-authenticate"], "Bearer");
}

/// What servers and axum's `Router::layer` ask of a service.
fn assert_shared<S, B>(_: &S)
where
    S: Service<Request<B>, Future: Send> + Clone + Send + Sync + 'static,
{
}

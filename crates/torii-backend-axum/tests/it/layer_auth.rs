//! `LayerAuth`: what the layer in front found out, in a router with any state.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::routing;
use torii_backend::Verifier;
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::{Torii, get, get_with, read};

async fn me(auth: LayerAuth) -> String {
    auth.user_id().to_owned()
}

async fn greeting(auth: Option<LayerAuth>) -> String {
    auth.map_or_else(|| "nobody".to_owned(), |auth| auth.user_id().to_owned())
}

fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/me", routing::get(me))
        .route("/greeting", routing::get(greeting))
}

#[tokio::test]
async fn behind_a_layer_a_router_needs_no_state() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let app: Router = routes().layer(AuthLayer::new(torii.verifier.clone()));
    for path in ["/me", "/greeting"] {
        let reply = app.clone().oneshot(get_with(path, &token)).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()), "{path}");
        let reply = app.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(torii.verifier.counts().accepted, 2);
}

#[tokio::test]
async fn behind_an_optional_layer_each_handler_decides() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let app: Router = routes().layer(AuthLayer::new(torii.verifier.clone()).optional());
    for path in ["/me", "/greeting"] {
        let reply = app.clone().oneshot(get_with(path, &token)).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()), "{path}");
    }
    let reply = app.clone().oneshot(get("/me")).await.unwrap();
    assert_eq!(reply.headers()["www-authenticate"], "Bearer");
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let reply = app.oneshot(get("/greeting")).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
}

#[tokio::test]
async fn without_a_layer_nobody_gets_in_and_nobody_is_anonymous() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let auth = torii.verifier.verify(&token).await.unwrap();
    let app: Router = routes();
    let planted: Router = routes().layer(axum::Extension(auth));
    for (app, path) in [(&app, "/me"), (&app, "/greeting"), (&planted, "/me")] {
        let reply = app.clone().oneshot(get_with(path, &token)).await.unwrap();
        let (status, body) = read(reply).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(body.contains("configuration_error"), "{body}");
    }
}

#[tokio::test]
async fn a_state_in_an_arc_works_behind_a_layer_and_in_a_newtype() {
    struct App {
        verifier: Verifier,
        greeting: &'static str,
    }
    #[derive(Clone)]
    struct AppState(Arc<App>);
    impl FromRef<AppState> for Verifier {
        fn from_ref(AppState(app): &AppState) -> Self {
            app.verifier.clone()
        }
    }
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let app = Arc::new(App {
        verifier,
        greeting: "Hello",
    });
    let expected = (StatusCode::OK, format!("Hello {id}"));

    let handler =
        async |State(app): State<Arc<App>>, auth: LayerAuth| format!("{} {}", app.greeting, auth.user_id());
    let layered = Router::new()
        .route("/", routing::get(handler))
        .layer(AuthLayer::new(app.verifier.clone()))
        .with_state(Arc::clone(&app));
    let reply = layered.oneshot(get_with("/", &token)).await.unwrap();
    assert_eq!(read(reply).await, expected);

    let handler = async |State(AppState(app)): State<AppState>, auth: Auth| {
        format!("{} {}", app.greeting, auth.user_id())
    };
    let extracted = Router::new()
        .route("/", routing::get(handler))
        .with_state(AppState(app));
    let reply = extracted.oneshot(get_with("/", &token)).await.unwrap();
    assert_eq!(read(reply).await, expected);
}

#[tokio::test]
async fn one_service_builder_holds_the_layer_and_those_of_others() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let layers = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyLimitLayer::new(1_024))
        .layer(CorsLayer::permissive())
        .layer(SetResponseHeaderLayer::overriding(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(60),
        ))
        .layer(CompressionLayer::new())
        .layer(AuthLayer::new(torii.verifier.clone()))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(60),
        ))
        .layer(CatchPanicLayer::new());
    let app: Router = routes().layer(layers);
    let reply = app.clone().oneshot(get_with("/me", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = app.clone().oneshot(get("/me")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers()["access-control-allow-origin"], "*");
    let mut preflight = get("/me");
    *preflight.method_mut() = Method::OPTIONS;
    let name = header::ACCESS_CONTROL_REQUEST_METHOD;
    preflight
        .headers_mut()
        .insert(name, HeaderValue::from_static("GET"));
    assert_eq!(app.oneshot(preflight).await.unwrap().status(), StatusCode::OK);
}

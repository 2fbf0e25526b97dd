//! The contract of all web adapters, `contract/adapters`: once with layers, and once with extractors where there is one for
//! what the route does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;

use axum::body::{Body, Bytes};
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use torii_backend::{Auth as Caller, Requirement, Verifier};
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};
use torii_conformance::{Adapter, Contract, Settings, interleave, interleave_http2, me, run};
use tower::ServiceBuilder;

/// What the contract's `needs` name that axum has.
const HAS: [&str; 4] = ["websocket", "layers", "preflight", "streaming"];
/// All cases but those that only Python can have.
const AT_LEAST: usize = 390;
const REQUESTS: usize = 10_000;

#[derive(Deserialize, Serialize)]
struct Plan {
    plan: String,
    seats: u64,
}

/// How a route without guards gets its caller.
trait Protection: Send + 'static {
    type Auth: FromRequestParts<Verifier, Rejection: IntoResponse>
        + OptionalFromRequestParts<Verifier, Rejection: IntoResponse>
        + Deref<Target = Caller>
        + Send
        + 'static;

    fn protect(route: MethodRouter<Verifier>, layer: AuthLayer) -> MethodRouter<Verifier>;

    fn plan() -> MethodRouter<Verifier>;
}

struct ByLayer;

impl Protection for ByLayer {
    type Auth = LayerAuth;

    fn protect(route: MethodRouter<Verifier>, layer: AuthLayer) -> MethodRouter<Verifier> {
        route.layer(layer)
    }

    fn plan() -> MethodRouter<Verifier> {
        get(async |auth: LayerAuth<Plan>| Json(auth.claims))
    }
}

struct ByExtractor;

impl Protection for ByExtractor {
    type Auth = Auth;

    fn protect(route: MethodRouter<Verifier>, _layer: AuthLayer) -> MethodRouter<Verifier> {
        route
    }

    fn plan() -> MethodRouter<Verifier> {
        get(async |auth: Auth<Plan>| Json(auth.claims))
    }
}

fn app<P: Protection>(contract: &Contract) -> Router {
    let Settings {
        plain,
        cookie,
        token_header,
        websocket_protocol,
        issuers,
        other_issuer,
        unavailable,
    } = Settings::new(contract);
    let layer = || AuthLayer::new(plain.clone());
    let caller = || get(async |auth: P::Auth| Json(me(&auth)));
    let issuer =
        || get(async |auth: P::Auth| Json(json!({"user_id": auth.user_id(), "issuer": auth.issuer()})));
    let protected = |route: MethodRouter<Verifier>, verifier: &Verifier| {
        P::protect(route, AuthLayer::new(verifier.clone())).with_state(verifier.clone())
    };
    let socket = || get(greet::<P::Auth>);
    let guarded = |route: MethodRouter<Verifier>, requirement: Requirement| {
        route
            .layer(layer().require(requirement))
            .with_state(plain.clone())
    };
    let shared = || caller().options(preflight);
    let mut app = Router::new()
        .route("/me", protected(caller(), &plain))
        .route("/upload", protected(post(upload::<P::Auth>), &plain))
        .route("/stream", protected(get(streamed::<P::Auth>), &plain))
        .route(
            "/optional",
            P::protect(get(optional::<P::Auth>), layer().optional()).with_state(plain.clone()),
        )
        .route("/public", get(async || Json(json!({"public": true}))))
        .route("/claims", protected(P::plan(), &plain))
        .route("/cookie", protected(caller(), &cookie))
        .route("/token-header", protected(caller(), &token_header))
        .route("/issuers", protected(issuer(), &issuers))
        .route("/unavailable", protected(caller(), &unavailable))
        .route(
            "/hook",
            caller()
                .layer(layer().on_refused(|_, _| teapot()))
                .with_state(plain.clone()),
        )
        .route(
            "/two",
            issuer()
                .layer(
                    ServiceBuilder::new()
                        .layer(AuthLayer::new(other_issuer))
                        .layer(layer()),
                )
                .with_state(plain.clone()),
        )
        .route(
            "/cors",
            shared()
                .layer(layer().allow_preflight())
                .with_state(plain.clone()),
        )
        .route("/closed", shared().layer(layer()).with_state(plain.clone()))
        .route("/ws", protected(socket(), &plain))
        // Only the layer can select the subprotocol for a handler that selects none.
        .route(
            "/ws-protocol",
            socket()
                .layer(AuthLayer::new(websocket_protocol.clone()))
                .with_state(websocket_protocol),
        )
        .route("/ws-cookie", protected(socket(), &cookie))
        .route("/ws-admin", guarded(socket(), Settings::admin()))
        .route("/ws-unavailable", protected(socket(), &unavailable))
        .route("/ws-lost", guarded(socket(), Settings::lost()));
    for (path, requirement) in Settings::guarded() {
        app = app.route(path, guarded(caller(), requirement));
    }
    app
}

async fn upload<A: Deref<Target = Caller>>(auth: A, body: Bytes) -> Json<Value> {
    Json(json!({"user_id": auth.user_id(), "bytes": body.len()}))
}

async fn streamed<A>(_: A) -> Body {
    Body::from_stream(stream::iter(["one", "two", "three"].map(Ok::<_, Infallible>)))
}

async fn optional<A: Deref<Target = Caller>>(auth: Option<A>) -> Json<Value> {
    Json(json!({"user_id": auth.as_ref().map(|auth| auth.user_id())}))
}

async fn preflight() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    let allowed = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "https://app.example");
    (StatusCode::NO_CONTENT, [allowed])
}

fn teapot() -> axum::http::Response<Bytes> {
    let mut reply = axum::http::Response::new(Bytes::from_static(br#"{"code": "teapot"}"#));
    *reply.status_mut() = StatusCode::IM_A_TEAPOT;
    let json = header::HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    reply
}

async fn greet<A: Deref<Target = Caller>>(auth: A, upgrade: WebSocketUpgrade) -> Response {
    let user = auth.user_id().to_owned();
    upgrade.on_upgrade(async move |mut socket| {
        let farewell = CloseFrame {
            code: 1000,
            reason: "".into(),
        };
        socket.send(Message::Text(user.into())).await.unwrap();
        socket.send(Message::Close(Some(farewell))).await.unwrap();
    })
}

/// Serves until the runtime ends, with the test.
pub(crate) async fn served(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn conforms(app: fn(&Contract) -> Router) {
    let contract = Contract::read();
    let adapter = Adapter {
        address: served(app(&contract)).await,
        has: HAS.to_vec(),
    };
    let report = spawn_blocking(move || run(&contract, &adapter)).await.unwrap();
    report.assert_conforms(AT_LEAST);
}

#[tokio::test]
async fn layers_conform() {
    conforms(app::<ByLayer>).await;
}

#[tokio::test]
async fn extractors_conform() {
    conforms(app::<ByExtractor>).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleaved_requests_of_many_users_never_mix() {
    let contract = Contract::read();
    let users = contract.users();
    let address = served(app::<ByLayer>(&contract)).await;
    let kept_alive = {
        let users = users.clone();
        spawn_blocking(move || interleave(address, "/me", &users, REQUESTS))
    };
    kept_alive.await.unwrap().assert_none(REQUESTS);
    for app in [app::<ByLayer>(&contract), app::<ByExtractor>(&contract)] {
        let multiplexed = interleave_http2(served(app).await, "/me", &users, REQUESTS).await;
        multiplexed.assert_none(REQUESTS);
    }
}

//! The contract of all web adapters, `contract/adapters`, against services of our own under a hyper server.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt, stream};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CONNECTION, CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use torii_backend::{Auth, Requirement, Verifier};
use torii_backend_tower::{AuthLayer, rejection};
use torii_conformance::{Adapter, Contract, Settings, interleave, interleave_http2, me, run};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

/// What the contract's `needs` name that tower has.
const HAS: [&str; 4] = ["websocket", "layers", "preflight", "streaming"];
/// All cases but those that only Python can have.
const AT_LEAST: usize = 390;
const REQUESTS: usize = 10_000;

type Answer = Response<BoxBody<Bytes, Infallible>>;
type Route = BoxCloneSyncService<Request<Incoming>, Answer, Infallible>;

/// What the router found in the path.
#[derive(Clone)]
struct OrgId(String);

#[derive(Deserialize, Serialize)]
struct Plan {
    plan: String,
    seats: u64,
}

/// The services by their paths; of `/orgs/{org_id}`, by `/orgs`.
#[derive(Clone)]
pub(crate) struct App(HashMap<&'static str, Route>);

impl App {
    fn new(contract: &Contract) -> Self {
        let settings = Settings::new(contract);
        let plain = || layer(&settings.plain);
        let issuer = || {
            service_fn(async |request| {
                let auth = auth(&request);
                Ok(json_reply(
                    &json!({"user_id": auth.user_id(), "issuer": auth.issuer()}),
                ))
            })
        };
        let guarded = |requirement: Requirement| plain().require(requirement);
        let mut app = Self::of(&settings.plain);
        app.add("/upload", plain(), service_fn(upload));
        app.add("/stream", plain(), service_fn(streamed));
        app.add("/optional", plain().optional(), service_fn(optional));
        app.0.insert(
            "/public",
            boxed(service_fn(async |_| Ok(json_reply(&json!({"public": true}))))),
        );
        for (path, requirement) in Settings::guarded() {
            let path = path.strip_suffix("/{org_id}").unwrap_or(path);
            app.add(path, guarded(requirement), service_fn(caller));
        }
        app.add("/claims", plain(), service_fn(claims));
        app.add("/cookie", layer(&settings.cookie), service_fn(caller));
        app.add("/token-header", layer(&settings.token_header), service_fn(caller));
        app.add("/issuers", layer(&settings.issuers), issuer());
        app.add("/unavailable", layer(&settings.unavailable), service_fn(caller));
        app.add("/hook", plain().on_refused(|_, _| teapot()), service_fn(caller));
        let two = ServiceBuilder::new()
            .layer(layer(&settings.other_issuer))
            .layer(plain());
        app.0.insert("/two", boxed(two.service(issuer())));
        app.add("/cors", plain().allow_preflight(), service_fn(shared));
        app.add("/closed", plain(), service_fn(shared));
        app.add("/ws", plain(), service_fn(greet));
        app.add(
            "/ws-protocol",
            layer(&settings.websocket_protocol),
            service_fn(greet),
        );
        app.add("/ws-cookie", layer(&settings.cookie), service_fn(greet));
        app.add("/ws-admin", guarded(Settings::admin()), service_fn(greet));
        app.add("/ws-unavailable", layer(&settings.unavailable), service_fn(greet));
        app.add("/ws-lost", guarded(Settings::lost()), service_fn(greet));
        app
    }

    /// With the route `/me` alone.
    pub(crate) fn of(verifier: &Verifier) -> Self {
        let mut app = Self(HashMap::new());
        app.add("/me", layer(verifier), service_fn(caller));
        app
    }

    fn add<S>(&mut self, path: &'static str, layer: AuthLayer, inner: S)
    where
        S: tower::Service<Request<Incoming>, Response = Answer, Error = Infallible, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.0.insert(path, boxed(layer.layer(inner)));
    }

    async fn answer(self, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
        let path = request.uri().path().to_owned();
        let path = match path.strip_prefix("/orgs/") {
            Some(id) if !id.is_empty() && !id.contains('/') => {
                request.extensions_mut().insert(OrgId(decoded(id)));
                "/orgs"
            }
            _ => path.as_str(),
        };
        match self.0.get(path) {
            Some(route) if path == "/orgs" || request.uri().path() == path => {
                route.clone().oneshot(request).await
            }
            _ => Ok(status(StatusCode::NOT_FOUND)),
        }
    }
}

fn layer(verifier: &Verifier) -> AuthLayer {
    AuthLayer::new(verifier.clone()).path_parameters(|head: &mut Parts, name| {
        let OrgId(id) = head.extensions.get().filter(|_| name == "org_id")?;
        Some(id.clone())
    })
}

fn boxed<S, B>(service: S) -> Route
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
{
    BoxCloneSyncService::new(service.map_response(|reply| reply.map(BodyExt::boxed)))
}

/// The bytes that `%` and two digits stand for.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let digits = |bytes: &mut std::str::Bytes<'_>| {
            let digits = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()
        };
        plain.push(match byte {
            b'%' => digits(&mut bytes).unwrap_or(byte),
            byte => byte,
        });
    }
    String::from_utf8(plain).unwrap_or_default()
}

/// The caller whom the layer has let in.
fn auth<B>(request: &Request<B>) -> Auth {
    request.extensions().get::<Auth>().unwrap().clone()
}

fn status(status: StatusCode) -> Answer {
    let mut reply = Response::new(Empty::new().boxed());
    *reply.status_mut() = status;
    reply
}

fn json_reply(value: &Value) -> Answer {
    let mut reply = Response::new(Full::from(value.to_string()).boxed());
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

fn teapot() -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from_static(br#"{"code": "teapot"}"#));
    *reply.status_mut() = StatusCode::IM_A_TEAPOT;
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

async fn caller(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(json_reply(&me(&auth(&request))))
}

async fn upload(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let auth = auth(&request);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(json_reply(
        &json!({"user_id": auth.user_id(), "bytes": body.len()}),
    ))
}

async fn streamed(_: Request<Incoming>) -> Result<Answer, Infallible> {
    let parts = ["one", "two", "three"].map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))));
    Ok(Response::new(StreamBody::new(stream::iter(parts)).boxed()))
}

async fn optional(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let auth = request.extensions().get::<Auth>();
    Ok(json_reply(&json!({"user_id": auth.map(Auth::user_id)})))
}

async fn claims(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match auth(&request).claims_or_denied::<Plan>() {
        Ok(plan) => json_reply(&json!(plan)),
        Err(denied) => rejection(&denied.into()).map(|body| Full::from(body).boxed()),
    })
}

async fn shared(request: Request<Incoming>) -> Result<Answer, Infallible> {
    if request.method() != Method::OPTIONS {
        return Ok(json_reply(&me(&auth(&request))));
    }
    let mut reply = status(StatusCode::NO_CONTENT);
    let origin = HeaderValue::from_static("https://app.example");
    reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    Ok(reply)
}

async fn greet(mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    let user = auth(&request).user_id().to_owned();
    let key = derive_accept_key(request.headers()["sec-websocket-key"].as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let farewell = CloseFrame {
            code: 1000.into(),
            reason: "".into(),
        };
        socket.send(Message::Text(user.into())).await.unwrap();
        socket.close(Some(farewell)).await.unwrap();
    });
    let mut reply = status(StatusCode::SWITCHING_PROTOCOLS);
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(key).unwrap());
    Ok(reply)
}

/// Serves HTTP/1.1 and HTTP/2 until the runtime ends, with the test.
pub(crate) async fn served(app: App) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let app = app.clone();
            let service = TowerToHyperService::new(service_fn(move |request| app.clone().answer(request)));
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server
                    .serve_connection_with_upgrades(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}

#[tokio::test]
async fn the_layer_conforms() {
    let contract = Contract::read();
    let adapter = Adapter {
        address: served(App::new(&contract)).await,
        has: HAS.to_vec(),
    };
    let report = spawn_blocking(move || run(&contract, &adapter)).await.unwrap();
    report.assert_conforms(AT_LEAST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleaved_requests_of_many_users_never_mix() {
    let contract = Contract::read();
    let users = contract.users();
    let address = served(App::new(&contract)).await;
    let kept_alive = {
        let users = users.clone();
        spawn_blocking(move || interleave(address, "/me", &users, REQUESTS))
    };
    kept_alive.await.unwrap().assert_none(REQUESTS);
    let multiplexed = interleave_http2(address, "/me", &users, REQUESTS).await;
    multiplexed.assert_none(REQUESTS);
}

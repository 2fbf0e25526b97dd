//! `Auth` and `Option<Auth>` as arguments of handlers.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::map_request;
use axum::response::{IntoResponse, Response};
use axum::routing;
use tokio::task::JoinSet;
use torii_backend::{AccessError, ErrorCode, Verifier};
use torii_backend_axum::{Auth, AuthLayer, AuthRejection};
use tower::ServiceExt;

use crate::support::{Torii, get, get_with, read};

const AUTHENTICATION_FAILED: &str = r#"{"code":"authentication_failed","message":"Authentication failed."}"#;
const EXPIRED: &str = r#"{"code":"expired","message":"Authentication failed."}"#;
/// Where nothing listens.
const NOBODY: &str = "http://127.0.0.1:1";

async fn me(auth: Auth) -> String {
    auth.user_id().to_owned()
}

async fn greeting(auth: Option<Auth>) -> String {
    auth.map_or_else(|| "nobody".to_owned(), |auth| auth.user_id().to_owned())
}

fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Verifier: FromRef<S>,
{
    Router::new()
        .route("/me", routing::get(me))
        .route("/greeting", routing::get(greeting))
}

fn app(verifier: &Verifier) -> Router {
    routes().with_state(verifier.clone())
}

#[tokio::test]
async fn a_valid_token_is_an_auth() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    for path in ["/me", "/greeting"] {
        let reply = app(&torii.verifier)
            .oneshot(get_with(path, &token))
            .await
            .unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()), "{path}");
    }
}

#[tokio::test]
async fn only_the_absence_of_credentials_is_none() {
    let torii = Torii::start().await;
    let app = app(&torii.verifier);
    let reply = app.clone().oneshot(get("/greeting")).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
    let expired = torii.expired().await;
    for (token, body) in [
        ("not-a-token", AUTHENTICATION_FAILED),
        ("", AUTHENTICATION_FAILED),
        (&expired, EXPIRED),
    ] {
        let reply = app.clone().oneshot(get_with("/greeting", token)).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::UNAUTHORIZED, body.to_owned()));
    }
}

#[tokio::test]
async fn a_refusal_is_the_layers() {
    let torii = Torii::start().await;
    let extractor = app(&torii.verifier);
    let layer = Router::new()
        .route("/me", routing::get(async || ()))
        .layer(AuthLayer::new(torii.verifier.clone()));
    for (request, challenge, body) in [
        (get("/me"), "Bearer", AUTHENTICATION_FAILED),
        (
            get_with("/me", "not-a-token"),
            r#"Bearer error="invalid_token""#,
            AUTHENTICATION_FAILED,
        ),
        (
            get_with("/me", &torii.expired().await),
            r#"Bearer error="invalid_token""#,
            EXPIRED,
        ),
    ] {
        let (parts, _) = request.into_parts();
        let request = || axum::http::Request::from_parts(parts.clone(), axum::body::Body::empty());
        let ours = extractor.clone().oneshot(request()).await.unwrap();
        let theirs = layer.clone().oneshot(request()).await.unwrap();
        assert_eq!(ours.headers()["www-authenticate"], challenge);
        assert_eq!(ours.headers(), theirs.headers());
        let ours = read(ours).await;
        assert_eq!(ours, (StatusCode::UNAUTHORIZED, body.to_owned()));
        assert_eq!(ours, read(theirs).await);
    }
}

#[tokio::test]
async fn unreachable_keys_are_503_for_both_and_nothing_else_is() {
    let torii = Torii::start().await;
    let mut order = torii.order().await;
    order.claims.insert("iss".to_owned(), NOBODY.into());
    let token = torii.mint(&order).await;
    let app = app(&Verifier::new(NOBODY).unwrap());
    for path in ["/me", "/greeting"] {
        let reply = app.clone().oneshot(get_with(path, &token)).await.unwrap();
        assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let seconds = reply.headers()["retry-after"].to_str().unwrap();
        assert!(seconds.parse::<u64>().unwrap() >= 1, "{seconds}");
        let reply = app.clone().oneshot(get_with(path, "not-a-token")).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let reply = app.oneshot(get("/greeting")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_verifier_may_be_part_of_a_larger_state() {
    #[derive(Clone)]
    struct AppState {
        verifier: Verifier,
    }
    impl FromRef<AppState> for Verifier {
        fn from_ref(state: &AppState) -> Self {
            state.verifier.clone()
        }
    }
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = torii.verifier.clone();
    let app: Router = routes().with_state(AppState { verifier });
    let reply = app.oneshot(get_with("/me", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
}

#[tokio::test]
async fn a_configured_header_is_the_only_one_looked_at() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = Verifier::builder(torii.emulator.issuer())
        .header("x-torii-token")
        .build();
    let app = app(&verifier.unwrap());
    let mut request = get("/greeting");
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("x-torii-token", value);
    let reply = app.clone().oneshot(request).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = app.oneshot(get_with("/greeting", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
}

#[tokio::test]
async fn what_the_layer_has_verified_is_not_verified_again() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let app = app(&torii.verifier).layer(AuthLayer::new(torii.verifier.clone()));
    for path in ["/me", "/greeting"] {
        let reply = app.clone().oneshot(get_with(path, &token)).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()), "{path}");
    }
    assert_eq!(torii.verifier.counts().accepted, 2);
}

#[tokio::test]
async fn a_request_is_verified_once_however_often_it_is_asked_for() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let handler = async |Auth { caller: first, .. }: Auth, second: Option<Auth>, auth: Auth| {
        assert_eq!(Some(&first), second.as_deref());
        auth.user_id().to_owned()
    };
    let app = Router::new()
        .route("/", routing::get(handler))
        .with_state(torii.verifier.clone());
    let reply = app.oneshot(get_with("/", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    assert_eq!(torii.verifier.counts().accepted, 1);
}

#[tokio::test]
async fn behind_an_optional_layer_each_handler_decides() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let layer = AuthLayer::new(torii.verifier.clone()).optional();
    let app = app(&torii.verifier).layer(layer);
    let reply = app.clone().oneshot(get("/me")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let reply = app.clone().oneshot(get("/greeting")).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
    let reply = app.oneshot(get_with("/greeting", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
}

#[tokio::test]
async fn an_identity_planted_before_the_layer_does_not_reach_a_handler() {
    let torii = Torii::start().await;
    let (_, stranger) = torii.user().await;
    let stranger = torii.verifier.verify(&stranger).await.unwrap();
    let plant = map_request(move |mut request: axum::extract::Request| {
        request.extensions_mut().insert(stranger.clone());
        std::future::ready(Ok::<_, Infallible>(request))
    });
    let layer = AuthLayer::new(torii.verifier.clone()).optional();
    let app = app(&torii.verifier).layer(layer).layer(plant);
    let reply = app.oneshot(get("/greeting")).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
}

#[tokio::test]
async fn an_auth_of_another_verifier_does_not_count() {
    let torii = Torii::start().await;
    let elsewhere = Torii::start().await;
    let (id, token) = torii.user().await;
    let strict = Verifier::builder(torii.emulator.issuer()).audiences(["admin"]);
    let strict = strict.build().unwrap();
    let (_, theirs) = elsewhere.user().await;
    for (outer, token) in [(&torii.verifier, &token), (&elsewhere.verifier, &theirs)] {
        for path in ["/me", "/greeting"] {
            let app = app(&strict).layer(AuthLayer::new(outer.clone()).optional());
            let reply = app.oneshot(get_with(path, token)).await.unwrap();
            assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{path}");
        }
    }
    let alike = Verifier::new(torii.emulator.issuer()).unwrap();
    let app = app(&alike).layer(AuthLayer::new(torii.verifier.clone()));
    let reply = app.oneshot(get_with("/me", &token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    assert_eq!(alike.counts().accepted, 1);
}

#[tokio::test]
async fn an_extractor_of_ones_own_can_build_on_auth() {
    struct Verified;
    enum Refused {
        Auth(AuthRejection),
        Unverified,
    }
    impl IntoResponse for Refused {
        fn into_response(self) -> Response {
            match self {
                Self::Auth(rejection) => rejection.into_response(),
                Self::Unverified => StatusCode::FORBIDDEN.into_response(),
            }
        }
    }
    impl FromRequestParts<Verifier> for Verified {
        type Rejection = Refused;

        async fn from_request_parts(parts: &mut Parts, state: &Verifier) -> Result<Self, Refused> {
            let auth = <Auth as FromRequestParts<_>>::from_request_parts(parts, state).await;
            match auth.map_err(Refused::Auth)?.email_verified() {
                true => Ok(Self),
                false => Err(Refused::Unverified),
            }
        }
    }
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let mut order = torii.order().await;
    order.claims.insert("email_verified".to_owned(), true.into());
    let verified = torii.mint(&order).await;
    let app = Router::new()
        .route("/", routing::get(async |_: Verified| ()))
        .with_state(torii.verifier.clone());
    for (request, status) in [
        (get("/"), StatusCode::UNAUTHORIZED),
        (get_with("/", &token), StatusCode::FORBIDDEN),
        (get_with("/", &verified), StatusCode::OK),
    ] {
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_rejection_says_its_cause_to_the_server_only() {
    let torii = Torii::start().await;
    let (mut parts, _) = get_with("/", &torii.expired().await).into_parts();
    let outcome = <Auth as FromRequestParts<_>>::from_request_parts(&mut parts, &torii.verifier).await;
    let rejection = outcome.unwrap_err();
    let AccessError::Unverified(error) = &rejection.0 else {
        panic!("{rejection}");
    };
    assert_eq!(error.code(), ErrorCode::Expired);
    assert!(rejection.to_string().starts_with("expired: "), "{rejection}");
    let (_, body) = read(rejection.into_response()).await;
    assert_eq!(body, EXPIRED);
}

#[tokio::test]
async fn a_handlers_own_500_stays_its_own() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let handler = async |_: Auth| (StatusCode::INTERNAL_SERVER_ERROR, "out of order");
    let app = Router::new()
        .route("/", routing::get(handler))
        .with_state(torii.verifier.clone());
    let reply = app.oneshot(get_with("/", &token)).await.unwrap();
    let expected = (StatusCode::INTERNAL_SERVER_ERROR, "out of order".to_owned());
    assert_eq!(read(reply).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identities_never_mix_between_interleaved_requests() {
    const USERS: usize = 20;
    const REQUESTS: usize = 1_000;
    let torii = Torii::start().await;
    let mut users = Vec::new();
    for _ in 0..USERS {
        users.push(torii.user().await);
    }
    let app = app(&torii.verifier);
    let mut tasks = JoinSet::new();
    for request in 0..REQUESTS {
        let (id, token) = users[request % USERS].clone();
        let (app, path) = (app.clone(), ["/me", "/greeting"][request / USERS % 2]);
        tasks.spawn(async move {
            let reply = app.oneshot(get_with(path, &token)).await.unwrap();
            assert_eq!(read(reply).await, (StatusCode::OK, id));
        });
    }
    assert_eq!(tasks.join_all().await.len(), REQUESTS);
    assert_eq!(torii.verifier.counts().accepted, REQUESTS as u64);
}

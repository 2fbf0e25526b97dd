//! Who gets through, and as whom.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use tokio::task::JoinSet;
use torii_backend::{Auth, Verifier};
use torii_backend_tower::{Admission, AuthLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Incoming, Torii, anonymous, read, who, with_header, with_token};

#[tokio::test]
async fn a_valid_token_brings_its_user_to_the_inner_service() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = AuthLayer::new(torii.verifier.clone()).layer(service_fn(who));
    let reply = service.oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
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
    let service = AuthLayer::new(torii.verifier.clone()).layer(service_fn(who));

    let mut tasks = JoinSet::new();
    for request in 0..REQUESTS {
        let (id, token) = users[request % USERS].clone();
        let service = service.clone();
        tasks.spawn(async move {
            let reply = service.oneshot(with_token(&token)).await.unwrap();
            assert_eq!(read(reply).await, (StatusCode::OK, id));
        });
    }
    assert_eq!(tasks.join_all().await.len(), REQUESTS);
    assert_eq!(torii.verifier.counts().accepted, REQUESTS as u64);
}

#[tokio::test]
async fn a_known_key_is_verified_without_waiting() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    torii.verifier.warm_up().await.unwrap();
    let inner = service_fn(async |_: Incoming| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    let mut service = AuthLayer::new(torii.verifier.clone()).layer(inner);
    let reply = pin!(service.call(with_token(&token)));
    assert!(reply.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[tokio::test]
async fn headers_that_claim_an_identity_are_passed_on_untouched_and_change_nothing() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let claimed = [
        "x-user",
        "x-user-id",
        "x-forwarded-user",
        "x-torii-user-id",
        "remote-user",
    ];
    let inner = service_fn(move |request: Incoming| async move {
        for name in claimed {
            assert_eq!(request.headers()[name], "admin");
        }
        who(request).await
    });
    let spoof = |mut request: Incoming| {
        for name in claimed {
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static("admin"));
        }
        request
    };
    let service = AuthLayer::new(torii.verifier.clone()).layer(inner);
    let reply = service.clone().oneshot(spoof(with_token(&token))).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = service.oneshot(spoof(anonymous())).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_auth_from_upstream_is_replaced_or_removed() {
    let torii = Torii::start().await;
    let (_, stranger) = torii.user().await;
    let upstream = torii.verifier.verify(&stranger).await.unwrap();
    let (id, token) = torii.user().await;
    let planted = |mut request: Incoming| {
        request.extensions_mut().insert::<Auth>(upstream.clone());
        request
    };
    let layer = AuthLayer::new(torii.verifier.clone());
    let demanding = layer.clone().layer(service_fn(who));
    let optional = layer.optional().layer(service_fn(who));

    let reply = demanding
        .clone()
        .oneshot(planted(with_token(&token)))
        .await
        .unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id.clone()));
    let reply = demanding.oneshot(planted(anonymous())).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let reply = optional
        .clone()
        .oneshot(planted(with_token(&token)))
        .await
        .unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = optional.oneshot(planted(anonymous())).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
}

#[tokio::test]
async fn an_auth_is_the_verifiers_that_made_it_and_of_its_clones() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let alike = Verifier::new(torii.emulator.issuer()).unwrap();
    for _ in ["verified", "remembered"] {
        let auth = torii.verifier.verify(&token).await.unwrap();
        assert!(torii.verifier.made(&auth) && torii.verifier.clone().made(&auth.clone()));
        assert!(!alike.made(&auth));
    }
}

#[tokio::test]
async fn the_innermost_layer_says_what_was_found_out() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let found = service_fn(async |request: Incoming| {
        let admission = request.extensions().get::<Admission>().cloned();
        let found = match admission.unwrap().into_result() {
            Ok(auth) => auth.user_id().to_owned(),
            Err(error) => error.code().to_string(),
        };
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(found)))
    });
    let other = Verifier::builder(torii.emulator.issuer()).header("x-other");
    let layer = AuthLayer::new(torii.verifier.clone()).optional();
    let service = layer.layer(AuthLayer::new(other.build().unwrap()).optional().layer(found));
    for (header, expected) in [("x-other", id.as_str()), ("authorization", "header_missing")] {
        let request = with_header(header, &format!("Bearer {token}"));
        let reply = service.clone().oneshot(request).await.unwrap();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, expected, "{header}");
    }
}

#[tokio::test]
async fn optional_lets_only_the_absence_of_credentials_pass() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = AuthLayer::new(torii.verifier.clone())
        .optional()
        .layer(service_fn(who));

    let reply = service.clone().oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = service.clone().oneshot(anonymous()).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "nobody".to_owned()));
    for value in ["Bearer", "Bearer x", "Basic dTpw", &format!("Bearer {token}x")] {
        let reply = service
            .clone()
            .oneshot(with_header("authorization", value))
            .await
            .unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{value}");
    }
}

#[tokio::test]
async fn a_configured_header_is_the_only_one_looked_at() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let verifier = Verifier::builder(torii.emulator.issuer())
        .header("x-torii-token")
        .build();
    let service = AuthLayer::new(verifier.unwrap()).layer(service_fn(who));

    let custom = with_header("x-torii-token", &format!("Bearer {token}"));
    let reply = service.clone().oneshot(custom).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, id));
    let reply = service.oneshot(with_token(&token)).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_method_needs_a_token() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = AuthLayer::new(torii.verifier.clone()).layer(service_fn(who));
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PURGE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = anonymous();
        *request.method_mut() = method.clone();
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{method}");
        let mut request = with_token(&token);
        *request.method_mut() = method.clone();
        let reply = service.clone().oneshot(request).await.unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()), "{method}");
    }
}

#[tokio::test]
async fn the_inner_services_own_failures_stay_its_own() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let layer = AuthLayer::new(torii.verifier.clone());

    let broken = service_fn(async |_: Incoming| {
        let mut reply = Response::new(Full::<Bytes>::from("out of order"));
        *reply.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Ok::<_, Infallible>(reply)
    });
    let reply = layer.layer(broken).oneshot(with_token(&token)).await.unwrap();
    let expected = (StatusCode::INTERNAL_SERVER_ERROR, "out of order".to_owned());
    assert_eq!(read(reply).await, expected);

    let failing = service_fn(async |_: Incoming| Err::<Response<Full<Bytes>>, _>("gone"));
    let outcome = layer.layer(failing).oneshot(with_token(&token)).await;
    assert_eq!(outcome.unwrap_err(), "gone");
}

#[tokio::test]
async fn a_boxed_body_arrives_whole_with_its_trailers() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let inner = service_fn(async |_: Incoming| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", HeaderValue::from_static("7"));
        let body = Full::from("hello").with_trailers(std::future::ready(Some(Ok(trailers))));
        Ok::<_, Infallible>(Response::new(BoxBody::<Bytes, Infallible>::new(body)))
    });
    let service = AuthLayer::new(torii.verifier.clone()).layer(inner);

    let reply = service.clone().oneshot(with_token(&token)).await.unwrap();
    let body = reply.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-checksum"], "7");
    assert_eq!(body.to_bytes(), "hello");
    let reply = service.oneshot(anonymous()).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
}

//! Requirements, preflights and subprotocols, as a layer's settings.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use torii_backend::{AccessError, Auth, Denied, Org, Requirement, Verifier};
use torii_backend_tower::{Admission, AuthLayer};
use tower::{Layer, ServiceExt, service_fn};
use tracing::Level;

use crate::log;
use crate::support::{Incoming, Torii, anonymous, read, who, with_header, with_token};

fn of_path() -> Requirement {
    Requirement::new().organization(Org::FromPath("org_id".to_owned()))
}

/// A token of a user who has switched to an organization.
async fn member(torii: &Torii) -> String {
    let mut order = torii.order().await;
    order
        .claims
        .insert("o".to_owned(), json!({"id": "organization-1"}));
    torii.mint(&order).await
}

#[tokio::test]
async fn every_requirement_of_a_layer_must_be_satisfied() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone());
    let any = Requirement::new().organization(Org::Any);
    let nobody = Requirement::new().predicate("nobody", |_| false);
    for (layer, refused_by) in [
        (layer.clone().require(any.clone()), None),
        (
            layer.clone().require(any.clone()).require(nobody.clone()),
            Some("nobody"),
        ),
        (layer.clone().require(nobody).require(any), Some("nobody")),
    ] {
        let reply = layer
            .layer(service_fn(who))
            .oneshot(with_token(&member))
            .await
            .unwrap();
        let (status, body) = read(reply).await;
        match refused_by {
            None => assert_eq!(status, StatusCode::OK),
            Some(guard) => {
                assert_eq!(status, StatusCode::FORBIDDEN);
                assert!(body.contains(&format!(r#""guard":"{guard}""#)), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_path_guard_where_nobody_reads_paths_is_a_mistake_of_ours() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone()).require(of_path());
    log::take();
    let reply = layer
        .layer(service_fn(who))
        .oneshot(with_token(&member))
        .await
        .unwrap();
    let (status, body) = read(reply).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        body.contains("configuration_error") && !body.contains("org_id"),
        "{body}"
    );
    let [(level, text)] = &log::take()[..] else {
        panic!("one entry");
    };
    assert_eq!(*level, Level::ERROR);
    assert!(text.contains("`org_id`"), "{text}");
}

#[tokio::test]
async fn a_path_guard_compares_what_the_reader_finds() {
    let torii = Torii::start().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone()).require(of_path());
    let service = layer
        .path_parameters(|head, name| {
            assert_eq!(name, "org_id");
            Some(head.uri.path().trim_start_matches('/').to_owned())
        })
        .layer(service_fn(who));
    for (path, status) in [
        ("/organization-1", StatusCode::OK),
        ("/organization-2", StatusCode::FORBIDDEN),
        ("/", StatusCode::FORBIDDEN),
    ] {
        let mut request = with_token(&member);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(
            service.clone().oneshot(request).await.unwrap().status(),
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_optional_layers_requirements_are_for_callers() {
    let torii = Torii::start().await;
    let (_, stranger) = torii.user().await;
    let member = member(&torii).await;
    let layer = AuthLayer::new(torii.verifier.clone()).optional();
    let service = layer
        .require(Requirement::new().organization(Org::Any))
        .layer(service_fn(who));
    for (request, status) in [
        (anonymous(), StatusCode::OK),
        (with_token(&member), StatusCode::OK),
        (with_token(&stranger), StatusCode::FORBIDDEN),
    ] {
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_hook_is_told_which_guard_refuses() {
    let torii = Torii::start().await;
    let (_, stranger) = torii.user().await;
    let layer = AuthLayer::new(torii.verifier.clone())
        .require(Requirement::new().organization(Org::Any))
        .on_refused(|error, mut reply| {
            if let AccessError::Denied(Denied::Guard(name)) = error {
                *reply.body_mut() = name.clone().into_owned().into();
            }
            reply
        });
    let reply = layer
        .layer(service_fn(who))
        .oneshot(with_token(&stranger))
        .await
        .unwrap();
    assert_eq!(
        read(reply).await,
        (StatusCode::FORBIDDEN, "organization".to_owned())
    );
}

#[tokio::test]
async fn a_preflight_that_may_pass_has_no_caller() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let planted = torii.verifier.verify(&token).await.unwrap();
    let found = service_fn(async |request: Incoming| {
        assert!(request.extensions().get::<Auth>().is_none());
        let admission = request.extensions().get::<Admission>().unwrap().clone();
        let text = admission.into_result().unwrap_err().code().to_string();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
    });
    let layer = AuthLayer::new(torii.verifier.clone()).require(Requirement::new().any_of([]));
    let preflight = || {
        let mut request = with_token(&token);
        *request.method_mut() = Method::OPTIONS;
        let method = HeaderValue::from_static("GET");
        request
            .headers_mut()
            .insert(ACCESS_CONTROL_REQUEST_METHOD, method);
        request.extensions_mut().insert(planted.clone());
        request
    };
    let closed = layer.layer(found).oneshot(preflight()).await.unwrap();
    assert_eq!(closed.status(), StatusCode::FORBIDDEN);
    let open = layer.allow_preflight().layer(found);
    let counted = torii.verifier.counts();
    let reply = open.clone().oneshot(preflight()).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, "header_missing".to_owned()));
    assert_eq!(torii.verifier.counts(), counted);
    let mut get = preflight();
    *get.method_mut() = Method::GET;
    assert_eq!(open.oneshot(get).await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_subprotocol_is_selected_where_a_handshake_succeeds_and_selects_none() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let verifier = Verifier::builder(torii.emulator.issuer()).websocket_protocol(true);
    let layer = AuthLayer::new(verifier.build().unwrap());
    let upgrade = StatusCode::SWITCHING_PROTOCOLS;
    for (offered, answer, selected, expected) in [
        ("bearer, {}", upgrade, None, Some("bearer")),
        // A browser takes only what it has offered, letter by letter.
        ("chat, Bearer, {}", upgrade, None, Some("Bearer")),
        ("chat, bearer, {}", upgrade, Some("chat"), Some("chat")),
        ("bearer, {}", StatusCode::OK, None, None),
    ] {
        let inner = service_fn(async |_: Incoming| {
            let mut reply = Response::new(Full::<Bytes>::default());
            *reply.status_mut() = answer;
            if let Some(selected) = selected {
                let selected = HeaderValue::from_static(selected);
                reply.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, selected);
            }
            Ok::<_, Infallible>(reply)
        });
        let request = with_header("sec-websocket-protocol", &offered.replace("{}", &token));
        let reply = layer.layer(inner).oneshot(request).await.unwrap();
        let selected = reply.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let selected: Vec<_> = selected.map(|value| value.to_str().unwrap()).collect();
        assert_eq!(selected, expected.into_iter().collect::<Vec<_>>(), "{offered}");
        assert_eq!(reply.status(), answer);
    }
}

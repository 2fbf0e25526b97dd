//! What the client of a refused call is told.

use bytes::Bytes;
use http::uri::PathAndQuery;
use tokio::net::TcpStream;
use tonic::{Code, Request, Status};
use torii_backend::{AccessError, Denied, Org, Requirement};
use torii_backend_tonic::AuthLayer;
use torii_conformance::Settings;

use crate::service::{CHAT, COLLECT, LIST, SAY};
use crate::support::{Grpcs, anonymous, codec, contract, with};

/// The code, the message, and the metadata that is ours.
fn told(status: &Status) -> (Code, String, Vec<(&'static str, String)>) {
    let ours = ["torii-code", "torii-guard", "grpc-retry-pushback-ms"];
    let found = ours.into_iter().filter_map(|name| {
        let mut values = status.metadata().get_all(name).iter();
        let value = values.next()?.to_str().unwrap().to_owned();
        assert!(values.next().is_none(), "{name}");
        Some((name, value))
    });
    (status.code(), status.message().to_owned(), found.collect())
}

#[tokio::test]
async fn each_refusal_has_its_status() {
    let (contract, verifier) = contract();
    let layer = AuthLayer::new(verifier);
    let denying = layer.clone().require(Settings::admin());
    let lost = layer
        .clone()
        .require(Requirement::new().organization(Org::FromPath("org_id".to_owned())));
    let unavailable = AuthLayer::new(Settings::new(&contract).unavailable);
    let token = |name: &str| with(contract.token(name), String::new());
    let refused = || {
        (
            Code::Unauthenticated,
            "Authentication failed.",
            vec![("torii-code", "authentication_failed")],
        )
    };
    let cases = [
        ("no token", &layer, anonymous(), refused()),
        ("no token for a guard", &denying, anonymous(), refused()),
        ("not a token", &layer, with("x", String::new()), refused()),
        ("another issuer's token", &layer, token("other_issuer"), refused()),
        (
            "an expired token",
            &layer,
            token("expired"),
            (
                Code::Unauthenticated,
                "Authentication failed.",
                vec![("torii-code", "expired")],
            ),
        ),
        (
            "a guard that does not agree",
            &denying,
            token("member"),
            (
                Code::PermissionDenied,
                "Permission denied.",
                vec![("torii-code", "permission_denied"), ("torii-guard", "role")],
            ),
        ),
        (
            "a guard that needs a path",
            &lost,
            token("admin"),
            (
                Code::Internal,
                "Authentication is not configured correctly.",
                vec![("torii-code", "configuration_error")],
            ),
        ),
        ("no token, and no keys", &unavailable, anonymous(), refused()),
    ];
    for (name, layer, request, (code, message, metadata)) in cases {
        let server = Grpcs::behind(layer.clone()).await;
        let status = server.unary(SAY, request).await.unwrap_err();
        let metadata = metadata.iter().map(|(name, value)| (*name, (*value).to_owned()));
        assert_eq!(
            told(&status),
            (code, message.to_owned(), metadata.collect()),
            "{name}"
        );
        server.stop().await;
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_unavailable_with_a_pushback() {
    let (contract, _) = contract();
    let server = Grpcs::behind(AuthLayer::new(Settings::new(&contract).unavailable)).await;
    let request = with(contract.token("valid"), String::new());
    let status = server.unary(SAY, request).await.unwrap_err();
    let (code, message, metadata) = told(&status);
    assert_eq!(code, Code::Unavailable);
    assert_eq!(message, "Authentication is temporarily unavailable.");
    let [(_, code), (_, pushback)] = &metadata[..] else {
        panic!("{metadata:?}")
    };
    assert_eq!(code, "keys_unavailable");
    let pushback: u64 = pushback.parse().unwrap();
    assert!(pushback >= 1_000 && pushback.is_multiple_of(1_000), "{pushback}");
    server.stop().await;
}

#[tokio::test]
async fn metadata_that_repeats_the_token_is_refused() {
    let (contract, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    for second in ["valid", "staff"] {
        let mut request = with(contract.token("valid"), String::new());
        let value = format!("Bearer {}", contract.token(second)).parse().unwrap();
        request.metadata_mut().append("authorization", value);
        let status = server.unary(SAY, request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{second}");
    }
    server.stop().await;
}

#[tokio::test]
async fn metadata_that_claims_an_identity_lets_nobody_in() {
    let (_, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    for name in [
        "x-user-id",
        "torii-auth",
        "authorization-bin",
        "cookie",
        "x-token",
    ] {
        let mut request = anonymous();
        match name.ends_with("-bin") {
            true => {
                let value = tonic::metadata::MetadataValue::from_bytes(b"Bearer admin");
                request.metadata_mut().insert_bin(name, value);
            }
            false => {
                request.metadata_mut().insert(name, "admin".parse().unwrap());
            }
        }
        let status = server.unary(SAY, request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn streams_are_refused_before_a_message_is_read() {
    let (_, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    let path = PathAndQuery::from_static;
    // The client's stream never ends, and never has a message.
    let endless = || Request::new(tokio_stream::pending::<String>());

    let mut client = server.client().await;
    let status = client
        .server_streaming(anonymous(), path(LIST), codec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let mut client = server.client().await;
    let status = client
        .client_streaming(endless(), path(COLLECT), codec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let mut client = server.client().await;
    let status = client
        .streaming(endless(), path(CHAT), codec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_is_one_frame_of_headers() {
    let (_, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = http::Request::post(format!("http://{}{SAY}", server.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (response, mut body) = client.send_request(request, false).unwrap();
    // An empty message.
    body.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    let mut headers: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    let expected = [
        ("content-type", "application/grpc"),
        ("grpc-message", "Authentication%20failed."),
        ("grpc-status", "16"),
        ("torii-code", "authentication_failed"),
    ];
    assert_eq!(headers, expected);
    assert!(response.into_body().is_end_stream());
    drop(client);
    connection.abort();
    server.stop().await;
}

#[tokio::test]
async fn the_hook_is_told_the_cause_and_changes_the_status() {
    let (contract, verifier) = contract();
    let layer = AuthLayer::new(verifier)
        .require(Settings::admin())
        .on_refused(|cause, status| match cause {
            AccessError::Denied(Denied::Guard(guard)) => Status::not_found(format!("hidden by {guard}")),
            _ => status,
        });
    let server = Grpcs::behind(layer).await;
    let denied = with(contract.token("member"), String::new());
    let status = server.unary(SAY, denied).await.unwrap_err();
    assert_eq!(
        told(&status),
        (Code::NotFound, "hidden by role".to_owned(), vec![])
    );
    let status = server.unary(SAY, anonymous()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    server.stop().await;
}

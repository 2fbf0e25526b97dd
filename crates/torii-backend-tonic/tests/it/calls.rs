//! Who gets through, and as whom.

use std::sync::Arc;

use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::Code;
use tonic::service::LayerExt;
use tonic::transport::Server;
use torii_backend::clock::ManualClock;
use torii_backend::{KeySource, Requirement, Verifier};
use torii_backend_tonic::AuthLayer;

use crate::service::{ADMIN, CHAT, COLLECT, LIST, OPTIONAL, OTHER_SAY, Other, PLAN, SAY, Who};
use crate::support::{Grpcs, anonymous, codec, contract, with};

#[tokio::test]
async fn a_call_of_each_kind_knows_its_caller() {
    let (contract, verifier) = contract();
    let token = contract.token("user_07");
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    let said = server.unary(SAY, with(token, " says hello".to_owned())).await;
    assert_eq!(said.unwrap(), "user-07 says hello");

    let mut client = server.client().await;
    let path = PathAndQuery::from_static(LIST);
    let replies = client.server_streaming(with(token, String::new()), path, codec());
    let replies: Vec<_> = replies.await.unwrap().into_inner().collect().await;
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, ["user-07 1", "user-07 2", "user-07 3"]);

    let mut client = server.client().await;
    let messages = tokio_stream::iter(["a", "b"].map(str::to_owned));
    let path = PathAndQuery::from_static(COLLECT);
    let reply = client
        .client_streaming(with(token, messages), path, codec())
        .await;
    assert_eq!(reply.unwrap().into_inner(), "user-07 2");

    // In turns: what is sent next depends on what has come.
    let mut client = server.client().await;
    let (sender, messages) = mpsc::channel(1);
    let path = PathAndQuery::from_static(CHAT);
    let request = with(token, ReceiverStream::new(messages));
    let mut replies = client
        .streaming(request, path, codec())
        .await
        .unwrap()
        .into_inner();
    for turn in ["one", "two", "three"] {
        sender.send(turn.to_owned()).await.unwrap();
        let reply = replies.message().await.unwrap();
        assert_eq!(reply.as_deref(), Some(&*format!("user-07 {turn}")));
    }
    drop(sender);
    assert_eq!(replies.message().await.unwrap(), None);
    drop((client, replies));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identities_never_mix_between_interleaved_calls_on_one_connection() {
    const USERS: usize = 50;
    const CALLS: usize = 10_000;
    const AT_THE_SAME_TIME: usize = 64;
    let (contract, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier.clone())).await;
    let streams = Arc::new(Semaphore::new(AT_THE_SAME_TIME));
    let mut tasks = JoinSet::new();
    for call in 0..CALLS {
        let user = format!("{:02}", call % USERS);
        let token = contract.token(&format!("user_{user}")).to_owned();
        let channel = server.channel.clone();
        let permit = Arc::clone(&streams).acquire_owned().await.unwrap();
        tasks.spawn(async move {
            let mut client = tonic::client::Grpc::new(channel);
            client.ready().await.unwrap();
            let request = with(&token, format!(" {call}"));
            let reply = client
                .unary(request, PathAndQuery::from_static(SAY), codec())
                .await;
            drop(permit);
            (reply.unwrap().into_inner(), format!("user-{user} {call}"))
        });
    }
    let mut answers = 0;
    while let Some(joined) = tasks.join_next().await {
        let (got, expected) = joined.unwrap();
        assert_eq!(got, expected);
        answers += 1;
    }
    assert_eq!(answers, CALLS);
    assert_eq!(verifier.counts().accepted, CALLS as u64);
    server.stop().await;
}

#[tokio::test]
async fn an_optional_layer_lets_nobody_through_as_nobody() {
    let (contract, verifier) = contract();
    let closed = Requirement::new().predicate("staff", |auth| auth.user_id().ends_with("-staff"));
    let server = Grpcs::behind(AuthLayer::new(verifier).optional().require(closed)).await;
    assert_eq!(server.unary(OPTIONAL, anonymous()).await.unwrap(), "nobody");
    let staff = server
        .unary(OPTIONAL, with(contract.token("staff"), String::new()))
        .await;
    assert!(staff.unwrap().ends_with("-staff"));
    for (path, request, code) in [
        (
            OPTIONAL,
            with("not-a-token", String::new()),
            Code::Unauthenticated,
        ),
        (
            OPTIONAL,
            with(contract.token("valid"), String::new()),
            Code::PermissionDenied,
        ),
        (SAY, anonymous(), Code::Unauthenticated),
        (ADMIN, anonymous(), Code::Unauthenticated),
        (PLAN, anonymous(), Code::Unauthenticated),
    ] {
        assert_eq!(
            server.unary(path, request).await.unwrap_err().code(),
            code,
            "{path}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_method_may_ask_for_more_than_its_service() {
    let (contract, verifier) = contract();
    let server = Grpcs::behind(AuthLayer::new(verifier)).await;
    let call = async |path, token| {
        server
            .unary(path, with(contract.token(token), String::new()))
            .await
    };
    assert!(call(ADMIN, "admin").await.is_ok());
    let denied = call(ADMIN, "member").await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert_eq!(denied.metadata().get("torii-guard").unwrap(), "role");

    assert_eq!(call(PLAN, "pro").await.unwrap(), "pro");
    let denied = call(PLAN, "valid").await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert_eq!(denied.metadata().get("torii-guard").unwrap(), "claims");
    server.stop().await;
}

#[tokio::test]
async fn one_service_may_be_protected_and_another_not() {
    let (contract, verifier) = contract();
    let server = Grpcs::start(|listener, stopped| async {
        let layered = AuthLayer::new(verifier).named_layer(Who);
        let server = Server::builder().add_service(layered).add_service(Other(Who));
        let incoming = TcpListenerStream::new(listener);
        server.serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    let said = server
        .unary(SAY, with(contract.token("user_01"), String::new()))
        .await;
    assert_eq!(said.unwrap(), "user-01");
    let refused = server.unary(SAY, anonymous()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    // The service is reached, and finds no layer.
    let refused = server.unary(OTHER_SAY, anonymous()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    server.stop().await;
}

#[tokio::test]
async fn a_service_without_a_layer_lets_nobody_in() {
    let (contract, _) = contract();
    let server = Grpcs::start(|listener, stopped| async {
        let server = Server::builder().add_service(Who);
        let incoming = TcpListenerStream::new(listener);
        server.serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    for path in [SAY, OPTIONAL, ADMIN, PLAN] {
        let request = with(contract.token("admin"), String::new());
        let refused = server.unary(path, request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal, "{path}");
        assert_eq!(refused.message(), "Authentication is not configured correctly.");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_key_fetch_that_hangs_stops_no_other_call() {
    let (contract, verifier) = contract();
    // Takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (issuer, _) = verifier.statuses().next().unwrap();
    let hanging = Verifier::builder(issuer)
        .key_source(KeySource::Url(url))
        .clock(ManualClock::at(verifier.now()))
        .build()
        .unwrap();
    let server = Grpcs::start(|listener, stopped| async {
        let hanging = AuthLayer::new(hanging).named_layer(Who);
        let other = AuthLayer::new(verifier).named_layer(Other(Who));
        let server = Server::builder().add_service(hanging).add_service(other);
        let incoming = TcpListenerStream::new(listener);
        server.serve_with_incoming_shutdown(incoming, stopped).await
    })
    .await;
    let channel = server.channel.clone();
    let request = with(contract.token("user_01"), String::new());
    let waiting = tokio::spawn(async move {
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.unwrap();
        client
            .unary(request, PathAndQuery::from_static(SAY), codec())
            .await
    });
    let (_connection, _) = silent.accept().await.unwrap();
    let request = with(contract.token("user_02"), String::new());
    assert_eq!(server.unary(OTHER_SAY, request).await.unwrap(), "user-02");
    assert!(!waiting.is_finished());
    waiting.abort();
    drop(waiting.await);
    server.stop().await;
}

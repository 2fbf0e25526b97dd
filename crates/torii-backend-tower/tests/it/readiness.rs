//! The contract of `poll_ready`: the instance that was ready is the one that is called.

use std::future::{Ready, poll_fn, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use torii_backend_tower::AuthLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Incoming, Torii, anonymous, read, who, with_token};

/// Ready at the second asking, for one call, and only in the instance that was asked.
struct Strict {
    asked: u32,
}

const STRICT: Strict = Strict { asked: 0 };

impl Clone for Strict {
    fn clone(&self) -> Self {
        STRICT
    }
}

impl Service<Incoming> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.asked += 1;
        if self.asked < 2 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Incoming) -> Self::Future {
        assert!(self.asked >= 2, "called without being ready");
        self.asked = 0;
        ready(Ok(Response::new(Full::default())))
    }
}

#[tokio::test]
async fn the_instance_that_was_ready_is_called_each_time() {
    let torii = Torii::start().await;
    let (_, token) = torii.user().await;
    let mut service = AuthLayer::new(torii.verifier.clone()).layer(STRICT);
    for _ in 0..3 {
        let reply = service
            .ready()
            .await
            .unwrap()
            .call(with_token(&token))
            .await
            .unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
        let reply = service.ready().await.unwrap().call(anonymous()).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let torii = Torii::start().await;
    let mut service = AuthLayer::new(torii.verifier.clone()).layer(STRICT);
    let polls = poll_fn(|cx| Poll::Ready([service.poll_ready(cx), service.poll_ready(cx)])).await;
    assert_eq!(polls, [Poll::Pending, Poll::Ready(Ok(()))]);

    #[derive(Clone)]
    struct Closed;
    impl Service<Incoming> for Closed {
        type Response = Response<Full<Bytes>>;
        type Error = &'static str;
        type Future = Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Err("closed"))
        }

        fn call(&mut self, _: Incoming) -> Self::Future {
            unreachable!("not ready")
        }
    }
    let mut service = AuthLayer::new(torii.verifier.clone()).layer(Closed);
    assert_eq!(service.ready().await.err(), Some("closed"));
}

#[tokio::test]
async fn a_refused_request_gives_its_place_back() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let mut service = ServiceBuilder::new()
        .layer(AuthLayer::new(torii.verifier.clone()))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service_fn(who));
    for _ in 0..3 {
        let reply = service.ready().await.unwrap().call(anonymous()).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
        let reply = service
            .ready()
            .await
            .unwrap()
            .call(with_token(&token))
            .await
            .unwrap();
        assert_eq!(read(reply).await, (StatusCode::OK, id.clone()));
    }
}

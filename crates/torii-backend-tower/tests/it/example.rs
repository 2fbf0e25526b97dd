//! The example server's application.

use http::StatusCode;
use tower::ServiceExt;

use crate::support::{Torii, anonymous, read, with_token};

#[allow(dead_code, reason = "its `main` is not called here")]
#[path = "../../examples/hyper_server.rs"]
mod hyper_server;

#[tokio::test]
async fn the_example_greets_signed_in_users_and_asks_others_to_sign_in() {
    let torii = Torii::start().await;
    let (id, token) = torii.user().await;
    let service = hyper_server::service(torii.verifier.clone());
    let reply = service.clone().oneshot(with_token(&token)).await.unwrap();
    assert_eq!(read(reply).await, (StatusCode::OK, format!("Hello, {id}!\n")));
    let reply = service.oneshot(anonymous()).await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
    let expected = (
        StatusCode::UNAUTHORIZED,
        "401 Unauthorized: please sign in.\n".to_owned(),
    );
    assert_eq!(read(reply).await, expected);
}

//! A local torii and its tokens.

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use torii_backend::Verifier;
use torii_emulator::{Emulator, MintToken};

/// Longest body that a test reads.
const MAX_BODY: usize = 1024;

pub(crate) struct Torii {
    pub(crate) emulator: Emulator,
    pub(crate) verifier: Verifier,
}

impl Torii {
    pub(crate) async fn start() -> Self {
        let emulator = Emulator::builder().start().await.unwrap();
        let verifier = Verifier::new(emulator.issuer()).unwrap();
        Self { emulator, verifier }
    }

    /// A new user's id and a token of theirs.
    pub(crate) async fn user(&self) -> (String, String) {
        let order = self.order().await;
        (order.user_id.to_string(), self.mint(&order).await)
    }

    /// A token order for a new user, to be changed at will.
    pub(crate) async fn order(&self) -> MintToken {
        let user = self.emulator.control().create_user(&Default::default()).await;
        MintToken::of(user.unwrap().id)
    }

    pub(crate) async fn mint(&self, order: &MintToken) -> String {
        self.emulator.control().mint_token(order).await.unwrap().token
    }

    /// A token of a new user that is no longer valid.
    pub(crate) async fn expired(&self) -> String {
        let mut order = self.order().await;
        order.expires_in_seconds = Some(-3_600);
        self.mint(&order).await
    }
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn get_with(path: &str, token: &str) -> Request<Body> {
    let authorization = format!("Bearer {token}");
    let request = Request::get(path).header("authorization", authorization);
    request.body(Body::empty()).unwrap()
}

/// The reply's status and its body as text.
pub(crate) async fn read(reply: Response<Body>) -> (StatusCode, String) {
    let status = reply.status();
    let body = axum::body::to_bytes(reply.into_body(), MAX_BODY).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

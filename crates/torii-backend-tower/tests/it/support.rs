//! A local torii, its tokens, and an inner service that tells who it was called by.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::json;
use torii_backend::{Auth, Verifier};
use torii_backend_tower::ResponseBody;
use torii_emulator::{Emulator, MintToken};

use crate::log;

pub(crate) type Incoming = Request<Empty<Bytes>>;

pub(crate) struct Torii {
    pub(crate) emulator: Emulator,
    pub(crate) verifier: Verifier,
}

impl Torii {
    pub(crate) async fn start() -> Self {
        log::listen();
        let emulator = Emulator::builder().start().await.unwrap();
        let verifier = Verifier::new(emulator.issuer()).unwrap();
        Self { emulator, verifier }
    }

    /// A new user's id and a token of theirs.
    pub(crate) async fn user(&self) -> (String, String) {
        let request = self.order().await;
        (request.user_id.to_string(), self.mint(&request).await)
    }

    /// A token order for a new user, to be changed at will.
    pub(crate) async fn order(&self) -> MintToken {
        let user = self.emulator.control().create_user(&Default::default()).await;
        MintToken::of(user.unwrap().id)
    }

    pub(crate) async fn mint(&self, order: &MintToken) -> String {
        self.emulator.control().mint_token(order).await.unwrap().token
    }

    /// A sound token of another issuer.
    pub(crate) async fn token_of_issuer(&self, issuer: &str) -> String {
        let mut order = self.order().await;
        order.claims.insert("iss".to_owned(), json!(issuer));
        self.mint(&order).await
    }
}

pub(crate) fn anonymous() -> Incoming {
    Request::new(Empty::new())
}

pub(crate) fn with_token(token: &str) -> Incoming {
    with_header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
}

pub(crate) fn with_header(name: &str, value: &str) -> Incoming {
    Request::builder().header(name, value).body(Empty::new()).unwrap()
}

/// Answers with the id of the user in the request's extensions.
pub(crate) async fn who(request: Incoming) -> Result<Response<Full<Bytes>>, Infallible> {
    let auth = request.extensions().get::<Auth>().cloned();
    // A service that does something between being called and answering.
    tokio::task::yield_now().await;
    let id = auth.as_ref().map_or("nobody", Auth::user_id).to_owned();
    Ok(Response::new(Full::from(id)))
}

/// The reply's status and its body as text.
pub(crate) async fn read(reply: Response<ResponseBody<Full<Bytes>>>) -> (StatusCode, String) {
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

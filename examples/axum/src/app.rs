//! The routes, and who gets in.

use std::error::Error;

use askama::Template;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use torii_backend::{Org, Requirement, Verifier};
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};

use crate::sign_in::{self, SESSION, SignIn};

/// The application of an issuer's users. `sign_in_url` is the page where they sign in, `origin` where the application is.
pub(crate) fn app(issuer: &str, sign_in_url: &str, origin: &str) -> Result<Router, Box<dyn Error>> {
    let verifier = Verifier::builder(issuer).cookie(SESSION).build()?;
    let sign_in = SignIn::new(verifier.clone(), sign_in_url, origin)?;
    let administrator = Requirement::new()
        .organization(Org::Any)
        .role("org:administrator");

    let pages = Router::new()
        .route("/account", get(account))
        .route(
            "/admin",
            get(admin).layer(AuthLayer::new(verifier.clone()).require(administrator)),
        )
        .layer(AuthLayer::new(verifier.clone()).on_refused(|_, reply| ask_to_sign_in(reply)));
    let api = Router::new()
        .route("/me", get(me))
        .layer(AuthLayer::new(verifier.clone()));
    let open = Router::new().route("/", get(home)).with_state(verifier);
    let signing_in = Router::new()
        .route("/sign-in", get(sign_in::begin))
        .route("/signed-in", get(sign_in::finish))
        .route("/sign-out", post(sign_in::end))
        .with_state(sign_in);
    Ok(open.merge(pages).merge(signing_in).nest("/api", api))
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'p> {
    user: Option<&'p str>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'p> {
    user: &'p str,
    organization: Option<&'p str>,
}

/// An expired session is no reason to hide the page, so a refusal counts as nobody.
async fn home(auth: Result<Auth, torii_backend_axum::AuthRejection>) -> Result<Html<String>, StatusCode> {
    let auth = auth.ok();
    page(&Home {
        user: auth.as_ref().map(|auth| auth.user_id()),
    })
}

async fn account(auth: LayerAuth) -> Result<Html<String>, StatusCode> {
    page(&Account {
        user: auth.user_id(),
        organization: auth.organization().map(|organization| organization.id.as_str()),
    })
}

async fn admin() -> &'static str {
    "Administrators see this.\n"
}

async fn me(auth: LayerAuth) -> Json<Value> {
    Json(json!({"user_id": auth.user_id(), "expires_at": auth.expires_at()}))
}

fn page(template: &impl Template) -> Result<Html<String>, StatusCode> {
    let page = template.render().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Html(page))
}

/// Sends people to sign in, where an API would answer 401. Other refusals stay what they are.
fn ask_to_sign_in(mut reply: Response<Bytes>) -> Response<Bytes> {
    if reply.status() == StatusCode::UNAUTHORIZED {
        *reply.status_mut() = StatusCode::SEE_OTHER;
        reply.body_mut().clear();
        let headers = reply.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(header::LOCATION, HeaderValue::from_static("/sign-in"));
    }
    reply
}

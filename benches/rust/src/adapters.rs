//! A request through a web framework, in this process and without a connection: what protecting the route adds. This file is
//! axum's; `actix.rs` and `tonic.rs` are the others'.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::routing::get;
use futures_util::FutureExt;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;
use torii_backend::Verifier;
use torii_backend_axum::{Auth, AuthLayer, LayerAuth};
use tower::ServiceExt;

use crate::measure::{BLOCK, Case, Worker, repeat};
use crate::verify::{hot, jsonwebtoken_key};
use crate::world::World;
use crate::{actix, tonic};

/// Sends a request with the token of this number, which must be let in.
pub(crate) type Ask = Box<dyn Fn(usize) + Send + Sync>;

pub(crate) fn peer(name: &str, world: &'static World) -> Result<impl Worker, Box<dyn Error>> {
    let ask = match name.split(',').next() {
        Some("actix-web") => actix::ask(name, world)?,
        Some("tonic") => tonic::ask(name, world)?,
        _ => ask(name, world)?,
    };
    // An open route looks at no token, and is done with all of them in no time.
    let again = ["axum", "actix-web", "tonic"].contains(&name);
    let (unseen, tokens) = (AtomicUsize::new(0), world.tokens.len());
    let ask = move |index: usize| ask(if again { index % tokens } else { index });
    let mut seen = 0;
    Ok(move |case: &Case| {
        if case.name == "cold" {
            // A token is never taken twice: past the last one, indexing panics.
            return Ok(repeat(
                case,
                |_, _| unseen.fetch_add(BLOCK, Ordering::Relaxed),
                &ask,
            ));
        }
        (seen..case.size).for_each(&ask);
        seen = seen.max(case.size);
        Ok(hot(case, &ask))
    })
}

fn ask(name: &str, world: &'static World) -> Result<Ask, Box<dyn Error>> {
    let app = match name {
        "axum" => Router::new().route("/me", get(async || "somebody")),
        "axum, AuthLayer" => layered(verifier(world, true)?),
        "axum, AuthLayer without memory" => layered(verifier(world, false)?),
        "axum, extractor" => extracted(verifier(world, true)?),
        "axum, extractor without memory" => extracted(verifier(world, false)?),
        "axum, jsonwebtoken" => {
            install_aws_lc()?;
            Router::new()
                .route("/me", get(async |claims: Claims| claims.sub))
                .with_state(Keys(Arc::new(jsonwebtoken_key(world)?)))
        }
        _ => return Err(format!("no peer is called {name}").into()),
    };
    let headers = headers(world)?;
    Ok(Box::new(move |index| {
        let mut request = Request::get("/me").body(Body::empty()).expect("a request");
        let token = headers[index].clone();
        request.headers_mut().insert(header::AUTHORIZATION, token);
        // Keys are at hand, so that nothing waits.
        let reply = app.clone().oneshot(request).now_or_never();
        let reply: Result<Response<Body>, Infallible> = reply.expect("an answer at once");
        let Ok(reply) = reply;
        assert_eq!(reply.status(), StatusCode::OK);
    }))
}

/// The values of `Authorization`.
pub(crate) fn headers(world: &World) -> Result<Vec<HeaderValue>, Box<dyn Error>> {
    let header = |token: &String| HeaderValue::try_from(format!("Bearer {token}"));
    Ok(world.tokens.iter().map(header).collect::<Result<_, _>>()?)
}

pub(crate) fn install_aws_lc() -> Result<(), &'static str> {
    let installed = aws_lc::DEFAULT_PROVIDER.install_default();
    installed.map_err(|_| "another provider is installed")
}

/// With keys at hand.
pub(crate) fn verifier(world: &World, remember: bool) -> Result<Verifier, Box<dyn Error>> {
    let builder = Verifier::builder(&world.url);
    let builder = if remember {
        builder
    } else {
        builder.remember_verified(0)
    };
    let verifier = builder.build()?;
    verifier.warm_up_blocking()?;
    Ok(verifier)
}

fn layered(verifier: Verifier) -> Router {
    Router::new()
        .route("/me", get(async |auth: LayerAuth| auth.user_id().to_owned()))
        .layer(AuthLayer::new(verifier))
}

fn extracted(verifier: Verifier) -> Router {
    Router::new()
        .route("/me", get(async |auth: Auth| auth.user_id().to_owned()))
        .with_state(verifier)
}

/// What applications write by hand: an extractor that decodes the header's token.
struct Claims {
    sub: String,
}

#[derive(Clone)]
struct Keys(Arc<(DecodingKey, Validation)>);

impl<S: Send + Sync> FromRequestParts<S> for Claims
where
    Keys: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let Keys(keys) = Keys::from_ref(state);
        let (key, validation) = &*keys;
        let header = parts.headers.get(header::AUTHORIZATION);
        let token = header.and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        let decoded = jsonwebtoken::decode::<BTreeMap<String, Value>>(token, key, validation);
        let claims = decoded.map_err(|_| StatusCode::UNAUTHORIZED)?.claims;
        let sub = claims
            .get("sub")
            .and_then(Value::as_str)
            .ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(Self { sub: sub.to_owned() })
    }
}

//! The public documents by which a token is verified.

use std::sync::Arc;

use axum::Json as Reply;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::engine::Engine;

pub(super) async fn jwks(State(engine): State<Arc<Engine>>) -> Response<Body> {
    let settings = engine.domain.settings();
    let mut response = Reply(engine.domain.keys().jwk_set()).into_response();
    let cache = settings.jwks_cache_control.as_deref().map(HeaderValue::from_str);
    // A setting is checked before it is kept.
    if let Some(Ok(value)) = cache {
        response.headers_mut().insert(CACHE_CONTROL, value);
    }
    response
}

/// In the spelling of OpenID Connect Discovery 1.0, so that any library can read it.
pub(super) async fn discovery(State(engine): State<Arc<Engine>>) -> Reply<Value> {
    let issuer = engine.domain.issuer();
    Reply(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/_torii/.well-known/jwks.json"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

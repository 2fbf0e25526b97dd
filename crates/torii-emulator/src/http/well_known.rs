//! The public documents by which a token is verified.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::keys::JwkSet;

/// How long the key set may be cached.
const KEY_SET_CACHE: &str = "public, max-age=300";

type Cached = [(HeaderName, &'static str); 1];

pub(super) async fn jwks(State(engine): State<Arc<Engine>>) -> (Cached, Reply<JwkSet>) {
    let keys = engine.domain.keys().jwk_set();
    ([(CACHE_CONTROL, KEY_SET_CACHE)], Reply(keys))
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

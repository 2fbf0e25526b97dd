//! `/api/server/v1/allowed-origins`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{AllowedOrigins, SetAllowedOrigins};

use super::body::Json;
use super::guard::Environment;
use crate::engine::Engine;
use crate::error::Error;

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
) -> Result<Reply<AllowedOrigins>, Error> {
    engine.domain.allowed_origins(environment).await.map(Reply)
}

pub(super) async fn set(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Json(body): Json<SetAllowedOrigins>,
) -> Result<Reply<AllowedOrigins>, Error> {
    let set = engine.domain.set_allowed_origins(environment, body);
    set.await.map(Reply)
}

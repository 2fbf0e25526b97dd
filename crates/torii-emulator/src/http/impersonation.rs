//! `/api/server/v1/users/{userId}/impersonation-token`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{CreateImpersonationToken, ImpersonationToken, UserId};

use super::body::Json;
use super::guard::Environment;
use super::params::Id;
use crate::engine::Engine;
use crate::error::Error;

pub(super) async fn mint(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(user): Id<UserId, 403>,
    Json(body): Json<CreateImpersonationToken>,
) -> Result<Reply<ImpersonationToken>, Error> {
    let minted = engine.domain.mint_impersonation_token(environment, user, body);
    minted.await.map(Reply)
}

//! `/api/server/v1/users/{userId}/sessions`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{Session, SessionId, UserId};

use super::answer::NoContent;
use super::guard::Environment;
use super::params::{Id, Ids};
use crate::engine::Engine;
use crate::error::Error;

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(user): Id<UserId, 403>,
) -> Result<Reply<Vec<Session>>, Error> {
    engine.domain.sessions(environment, user).await.map(Reply)
}

pub(super) async fn revoke(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Ids(user, session): Ids<UserId, SessionId, 403>,
) -> Result<NoContent, Error> {
    engine.domain.revoke_session(environment, user, session).await?;
    Ok(NoContent)
}

pub(super) async fn revoke_all(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(user): Id<UserId, 403>,
) -> Result<NoContent, Error> {
    engine.domain.revoke_sessions(environment, user).await?;
    Ok(NoContent)
}

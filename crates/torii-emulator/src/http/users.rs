//! `/api/server/v1/users`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use axum::http::StatusCode;
use torii_backend_types::{CreateUser, Page, UpdateUser, User, UserFilter, UserId};

use super::body::{Json, OptionalJson};
use super::guard::Environment;
use super::params::{Id, Paging};
use crate::engine::Engine;
use crate::error::Error;

pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Reply<User>), Error> {
    let user = engine.domain.create_user(environment, body).await?;
    Ok((StatusCode::CREATED, Reply(user)))
}

pub(super) async fn get(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
) -> Result<Reply<User>, Error> {
    engine.domain.user(environment, id).await.map(Reply)
}

pub(super) async fn update(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
    Json(patch): Json<UpdateUser>,
) -> Result<Reply<User>, Error> {
    engine.domain.update_user(environment, id, patch).await.map(Reply)
}

pub(super) async fn delete(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
) -> Result<StatusCode, Error> {
    engine.domain.delete_user(environment, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn ban(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
) -> Result<Reply<User>, Error> {
    engine.domain.set_banned(environment, id, true).await.map(Reply)
}

pub(super) async fn unban(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
) -> Result<Reply<User>, Error> {
    engine.domain.set_banned(environment, id, false).await.map(Reply)
}

pub(super) async fn search(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Paging { limit, after }: Paging,
    OptionalJson(filter): OptionalJson<UserFilter>,
) -> Result<Reply<Page<User>>, Error> {
    let page = engine
        .domain
        .search_users(environment, filter, limit, after)
        .await?;
    Ok(Reply(page))
}

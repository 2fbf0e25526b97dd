//! `/api/server/v1/users`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{CreateUser, Page, UpdateUser, UpdateUserMetadata, User, UserFilter, UserId};

use super::answer::{Created, NoContent};
use super::body::{Json, OptionalJson};
use super::guard::Environment;
use super::params::Id;
use crate::engine::Engine;
use crate::error::Error;
use crate::page::Paging;

pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Json(body): Json<CreateUser>,
) -> Result<Created<User>, Error> {
    engine.domain.create_user(environment, body).await.map(Created)
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

pub(super) async fn update_metadata(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
    Json(patch): Json<UpdateUserMetadata>,
) -> Result<Reply<User>, Error> {
    let updated = engine.domain.update_user_metadata(environment, id, patch);
    updated.await.map(Reply)
}

pub(super) async fn delete(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<UserId>,
) -> Result<NoContent, Error> {
    engine.domain.delete_user(environment, id).await?;
    Ok(NoContent)
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
    paging: Paging<UserId>,
    OptionalJson(filter): OptionalJson<UserFilter>,
) -> Result<Reply<Page<User>>, Error> {
    let page = engine.domain.search_users(environment, filter, paging).await?;
    Ok(Reply(page))
}

//! `/api/server/v1/organizations`, and a user's memberships.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{Member, Membership, Organization, OrganizationId, Page, UpdateMetadata, UserId};

use super::body::Json;
use super::guard::Environment;
use super::params::{Id, Ids, Name};
use crate::engine::Engine;
use crate::error::Error;
use crate::page::Paging;

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Name(name): Name,
    paging: Paging<OrganizationId>,
) -> Result<Reply<Page<Organization>>, Error> {
    let page = engine.domain.organizations(environment, name, paging).await?;
    Ok(Reply(page))
}

pub(super) async fn get(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<OrganizationId>,
) -> Result<Reply<Organization>, Error> {
    engine.domain.organization(environment, id).await.map(Reply)
}

pub(super) async fn update_metadata(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<OrganizationId>,
    Json(patch): Json<UpdateMetadata>,
) -> Result<Reply<Organization>, Error> {
    let updated = engine.domain.update_organization_metadata(environment, id, patch);
    updated.await.map(Reply)
}

pub(super) async fn list_members(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<OrganizationId>,
    paging: Paging<UserId>,
) -> Result<Reply<Page<Member>>, Error> {
    engine.domain.members(environment, id, paging).await.map(Reply)
}

pub(super) async fn update_member_metadata(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Ids(id, user): Ids<OrganizationId, UserId>,
    Json(patch): Json<UpdateMetadata>,
) -> Result<Reply<Member>, Error> {
    let updated = engine.domain.update_member_metadata(environment, id, user, patch);
    updated.await.map(Reply)
}

pub(super) async fn list_for_user(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(user): Id<UserId, 403>,
    paging: Paging<OrganizationId>,
) -> Result<Reply<Page<Membership>>, Error> {
    engine
        .domain
        .memberships(environment, user, paging)
        .await
        .map(Reply)
}

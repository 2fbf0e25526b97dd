//! `/api/server/v1/invitations`.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{
    CreateInvitation, Invitation, InvitationDetail, InvitationId, Page, UpdateMetadata,
};

use super::answer::{Created, Empty};
use super::body::Json;
use super::guard::Environment;
use super::params::{Filter, Id};
use crate::engine::Engine;
use crate::error::Error;
use crate::page::Paging;

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Filter(filter): Filter,
    paging: Paging<InvitationId>,
) -> Result<Reply<Page<Invitation>>, Error> {
    let page = engine.domain.invitations(environment, filter, paging).await?;
    Ok(Reply(page))
}

pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Json(body): Json<CreateInvitation>,
) -> Result<Created<Invitation>, Error> {
    engine
        .domain
        .create_invitation(environment, body)
        .await
        .map(Created)
}

pub(super) async fn get(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<InvitationId>,
) -> Result<Reply<InvitationDetail>, Error> {
    engine.domain.invitation(environment, id).await.map(Reply)
}

pub(super) async fn resend(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<InvitationId>,
) -> Result<Reply<Invitation>, Error> {
    engine.domain.resend_invitation(environment, id).await.map(Reply)
}

pub(super) async fn revoke(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<InvitationId>,
) -> Result<Empty, Error> {
    engine.domain.revoke_invitation(environment, id).await?;
    Ok(Empty)
}

pub(super) async fn update_metadata(
    State(engine): State<Arc<Engine>>,
    Environment(environment): Environment,
    Id(id): Id<InvitationId>,
    Json(patch): Json<UpdateMetadata>,
) -> Result<Reply<InvitationDetail>, Error> {
    let updated = engine.domain.update_invitation_metadata(environment, id, patch);
    updated.await.map(Reply)
}

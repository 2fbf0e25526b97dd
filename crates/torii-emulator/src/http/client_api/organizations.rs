//! The organizations of the user.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::OrganizationId;

use super::bodies::NewOrganizationRequest;
use super::credentials::Presented;
use super::replies::{FoundedOrganization, OwnOrganization, TokenReply};
use crate::engine::Engine;
use crate::error::Error;
use crate::http::body::Json;
use crate::http::params::Id;

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
) -> Result<Reply<Vec<OwnOrganization>>, Error> {
    let environment = engine.domain.environment(0)?;
    let found = engine.domain.own_organizations(environment, credentials).await?;
    Ok(Reply(found.into_iter().map(OwnOrganization::from).collect()))
}

pub(super) async fn create(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Json(NewOrganizationRequest { name }): Json<NewOrganizationRequest>,
) -> Result<Reply<FoundedOrganization>, Error> {
    let environment = engine.domain.environment(0)?;
    let founded = engine.domain.found_organization(environment, credentials, name);
    Ok(Reply(founded.await?.into()))
}

pub(super) async fn switch(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Id(organization): Id<OrganizationId>,
) -> Result<Reply<TokenReply>, Error> {
    let environment = engine.domain.environment(0)?;
    let switched = engine
        .domain
        .switch_organization(environment, credentials, organization);
    Ok(Reply(switched.await?.into()))
}

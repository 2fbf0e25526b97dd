//! `/_emulator/v1`: what tests need and no torii has. [`Control`] in JSON.

use std::sync::Arc;

use axum::Json as Reply;
use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use torii_backend_types::{InvitationId, Member, Organization, OrganizationId, Session, User, UserId};

use super::body::{Json, OptionalJson};
use super::params::Id;
use crate::control::Control;
use crate::domain::{
    Mail, MintToken, MintedToken, NewMember, NewOrganization, OpenSession, Settings, Snapshot,
};
use crate::engine::Engine;
use crate::error::Error;
use crate::faults::Fault;
use crate::requests::RequestRecord;

impl FromRef<Arc<Engine>> for Control {
    fn from_ref(engine: &Arc<Engine>) -> Self {
        Self::new(Arc::clone(engine), Handle::current())
    }
}

pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/health", get(health))
        .route("/tokens", post(mint_token))
        .route("/users/{user_id}/verify-email", post(verify_email))
        .route("/sessions", post(open_session))
        .route("/organizations", post(create_organization))
        .route("/organizations/{organization_id}/members", post(add_member))
        .route("/invitations/{invitation_id}/accept", post(accept_invitation))
        .route("/outbox", get(outbox).delete(clear_outbox))
        .route("/settings", get(settings).put(change_settings))
        .route("/export", get(export))
        .route("/import", post(import))
        .route("/keys/rotate", post(rotate_keys))
        .route("/keys/{kid}", delete(remove_key))
        .route("/clock", get(clock).put(set_clock))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/reset", post(reset))
}

async fn health() -> Reply<Value> {
    Reply(json!({ "status": "ok" }))
}

async fn mint_token(
    State(control): State<Control>,
    Json(request): Json<MintToken>,
) -> Result<Reply<MintedToken>, Error> {
    control.mint_token(&request).await.map(Reply)
}

async fn verify_email(State(control): State<Control>, Id(user): Id<UserId>) -> Result<Reply<User>, Error> {
    control.verify_email(user).await.map(Reply)
}

async fn open_session(
    State(control): State<Control>,
    Json(request): Json<OpenSession>,
) -> Result<(StatusCode, Reply<Session>), Error> {
    let session = control.open_session(&request).await?;
    Ok((StatusCode::CREATED, Reply(session)))
}

async fn create_organization(
    State(control): State<Control>,
    Json(request): Json<NewOrganization>,
) -> Result<(StatusCode, Reply<Organization>), Error> {
    let organization = control.create_organization(&request).await?;
    Ok((StatusCode::CREATED, Reply(organization)))
}

async fn add_member(
    State(control): State<Control>,
    Id(organization): Id<OrganizationId>,
    Json(request): Json<NewMember>,
) -> Result<(StatusCode, Reply<Member>), Error> {
    let member = control.add_member(organization, &request).await?;
    Ok((StatusCode::CREATED, Reply(member)))
}

async fn accept_invitation(
    State(control): State<Control>,
    Id(invitation): Id<InvitationId>,
) -> Result<(StatusCode, Reply<User>), Error> {
    let user = control.accept_invitation(invitation).await?;
    Ok((StatusCode::CREATED, Reply(user)))
}

async fn outbox(State(control): State<Control>) -> Reply<Vec<Mail>> {
    Reply(control.outbox())
}

async fn clear_outbox(State(control): State<Control>) -> StatusCode {
    control.clear_outbox();
    StatusCode::NO_CONTENT
}

async fn settings(State(control): State<Control>) -> Reply<Settings> {
    Reply(control.settings())
}

async fn change_settings(
    State(control): State<Control>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Reply<Settings>, Error> {
    control.change_settings(changes).await.map(Reply)
}

async fn export(State(control): State<Control>) -> Result<Reply<Snapshot>, Error> {
    control.export().await.map(Reply)
}

async fn import(State(control): State<Control>, Json(snapshot): Json<Snapshot>) -> Result<StatusCode, Error> {
    control.import(&snapshot).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateKeys {
    #[serde(default)]
    retire: bool,
}

async fn rotate_keys(
    State(control): State<Control>,
    OptionalJson(RotateKeys { retire }): OptionalJson<RotateKeys>,
) -> Result<Reply<Value>, Error> {
    let kid = control.rotate_keys(retire).await?;
    Ok(Reply(json!({ "kid": kid })))
}

async fn remove_key(State(control): State<Control>, Path(kid): Path<String>) -> Result<StatusCode, Error> {
    control.remove_key(&kid).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockOffset {
    offset_seconds: i64,
}

async fn clock(State(control): State<Control>) -> Reply<ClockOffset> {
    Reply(ClockOffset {
        offset_seconds: control.clock_offset(),
    })
}

async fn set_clock(
    State(control): State<Control>,
    Json(ClockOffset { offset_seconds }): Json<ClockOffset>,
) -> Result<Reply<ClockOffset>, Error> {
    control.set_clock_offset(offset_seconds)?;
    Ok(Reply(ClockOffset { offset_seconds }))
}

async fn faults(State(control): State<Control>) -> Reply<Vec<Fault>> {
    Reply(control.faults())
}

async fn add_fault(
    State(control): State<Control>,
    Json(fault): Json<Fault>,
) -> Result<(StatusCode, Reply<Fault>), Error> {
    control.add_fault(fault.clone())?;
    Ok((StatusCode::CREATED, Reply(fault)))
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.clear_faults();
    StatusCode::NO_CONTENT
}

async fn requests(State(control): State<Control>) -> Reply<Vec<RequestRecord>> {
    Reply(control.requests())
}

async fn clear_requests(State(control): State<Control>) -> StatusCode {
    control.clear_requests();
    StatusCode::NO_CONTENT
}

async fn reset(State(control): State<Control>) -> Result<StatusCode, Error> {
    control.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}

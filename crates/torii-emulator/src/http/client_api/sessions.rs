//! The session of a browser or an app.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;
use torii_backend_types::{Session, SessionId};

use super::answers::SignedOut;
use super::credentials::{Presented, Template};
use super::replies::{ClientReply, TokenReply};
use crate::engine::Engine;
use crate::error::Error;
use crate::http::answer::Empty;
use crate::http::params::Id;

pub(super) async fn client(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
) -> Result<Reply<ClientReply>, Error> {
    let state = engine
        .domain
        .client_state(engine.domain.environment(0)?, credentials);
    Ok(Reply(state.await?.into()))
}

pub(super) async fn refresh(
    State(engine): State<Arc<Engine>>,
    Presented(mut credentials): Presented,
) -> Result<Reply<TokenReply>, Error> {
    // The old access token is not asked for: it may have expired.
    credentials.access_token = None;
    let refreshed = engine.domain.refresh(engine.domain.environment(0)?, credentials);
    Ok(Reply(refreshed.await?.into()))
}

pub(super) async fn template_token(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Template(name): Template,
) -> Result<Reply<TokenReply>, Error> {
    let environment = engine.domain.environment(0)?;
    let minted = engine.domain.template_token(environment, credentials, &name);
    Ok(Reply(minted.await?.into()))
}

pub(super) async fn log_out(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
) -> Result<SignedOut, Error> {
    engine.domain.log_out(credentials).await?;
    Ok(SignedOut)
}

pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
) -> Result<Reply<Vec<Session>>, Error> {
    let sessions = engine
        .domain
        .own_sessions(engine.domain.environment(0)?, credentials);
    sessions.await.map(Reply)
}

pub(super) async fn revoke(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Id(id): Id<SessionId>,
) -> Result<Empty, Error> {
    let environment = engine.domain.environment(0)?;
    engine
        .domain
        .revoke_own_session(environment, credentials, id)
        .await?;
    Ok(Empty)
}

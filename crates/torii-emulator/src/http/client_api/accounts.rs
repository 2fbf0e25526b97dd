//! Becoming a user, becoming signed in, and what users change about themselves.

use std::sync::Arc;

use axum::Json as Reply;
use axum::extract::State;

use super::answers::{Landing, Session};
use super::bodies::{
    ChangePasswordRequest, CodeRequest, EmailRequest, InvitationRequest, LogInRequest, ProfileRequest,
    ResetRequest, SignUpRequest, TokenRequest,
};
use super::credentials::{Native, OneTime, Presented};
use super::replies::{EnvironmentReply, ProfileReply, SignUpReply};
use crate::domain::{SignUp, Who};
use crate::engine::Engine;
use crate::error::Error;
use crate::http::answer::Empty;
use crate::http::body::Json;
use crate::http::device::Caller;

pub(super) async fn environment(State(engine): State<Arc<Engine>>) -> Result<Reply<EnvironmentReply>, Error> {
    let settings = engine.domain.settings();
    Ok(Reply(EnvironmentReply::from(&*settings)))
}

pub(super) async fn sign_up(
    State(engine): State<Arc<Engine>>,
    _: Native,
    Json(body): Json<SignUpRequest>,
) -> Result<Reply<SignUpReply>, Error> {
    let email = body.email.clone();
    let request = SignUp {
        email: body.email,
        password: body.password,
        name: body.name,
        legal_consent: body.legal_consent_accepted,
        unsafe_metadata: body.unsafe_metadata,
    };
    let token = engine
        .domain
        .sign_up(engine.domain.environment(0)?, request)
        .await?;
    Ok(Reply(SignUpReply::new(token, email)))
}

pub(super) async fn confirm_sign_up(
    State(engine): State<Arc<Engine>>,
    Native(native): Native,
    caller: Caller,
    Json(CodeRequest { token, code }): Json<CodeRequest>,
) -> Result<Session, Error> {
    let environment = engine.domain.environment(0)?;
    let confirmed = engine
        .domain
        .confirm_sign_up(environment, token, code, caller.device());
    Ok(Session::new(confirmed.await?, native))
}

pub(super) async fn log_in(
    State(engine): State<Arc<Engine>>,
    Native(native): Native,
    caller: Caller,
    Json(LogInRequest { email, password }): Json<LogInRequest>,
) -> Result<Session, Error> {
    let environment = engine.domain.environment(0)?;
    let who = Who::Password { email, password };
    let signed_in = engine.domain.sign_in(environment, who, caller.device());
    Ok(Session::new(signed_in.await?, native))
}

pub(super) async fn forgot_password(
    State(engine): State<Arc<Engine>>,
    Json(EmailRequest { email }): Json<EmailRequest>,
) -> Result<Empty, Error> {
    let environment = engine.domain.environment(0)?;
    engine.domain.forgot_password(environment, email).await?;
    Ok(Empty)
}

pub(super) async fn reset_password(
    State(engine): State<Arc<Engine>>,
    Json(body): Json<ResetRequest>,
) -> Result<Empty, Error> {
    let ResetRequest {
        email,
        code,
        new_password,
    } = body;
    let environment = engine.domain.environment(0)?;
    engine
        .domain
        .reset_password(environment, email, code, new_password)
        .await?;
    Ok(Empty)
}

pub(super) async fn accept_invitation(
    State(engine): State<Arc<Engine>>,
    Native(native): Native,
    caller: Caller,
    Json(body): Json<InvitationRequest>,
) -> Result<Session, Error> {
    let InvitationRequest {
        token,
        password,
        legal_consent_accepted,
    } = body;
    let environment = engine.domain.environment(0)?;
    let accepted = engine.domain.accept_invitation_with_password(
        environment,
        token,
        password,
        legal_consent_accepted,
        caller.device(),
    );
    Ok(Session::new(accepted.await?, native))
}

pub(super) async fn impersonate(
    State(engine): State<Arc<Engine>>,
    Native(native): Native,
    caller: Caller,
    Json(TokenRequest { token }): Json<TokenRequest>,
) -> Result<Session, Error> {
    let environment = engine.domain.environment(0)?;
    let redeemed = engine
        .domain
        .redeem_impersonation_token(environment, token, caller.device());
    let (signed_in, _) = redeemed.await?;
    Ok(Session::new(signed_in, native))
}

pub(super) async fn land(
    State(engine): State<Arc<Engine>>,
    OneTime(token): OneTime,
    caller: Caller,
) -> Result<Landing, Error> {
    let environment = engine.domain.environment(0)?;
    let redeemed = engine
        .domain
        .redeem_impersonation_token(environment, token, caller.device());
    let (signed_in, landing_url) = redeemed.await?;
    // Only a token that lands somewhere has a link.
    let url = landing_url.ok_or_else(|| Error::not_found("the token has no address to land at"))?;
    Ok(Landing::new(signed_in, url))
}

pub(super) async fn update_self(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Json(patch): Json<ProfileRequest>,
) -> Result<Reply<ProfileReply>, Error> {
    let environment = engine.domain.environment(0)?;
    let updated = engine.domain.update_self(environment, credentials, patch.into());
    Ok(Reply(updated.await?.into()))
}

pub(super) async fn change_password(
    State(engine): State<Arc<Engine>>,
    Presented(credentials): Presented,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<Empty, Error> {
    let ChangePasswordRequest {
        current_password,
        new_password,
    } = body;
    let environment = engine.domain.environment(0)?;
    engine
        .domain
        .change_password(environment, credentials, current_password, new_password)
        .await?;
    Ok(Empty)
}

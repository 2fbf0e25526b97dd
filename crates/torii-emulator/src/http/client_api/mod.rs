//! `/_torii`: what a browser or an app calls for its user. Shapes are torii's where it publishes them; where it does not,
//! the operation is marked as ours.

mod accounts;
mod answers;
mod bodies;
pub(super) mod cors;
mod credentials;
mod organizations;
mod replies;
mod sessions;

use super::openapi::{Operation, Security, delete, get, patch, post};

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = for_accounts();
    operations.extend(for_sessions());
    operations.extend(for_users());
    operations
}

fn for_accounts() -> Vec<Operation> {
    vec![
        get(
            "/environment",
            "client.environment",
            "What a client must know at its start",
            accounts::environment,
        ),
        post(
            "/auth/signup",
            "client.sign_up",
            "Mail a code to who signs up",
            accounts::sign_up,
        )
        .refuses(&[403, 409, 422]),
        post(
            "/auth/signup/verify-email",
            "client.verify_sign_up",
            "Create the user by the code, and sign in",
            accounts::confirm_sign_up,
        )
        .refuses(&[409]),
        post(
            "/auth/login",
            "client.log_in",
            "Sign in by password",
            accounts::log_in,
        )
        .refuses(&[401, 403]),
        post(
            "/auth/forgot-password",
            "client.forgot_password",
            "Mail a code to who has forgotten a password",
            accounts::forgot_password,
        ),
        post(
            "/auth/reset-password",
            "client.reset_password",
            "Replace a password by the code",
            accounts::reset_password,
        ),
        post(
            "/auth/invitation/password-signup",
            "client.accept_invitation",
            "Accept an invitation with a password, and sign in",
            accounts::accept_invitation,
        )
        .refuses(&[404, 409, 422]),
        post(
            "/auth/session/impersonate",
            "client.redeem_impersonation",
            "Open the one session of an impersonation token",
            accounts::impersonate,
        )
        .refuses(&[401, 403, 404]),
        get(
            "/auth/session/impersonate",
            "client.land_impersonation",
            "The same for a browser, which goes on to where the token lands",
            accounts::land,
        )
        .refuses(&[401, 403, 404]),
    ]
    .into_iter()
    .map(|operation| operation.secured_by(Security::Nothing))
    .collect()
}

fn for_sessions() -> Vec<Operation> {
    vec![
        get(
            "/client",
            "client.state",
            "Who is signed in, if anybody is",
            sessions::client,
        )
        .refuses(&[403]),
        post(
            "/auth/session/refresh",
            "client.refresh",
            "A new access token for the session",
            sessions::refresh,
        )
        .refuses(&[403])
        .ours(),
        post(
            "/auth/session/token",
            "client.template_token",
            "A token with the claims of a JWT template",
            sessions::template_token,
        )
        .refuses(&[403, 404]),
        post(
            "/auth/logout",
            "client.log_out",
            "End the session",
            sessions::log_out,
        ),
        get(
            "/users/me/sessions",
            "client.list_sessions",
            "List the user's sessions",
            sessions::list,
        )
        .refuses(&[403]),
        delete(
            "/users/me/sessions/{sessionId}",
            "client.revoke_session",
            "End one of the user's sessions",
            sessions::revoke,
        )
        .refuses(&[403, 404]),
    ]
    .into_iter()
    .map(|operation| operation.secured_by(Security::Session))
    .collect()
}

fn for_users() -> Vec<Operation> {
    vec![
        patch(
            "/users/me",
            "client.update_self",
            "Change the user's own profile",
            accounts::update_self,
        )
        .refuses(&[403]),
        post(
            "/auth/change-password",
            "client.change_password",
            "Replace the user's own password",
            accounts::change_password,
        )
        .refuses(&[403]),
        get(
            "/organizations",
            "client.list_organizations",
            "List the user's organizations",
            organizations::list,
        )
        .refuses(&[403]),
        post(
            "/organizations",
            "client.create_organization",
            "Create an organization, whose owner the user is",
            organizations::create,
        )
        .refuses(&[403]),
        post(
            "/organizations/{organizationId}/switch",
            "client.switch_organization",
            "Make an organization the active one",
            organizations::switch,
        )
        .refuses(&[403, 404]),
    ]
    .into_iter()
    .map(|operation| operation.secured_by(Security::Session))
    .collect()
}

//! `/api/server/v1`: every operation, and with it its route and its description.

use super::openapi::{Operation, delete, get, patch, post, put};
use super::{impersonation, invitations, organizations, origins, sessions, users};

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = for_users();
    operations.extend(for_sessions());
    operations.extend(for_organizations());
    operations.extend(for_invitations());
    operations.extend(for_environment());
    operations
}

fn for_users() -> Vec<Operation> {
    vec![
        post("/users", "users.create", "Create a user", users::create).refuses(&[409]),
        post("/users/search", "users.list", "Search users", users::search),
        get("/users/{userId}", "users.get", "Get a user", users::get).refuses(&[403, 404]),
        patch(
            "/users/{userId}",
            "users.update",
            "Keep, clear or set a user's fields",
            users::update,
        )
        .refuses(&[403, 404]),
        delete(
            "/users/{userId}",
            "users.delete",
            "Delete a user; refused with 403 when repeated",
            users::delete,
        )
        .refuses(&[403, 404]),
        post(
            "/users/{userId}/ban",
            "users.ban",
            "Ban a user and revoke its sessions",
            users::ban,
        )
        .refuses(&[403, 404]),
        post("/users/{userId}/unban", "users.unban", "Undo a ban", users::unban).refuses(&[403, 404]),
        patch(
            "/users/{userId}/metadata",
            "users.update_metadata",
            "Merge into a user's metadata",
            users::update_metadata,
        )
        .refuses(&[403, 404]),
        get(
            "/users/{userId}/organizations",
            "organizations.list_for_user",
            "List a user's memberships",
            organizations::list_for_user,
        )
        .refuses(&[403]),
        post(
            "/users/{userId}/impersonation-token",
            "impersonation.create_token",
            "Mint a token that opens one session in a user's place",
            impersonation::mint,
        )
        .refuses(&[402, 403]),
    ]
}

fn for_sessions() -> Vec<Operation> {
    vec![
        get(
            "/users/{userId}/sessions",
            "sessions.list_for_user",
            "List a user's active sessions",
            sessions::list,
        )
        .refuses(&[403]),
        delete(
            "/users/{userId}/sessions",
            "sessions.revoke_all_for_user",
            "Revoke a user's sessions",
            sessions::revoke_all,
        )
        .refuses(&[403]),
        delete(
            "/users/{userId}/sessions/{sessionId}",
            "sessions.revoke",
            "Revoke a session",
            sessions::revoke,
        )
        .refuses(&[403]),
    ]
}

fn for_organizations() -> Vec<Operation> {
    vec![
        get(
            "/organizations",
            "organizations.list",
            "List organizations",
            organizations::list,
        ),
        get(
            "/organizations/{organizationId}",
            "organizations.get",
            "Get an organization",
            organizations::get,
        )
        .refuses(&[404]),
        patch(
            "/organizations/{organizationId}/metadata",
            "organizations.update_metadata",
            "Merge into an organization's metadata",
            organizations::update_metadata,
        )
        .refuses(&[404]),
        get(
            "/organizations/{organizationId}/members",
            "organizations.list_members",
            "List an organization's members by user id",
            organizations::list_members,
        )
        .refuses(&[404]),
        patch(
            "/organizations/{organizationId}/members/{memberUserId}/metadata",
            "organizations.update_member_metadata",
            "Merge into a membership's metadata",
            organizations::update_member_metadata,
        )
        .refuses(&[404]),
    ]
}

fn for_invitations() -> Vec<Operation> {
    vec![
        get(
            "/invitations",
            "invitations.list",
            "List invitations",
            invitations::list,
        ),
        post(
            "/invitations",
            "invitations.create",
            "Create an invitation and mail it",
            invitations::create,
        )
        .refuses(&[409, 429]),
        get(
            "/invitations/{invitationId}",
            "invitations.get",
            "Get an invitation with its metadata",
            invitations::get,
        )
        .refuses(&[404]),
        post(
            "/invitations/{invitationId}/resend",
            "invitations.resend",
            "Mail a pending invitation again, with a new link",
            invitations::resend,
        )
        .refuses(&[404, 409]),
        delete(
            "/invitations/{invitationId}",
            "invitations.revoke",
            "Revoke a pending invitation",
            invitations::revoke,
        )
        .refuses(&[404, 409]),
        patch(
            "/invitations/{invitationId}",
            "invitations.update_metadata",
            "Merge into a pending invitation's metadata",
            invitations::update_metadata,
        )
        .refuses(&[404, 409]),
    ]
}

fn for_environment() -> Vec<Operation> {
    vec![
        get(
            "/allowed-origins",
            "allowed_origins.list",
            "List the allowed origins",
            origins::list,
        ),
        put(
            "/allowed-origins",
            "allowed_origins.set",
            "Replace the allowed origins",
            origins::set,
        ),
    ]
}

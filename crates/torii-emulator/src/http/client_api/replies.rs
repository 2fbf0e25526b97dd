//! What the client API says in JSON.

use serde::Serialize;
use serde_json::{Value, json};
use torii_backend_types::{
    EnvironmentId, Locale, Member, Membership, Metadata, Organization, OrganizationId, SessionId, Timestamp,
    User, UserId, UserStatus,
};

use crate::domain::{ClientState, MintedToken, Settings, SignedIn};
use crate::http::openapi::schema::{Object, bag, boolean, instant, list, nullable, one_of, text, uuid};
use crate::http::openapi::{Described, Schemas, described};

macro_rules! replies {
    ($($name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {
        $(
            #[derive(Serialize)]
            #[serde(rename_all = "camelCase")]
            pub(super) struct $name {
                $($field: $type),+
            }
        )+
    };
}

replies! {
    EnvironmentReply {
        environment: &'static str,
        turnstile_site_key: Option<String>,
        legal: Value,
        oauth_providers: Vec<Value>,
        signup_enabled: bool,
        branding_required: bool,
    }
    SignUpReply { token: String, email: String }
    TokenReply { access_token: String, expires_at: Timestamp }
    SessionReply { access_token: String, expires_at: Timestamp, session_token: Option<String> }
    OwnUser {
        id: UserId,
        environment_id: EnvironmentId,
        name: Option<String>,
        first_name: Option<String>,
        last_name: Option<String>,
        locale: Option<Locale>,
        status: UserStatus,
        created_at: Timestamp,
        updated_at: Timestamp,
        email: Option<String>,
        email_verified_at: Option<Timestamp>,
        deleted_at: Option<Timestamp>,
        public_metadata: Metadata,
        unsafe_metadata: Metadata,
    }
    ProfileReply { user: OwnUser }
    SessionState {
        id: SessionId,
        status: &'static str,
        gates: Vec<String>,
        current_gate: Option<String>,
        expires_at: Timestamp,
        active_organization_id: Option<OrganizationId>,
        impersonated_by: Option<UserId>,
    }
    OwnOrganization { id: OrganizationId, name: String, role: String, role_name: Option<String> }
    FoundedOrganization {
        id: OrganizationId,
        name: String,
        role: String,
        role_name: Option<String>,
        created_at: Timestamp,
    }
    ClientReply {
        authenticated: bool,
        user: Option<OwnUser>,
        session: Option<SessionState>,
        organizations: Vec<OwnOrganization>,
    }
}

impl From<&Settings> for EnvironmentReply {
    fn from(settings: &Settings) -> Self {
        Self {
            environment: "SANDBOX",
            turnstile_site_key: None,
            legal: json!({
                "requireConsent": settings.require_legal_consent, "termsOfServiceUrl": null, "privacyPolicyUrl": null,
            }),
            oauth_providers: Vec::new(),
            signup_enabled: settings.sign_up_enabled,
            branding_required: false,
        }
    }
}

impl SessionReply {
    /// With the session token for an app alone: a browser has it in a cookie.
    pub(super) fn new(signed_in: &SignedIn, native: bool) -> Self {
        Self {
            access_token: signed_in.access.token.clone(),
            expires_at: signed_in.access.expires_at,
            session_token: native.then(|| signed_in.session_token.clone()),
        }
    }
}

impl SignUpReply {
    pub(super) fn new(token: String, email: String) -> Self {
        Self { token, email }
    }
}

impl From<MintedToken> for TokenReply {
    fn from(minted: MintedToken) -> Self {
        let MintedToken { token, expires_at } = minted;
        Self {
            access_token: token,
            expires_at,
        }
    }
}

impl From<User> for OwnUser {
    /// Without the private bag, which no client is told.
    fn from(user: User) -> Self {
        let User {
            id,
            environment_id,
            name,
            first_name,
            last_name,
            locale,
            status,
            created_at,
            updated_at,
            email,
            email_verified_at,
            deleted_at,
            public_metadata,
            private_metadata: _,
            unsafe_metadata,
            extra: _,
        } = user;
        Self {
            id,
            environment_id,
            name,
            first_name,
            last_name,
            locale,
            status,
            created_at,
            updated_at,
            email,
            email_verified_at,
            deleted_at,
            public_metadata,
            unsafe_metadata,
        }
    }
}

impl From<User> for ProfileReply {
    fn from(user: User) -> Self {
        Self { user: user.into() }
    }
}

impl From<Membership> for OwnOrganization {
    fn from(membership: Membership) -> Self {
        Self {
            id: membership.organization_id,
            name: membership.name,
            role: membership.role,
            role_name: membership.role_name,
        }
    }
}

impl From<(Organization, Member)> for FoundedOrganization {
    fn from((organization, member): (Organization, Member)) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            role: member.role,
            role_name: member.role_name,
            created_at: organization.created_at,
        }
    }
}

impl From<Option<ClientState>> for ClientReply {
    fn from(state: Option<ClientState>) -> Self {
        let Some(ClientState {
            user,
            session,
            organizations,
        }) = state
        else {
            return Self {
                authenticated: false,
                user: None,
                session: None,
                organizations: Vec::new(),
            };
        };
        Self {
            authenticated: true,
            user: Some(user.into()),
            session: session.map(|session| SessionState {
                id: session.id,
                // No gate is ever in the way.
                status: "active",
                gates: Vec::new(),
                current_gate: None,
                expires_at: session.expires_at,
                active_organization_id: session.active_organization_id,
                impersonated_by: session.impersonated_by,
            }),
            organizations: organizations.into_iter().map(OwnOrganization::from).collect(),
        }
    }
}

described! {
    EnvironmentReply = Object::reply()
        .required("environment", one_of(["SANDBOX", "PRODUCTION"]))
        .required("turnstileSiteKey", nullable(text()))
        .required("legal", Object::reply()
            .required("requireConsent", boolean())
            .optional("termsOfServiceUrl", nullable(text()))
            .optional("privacyPolicyUrl", nullable(text()))
            .into())
        .required("oauthProviders", list(bag()))
        .required("signupEnabled", boolean())
        .required("brandingRequired", boolean());

    SignUpReply = Object::reply().required("token", text()).required("email", text());

    TokenReply = Object::reply().required("accessToken", text()).required("expiresAt", instant());

    SessionReply = Object::reply()
        .required("accessToken", text())
        .required("expiresAt", instant())
        .optional("sessionToken", nullable(text()));

    OwnUser = Object::reply()
        .required("id", uuid())
        .required("environmentId", uuid())
        .optional("name", nullable(text()))
        .optional("firstName", nullable(text()))
        .optional("lastName", nullable(text()))
        .optional("locale", nullable(one_of(Locale::KNOWN.iter().map(Locale::as_str))))
        .required("status", one_of(UserStatus::KNOWN.iter().map(UserStatus::as_str)))
        .required("createdAt", instant())
        .required("updatedAt", instant())
        .optional("email", nullable(text()))
        .optional("emailVerifiedAt", nullable(instant()))
        .optional("deletedAt", nullable(instant()))
        .required("publicMetadata", bag())
        .required("unsafeMetadata", bag());

    SessionState = Object::reply()
        .required("id", uuid())
        .required("status", one_of(["active", "pending"]))
        .required("gates", list(text()))
        .optional("currentGate", nullable(text()))
        .required("expiresAt", instant())
        .optional("activeOrganizationId", nullable(uuid()))
        .optional("impersonatedBy", nullable(uuid()));

    OwnOrganization = Object::reply()
        .required("id", uuid())
        .required("name", text())
        .required("role", text())
        .optional("roleName", nullable(text()));

    FoundedOrganization = Object::reply()
        .required("id", uuid())
        .required("name", text())
        .required("role", text())
        .optional("roleName", nullable(text()))
        .required("createdAt", instant());
}

impl Described for ProfileReply {
    fn schema(schemas: &mut Schemas) -> Value {
        let user = OwnUser::schema(schemas);
        schemas.named("ProfileReply", Object::reply().required("user", user))
    }
}

impl Described for ClientReply {
    fn schema(schemas: &mut Schemas) -> Value {
        let reply = Object::reply()
            .required("authenticated", boolean())
            .optional("user", or_null(OwnUser::schema(schemas)))
            .optional("session", or_null(SessionState::schema(schemas)))
            .required("organizations", list(OwnOrganization::schema(schemas)));
        schemas.named("ClientReply", reply)
    }
}

fn or_null(reference: Value) -> Value {
    json!({ "oneOf": [reference, { "type": "null" }] })
}

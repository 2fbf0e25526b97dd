//! Tokens: what a signed one says about its user.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use torii_backend_types::{Member, Organization, OrganizationId, Session, Timestamp, User, UserId};

use super::Domain;
use super::settings::{ClaimStyle, MAX_TOKEN_LIFETIME_SECONDS};
use crate::clock::from_micros;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

/// The token that [`Control::mint_token`](crate::Control::mint_token) signs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MintToken {
    /// Whose token it is.
    pub user_id: UserId,
    /// Claims laid over the standard ones. Nothing is protected, and `null` removes a claim.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// The lifetime, by default [`Settings::token_lifetime_seconds`](crate::Settings::token_lifetime_seconds). A negative one mints an expired token.
    #[serde(default)]
    pub expires_in_seconds: Option<i64>,
    /// The active organization, of which the user must be a member: adds the claims of the
    /// [`ClaimStyle`](crate::ClaimStyle).
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// A JWT template. The emulator has none yet, so every name is refused.
    #[serde(default)]
    pub template: Option<String>,
    /// Who acts in the user's place: adds `act` and sets `impersonating`. It need not be a user here.
    #[serde(default)]
    pub actor_user_id: Option<UserId>,
}

impl MintToken {
    /// An ordinary token of `user_id`.
    pub fn of(user_id: UserId) -> Self {
        Self {
            user_id,
            claims: Map::new(),
            expires_in_seconds: None,
            organization_id: None,
            template: None,
            actor_user_id: None,
        }
    }
}

/// A signed token. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MintedToken {
    /// The compact JWT.
    pub token: String,
    /// When it ends, unless `claims` chose another `exp`.
    pub expires_at: Timestamp,
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("token", &"***")
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Domain {
    /// Signs for any user that the store knows, also a banned or deleted one: such tokens exist until they expire.
    pub(crate) async fn mint_token(&self, request: MintToken) -> Result<MintedToken, Error> {
        let MintToken {
            user_id,
            claims: extra,
            expires_in_seconds,
            organization_id,
            template,
            actor_user_id,
        } = request;
        let settings = self.settings();
        let lifetime = expires_in_seconds.unwrap_or(settings.token_lifetime_seconds);
        if lifetime.unsigned_abs() > MAX_TOKEN_LIFETIME_SECONDS.unsigned_abs() {
            return Err(Error::invalid(format!(
                "expiresInSeconds must be within ±{MAX_TOKEN_LIFETIME_SECONDS}"
            )));
        }
        if template.is_some() {
            return Err(Error::new(
                ErrorKind::NotFound,
                "template_not_found",
                "no JWT template has this name",
            ));
        }
        let subject = self
            .store
            .read(move |tx| Subject::new(tx, user_id, organization_id, actor_user_id))
            .await?;
        self.sign(subject, lifetime, extra)
    }

    /// Signs a token that lasts `lifetime` seconds. `extra` lies over the standard claims.
    pub(super) fn sign(
        &self,
        subject: Subject,
        lifetime: i64,
        extra: Map<String, Value>,
    ) -> Result<MintedToken, Error> {
        let Subject { user, active, actor } = subject;
        let issued = self.clock.now().as_second();
        let expires = issued.saturating_add(lifetime);
        let mut claims = standard_claims(&self.issuer, &user, actor);
        if let Some((organization, member)) = active {
            organization_claims(&mut claims, self.settings().claim_style, organization, member);
        }
        claims.insert("iat".to_owned(), issued.into());
        claims.insert("exp".to_owned(), expires.into());
        lay_over(&mut claims, extra);
        Ok(MintedToken {
            token: self.keys.sign(&claims)?,
            expires_at: from_micros(expires.saturating_mul(1_000_000)),
        })
    }
}

/// Whom a token is about.
pub(super) struct Subject {
    user: User,
    /// The active organization, and the user in it.
    active: Option<(Organization, Member)>,
    actor: Option<UserId>,
}

impl Subject {
    fn new(
        tx: &Tx<'_>,
        user: UserId,
        organization: Option<OrganizationId>,
        actor: Option<UserId>,
    ) -> Result<Self, Error> {
        let record = tx
            .user(user)?
            .ok_or_else(|| Error::not_found("no user has this id"))?;
        let active = match organization {
            None => None,
            Some(id) => {
                let active = membership(tx, id, user)?;
                Some(
                    active
                        .ok_or_else(|| Error::not_found("the user is not a member of this organization"))?,
                )
            }
        };
        Ok(Self {
            user: record.user,
            active,
            actor,
        })
    }

    /// The user of a session, in the organization that it has switched to if the user is still a member.
    pub(super) fn of_session(tx: &Tx<'_>, user: User, session: &Session) -> Result<Self, Error> {
        let active = match session.active_organization_id {
            None => None,
            Some(id) => membership(tx, id, user.id)?,
        };
        Ok(Self {
            user,
            active,
            actor: session.impersonated_by,
        })
    }
}

fn membership(
    tx: &Tx<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<(Organization, Member)>, Error> {
    let found = tx.organization(organization)?.map(|record| record.organization);
    Ok(found.zip(tx.member(organization, user)?))
}

fn standard_claims(issuer: &str, user: &User, actor: Option<UserId>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", json!(issuer));
    claim("sub", json!(user.id));
    claim("pid", json!(user.environment_id));
    claim("email_verified", json!(user.email_verified_at.is_some()));
    claim("profile_complete", json!(true));
    claim("impersonating", json!(actor.is_some()));
    if let Some(locale) = &user.locale {
        claim("locale", json!(locale));
    }
    if let Some(actor) = actor {
        // RFC 8693, section 4.1: `sub` stays the user in whose place the actor acts.
        claim("act", json!({ "sub": actor }));
    }
    claims
}

fn organization_claims(
    claims: &mut Map<String, Value>,
    style: ClaimStyle,
    organization: Organization,
    member: Member,
) {
    match style {
        ClaimStyle::OrgId => {
            claims.insert("org_id".to_owned(), json!(organization.id));
            claims.insert("org_role".to_owned(), json!(member.role));
        }
        ClaimStyle::O => {
            let mut o = json!({ "id": organization.id, "rol": member.role });
            if let Some(slug) = organization.slug {
                o["slg"] = json!(slug);
            }
            claims.insert("o".to_owned(), o);
        }
    }
}

fn lay_over(claims: &mut Map<String, Value>, extra: Map<String, Value>) {
    for (name, value) in extra {
        match value {
            Value::Null => claims.remove(&name),
            value => claims.insert(name, value),
        };
    }
}

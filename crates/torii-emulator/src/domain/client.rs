//! What a signed-in user does through the client API: continue a session, end it, switch organizations.

use torii_backend_types::{
    EnvironmentId, Member, Membership, Metadata, Organization, OrganizationId, Page, Session, SessionId,
    Timestamp, UpdateUser, User, UserId,
};
use uuid::Uuid;

use super::profile::{MAX_NAME_CHARS, check_required};
use super::sign_in::check_active;
use super::tokens::{MintedToken, Subject, membership};
use super::{Domain, one_time_token, templates};
use crate::error::{Error, ErrorKind};
use crate::page::Paging;
use crate::records::{OrganizationRecord, UserRecord};
use crate::store::Tx;

/// The role of who creates an organization.
const OWNER: (&str, &str) = ("owner", "Owner");
/// The most organizations that a client is told of at once.
const LISTED_ORGANIZATIONS: i32 = 100;

/// What a request brings to say whose it is.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) session_token: Option<String>,
    pub(crate) access_token: Option<String>,
}

/// Credentials that are checked as far as they can be without the store.
pub(super) struct Claimed {
    session_hash: Option<String>,
    user: Option<UserId>,
}

/// Who acts, and in which session. A token of the control plane has none.
pub(super) struct Actor {
    pub(super) record: UserRecord,
    pub(super) session: Option<Session>,
}

/// What a client is told at its start.
pub(crate) struct ClientState {
    pub(crate) user: User,
    pub(crate) session: Option<Session>,
    pub(crate) organizations: Vec<Membership>,
}

impl Domain {
    /// Who the client is, if it is signed in.
    pub(crate) async fn client_state(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
    ) -> Result<Option<ClientState>, Error> {
        let state = self
            .act(environment, credentials, |tx, actor, _| {
                let all = Paging::new(Some(LISTED_ORGANIZATIONS), None);
                let organizations = tx.memberships(actor.record.user.id, &all)?;
                Ok(ClientState {
                    user: actor.record.user,
                    session: actor.session,
                    organizations,
                })
            })
            .await;
        match state {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new access token for the session.
    pub(crate) async fn refresh(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
    ) -> Result<MintedToken, Error> {
        let subject = self
            .act(environment, credentials, |tx, actor, _| {
                let session = actor.session.ok_or_else(no_session)?;
                Subject::of_session(tx, actor.record.user, &session)
            })
            .await?;
        self.sign_for_session(subject)
    }

    /// Ends the session. One that is over already is no reason to refuse.
    pub(crate) async fn log_out(&self, credentials: Credentials) -> Result<(), Error> {
        let Some(token) = credentials.session_token else {
            return Ok(());
        };
        let clock = self.clock.clone();
        self.store
            .write(
                move |tx| match tx.session_by_token(&one_time_token::hash(&token))? {
                    Some(record) => tx.revoke_session(record.session.id, clock.now()),
                    None => Ok(()),
                },
            )
            .await
    }

    /// A token with the claims of a template. It does not take the place of the session's own.
    pub(crate) async fn template_token(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        name: &str,
    ) -> Result<MintedToken, Error> {
        let settings = self.settings();
        let template = templates::named(&settings.jwt_templates, name)?;
        let subject = self
            .act(environment, credentials, |tx, actor, _| actor.subject(tx))
            .await?;
        let lifetime = template
            .lifetime_seconds
            .unwrap_or(settings.token_lifetime_seconds);
        self.sign(subject, lifetime, Some(template), Default::default())
    }

    /// Makes an organization the active one, in the session if there is one.
    pub(crate) async fn switch_organization(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        organization: OrganizationId,
    ) -> Result<MintedToken, Error> {
        let subject = self
            .act(environment, credentials, move |tx, mut actor, _| {
                let found = membership(tx, organization, actor.record.user.id)?;
                if found.is_none() {
                    return Err(Error::forbidden("the user is not a member of this organization"));
                }
                match &mut actor.session {
                    Some(session) => {
                        tx.set_active_organization(session.id, organization)?;
                        session.active_organization_id = Some(organization);
                        actor.subject(tx)
                    }
                    None => Subject::new(tx, actor.record.user.id, Some(organization), None),
                }
            })
            .await?;
        self.sign_for_session(subject)
    }

    pub(crate) async fn own_organizations(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
    ) -> Result<Vec<Membership>, Error> {
        self.act(environment, credentials, |tx, actor, _| {
            let all = Paging::new(Some(LISTED_ORGANIZATIONS), None);
            let found = tx.memberships(actor.record.user.id, &all)?;
            let Page { items, .. } = all.page(found, |membership| membership.organization_id);
            Ok(items)
        })
        .await
    }

    /// Creates an organization, of which the user is the owner.
    pub(crate) async fn found_organization(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        name: String,
    ) -> Result<(Organization, Member), Error> {
        check_required("name", &name, MAX_NAME_CHARS)?;
        self.act(environment, credentials, move |tx, actor, now| {
            let record = OrganizationRecord {
                environment_id: environment,
                organization: Organization {
                    id: OrganizationId::from(Uuid::now_v7()),
                    name,
                    slug: None,
                    role_set_id: None,
                    public_metadata: Metadata::new(),
                    private_metadata: Metadata::new(),
                    created_at: now,
                    extra: Metadata::new(),
                },
            };
            tx.insert_organization(&record)?;
            let (role, role_name) = OWNER;
            let member = Member {
                organization_id: record.organization.id,
                user_id: actor.record.user.id,
                role: role.to_owned(),
                role_name: Some(role_name.to_owned()),
                public_metadata: Metadata::new(),
                private_metadata: Metadata::new(),
                joined_at: now,
                extra: Metadata::new(),
            };
            tx.insert_member(&member)?;
            Ok((record.organization, member))
        })
        .await
    }

    pub(crate) async fn own_sessions(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
    ) -> Result<Vec<Session>, Error> {
        self.act(environment, credentials, |tx, actor, now| {
            tx.active_sessions(actor.record.user.id, now)
        })
        .await
    }

    pub(crate) async fn revoke_own_session(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        id: SessionId,
    ) -> Result<(), Error> {
        self.act(environment, credentials, move |tx, actor, now| {
            let found = tx.session(id)?;
            let own = found.filter(|record| record.session.user_id == actor.record.user.id);
            own.ok_or_else(|| Error::not_found("the user has no session with this id"))?;
            tx.revoke_session(id, now)
        })
        .await
    }

    /// Changes the user's own profile.
    pub(crate) async fn update_self(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        patch: UpdateUser,
    ) -> Result<User, Error> {
        let user = self
            .act(environment, credentials, |_, actor, _| Ok(actor.record.user.id))
            .await?;
        self.update_user(environment, user, patch).await
    }

    /// Runs `work` in one transaction for who the credentials stand for.
    pub(super) async fn act<T: Send + 'static>(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        work: impl FnOnce(&Tx<'_>, Actor, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let claimed = self.claimed(credentials)?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let now = clock.now();
                let actor = claimed.actor(tx, environment, now)?;
                work(tx, actor, now)
            })
            .await
    }

    fn claimed(&self, credentials: Credentials) -> Result<Claimed, Error> {
        let Credentials {
            session_token,
            access_token,
        } = credentials;
        let user = access_token.map(|token| self.user_of_token(&token)).transpose()?;
        Ok(Claimed {
            session_hash: session_token.map(|token| one_time_token::hash(&token)),
            user,
        })
    }

    /// The user of an access token that this emulator has signed and that has not expired.
    fn user_of_token(&self, token: &str) -> Result<UserId, Error> {
        let refused = || {
            Error::new(
                ErrorKind::Unauthenticated,
                "invalid_token",
                "the access token is not one of this torii, or has expired",
            )
        };
        let claims = self.keys.verify(token).ok_or_else(refused)?;
        let expires = claims["exp"].as_i64().ok_or_else(refused)?;
        let user = claims["sub"]
            .as_str()
            .and_then(|id| id.to_owned().try_into().ok());
        match user {
            Some(user) if claims["iss"] == self.issuer && expires > self.clock.now().as_second() => Ok(user),
            _ => Err(refused()),
        }
    }
}

impl Claimed {
    fn actor(self, tx: &Tx<'_>, environment: EnvironmentId, now: Timestamp) -> Result<Actor, Error> {
        let session = match &self.session_hash {
            Some(hash) => {
                let found = tx.session_by_token(hash)?;
                let live =
                    found.filter(|record| record.revoked_at.is_none() && record.session.expires_at > now);
                Some(live.ok_or_else(no_session)?.session)
            }
            None => None,
        };
        let of_session = session.as_ref().map(|session| session.user_id);
        let user = match (self.user, of_session) {
            (Some(user), Some(other)) if user != other => return Err(no_session()),
            (user, of_session) => user.or(of_session).ok_or_else(no_session)?,
        };
        let record = tx
            .user(user)?
            .filter(|record| record.user.environment_id == environment);
        let record = record.ok_or_else(no_session)?;
        check_active(&record.user)?;
        if let Some(session) = &session {
            tx.touch_session(session.id, now)?;
        }
        Ok(Actor { record, session })
    }
}

impl Actor {
    fn subject(self, tx: &Tx<'_>) -> Result<Subject, Error> {
        let Self { record, session } = self;
        match session {
            Some(session) => Subject::of_session(tx, record.user, &session),
            None => Subject::new(tx, record.user.id, None, None),
        }
    }
}

fn no_session() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "invalid_session",
        "the request brings no session, or one that is over",
    )
}

//! The whole state as one document: out through an export, back through an import.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use torii_backend_types::{EnvironmentId, Locale, Member, Metadata, OrganizationId, UserId, UserStatus};

use super::Domain;
use super::impersonation::MAX_REASON_CHARS;
use super::invitations::check_lifetime;
use super::metadata::check_budget;
use super::origins::{canonical_origins, check_url};
use super::profile::{MAX_NAME_CHARS, check_email, check_legacy, check_length, check_names, check_required};
use super::settings::Settings;
use super::users::check_user_budget;
use crate::clock::check_offset;
use crate::error::{Error, ErrorKind};
use crate::records::{ImpersonationRecord, InvitationRecord, OrganizationRecord, SessionRecord, UserRecord};
use crate::store::Tx;

/// The form of the document that this version writes and reads.
const FORMAT: u32 = 1;

/// The whole state of an emulator: everything that a reset forgets, but for faults, requests and mails.
///
/// It is a document for [`serde`]. It holds hashes of passwords and of tokens, and neither secret keys nor signing
/// keys. `Debug` shows nothing of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    format: u32,
    /// In the order of the secret keys.
    #[serde(default)]
    environments: Vec<EnvironmentRecord>,
    #[serde(default)]
    settings: Settings,
    #[serde(default)]
    clock_offset_seconds: i64,
    #[serde(default)]
    users: Vec<UserRecord>,
    #[serde(default)]
    organizations: Vec<OrganizationRecord>,
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    sessions: Vec<SessionRecord>,
    #[serde(default)]
    invitations: Vec<InvitationRecord>,
    #[serde(default)]
    impersonation_tokens: Vec<ImpersonationRecord>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvironmentRecord {
    id: EnvironmentId,
    #[serde(default)]
    allowed_origins: Vec<String>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Domain {
    pub(crate) async fn export(&self) -> Result<Snapshot, Error> {
        let (clock, settings) = (self.clock.clone(), self.settings.clone());
        self.store
            .read(move |tx| {
                let environments = tx.all_environments()?;
                let environments = environments.into_iter().map(|id| {
                    Ok(EnvironmentRecord {
                        id,
                        allowed_origins: tx.allowed_origins(id)?,
                    })
                });
                Ok(Snapshot {
                    format: FORMAT,
                    environments: environments.collect::<Result<_, Error>>()?,
                    settings: settings.load().as_ref().clone(),
                    clock_offset_seconds: clock.offset_seconds(),
                    users: tx.all_users()?,
                    organizations: tx.all_organizations()?,
                    members: tx.all_members()?,
                    sessions: tx.all_sessions()?,
                    invitations: tx.all_invitations()?,
                    impersonation_tokens: tx.all_impersonation_tokens()?,
                })
            })
            .await
    }

    /// Replaces the state. The emulator's environments keep their ids: what was in the first one of the document is in
    /// the first one here, and so on.
    pub(crate) async fn import(&self, mut snapshot: Snapshot) -> Result<(), Error> {
        snapshot.check()?;
        let count = snapshot.environments.len();
        let (clock, settings, outbox) = (self.clock.clone(), self.settings.clone(), self.outbox.clone());
        self.store
            .write_then(
                move |tx| {
                    let environments = tx.environments(count)?;
                    snapshot.move_to(&environments)?;
                    tx.clear()?;
                    snapshot.insert(tx)?;
                    Ok((snapshot.clock_offset_seconds, snapshot.settings))
                },
                move |(offset, imported)| {
                    settings.store(imported.into());
                    outbox.clear();
                    clock.set_offset_seconds(offset)
                },
            )
            .await?
    }
}

impl Snapshot {
    /// Refuses what no operation could have brought about and the store would not notice.
    fn check(&mut self) -> Result<(), Error> {
        if self.format != FORMAT {
            return Err(Error::invalid(format!("format must be {FORMAT}")));
        }
        self.settings.check()?;
        check_offset(self.clock_offset_seconds)?;
        each("environments", &mut self.environments, |environment| {
            environment.allowed_origins = canonical_origins(&environment.allowed_origins)?;
            Ok(())
        })?;
        each("users", &mut self.users, |record| check_user(record))?;
        each("organizations", &mut self.organizations, |record| {
            check_organization(record)
        })?;
        each("members", &mut self.members, |member| {
            no_extra(&member.extra)?;
            check_required("role", &member.role, MAX_NAME_CHARS)?;
            let role_name = member.role_name.as_deref().unwrap_or_default();
            check_length("roleName", role_name, MAX_NAME_CHARS)?;
            check_budget(&[&member.public_metadata])?;
            check_budget(&[&member.private_metadata])
        })?;
        each("sessions", &mut self.sessions, |record| {
            no_extra(&record.session.extra)
        })?;
        each("invitations", &mut self.invitations, |record| {
            check_email(&record.email)?;
            check_lifetime(record.lifetime_days)?;
            if let Some(url) = &record.redirect_url {
                check_url("redirectUrl", url)?;
            }
            check_budget(&[&record.public_metadata, &record.private_metadata])
        })?;
        each("impersonationTokens", &mut self.impersonation_tokens, |record| {
            check_required("reason", &record.reason, MAX_REASON_CHARS)
        })
    }

    /// Gives everything the environments of this emulator, and refuses what refers to nothing.
    fn move_to(&mut self, environments: &[EnvironmentId]) -> Result<(), Error> {
        let own: BTreeMap<EnvironmentId, EnvironmentId> = self
            .environments
            .iter()
            .map(|record| record.id)
            .zip(environments.iter().copied())
            .collect();
        if own.len() < self.environments.len() {
            return Err(Error::invalid("environments: an id came twice"));
        }
        let moved = |id: &mut EnvironmentId| match own.get(id) {
            Some(own) => {
                *id = *own;
                Ok(())
            }
            None => Err(Error::invalid(
                "environmentId is not one of the document's environments",
            )),
        };
        each("environments", &mut self.environments, |record| {
            moved(&mut record.id)
        })?;
        each("users", &mut self.users, |record| {
            moved(&mut record.user.environment_id)
        })?;
        each("organizations", &mut self.organizations, |record| {
            moved(&mut record.environment_id)
        })?;
        let users: BTreeMap<UserId, EnvironmentId> = (self
            .users
            .iter()
            .map(|record| (record.user.id, record.user.environment_id)))
        .collect();
        let organizations: BTreeMap<OrganizationId, EnvironmentId> = self
            .organizations
            .iter()
            .map(|record| (record.organization.id, record.environment_id))
            .collect();
        let user_of = |id: UserId, environment: Option<&EnvironmentId>| match users.get(&id) {
            Some(own) if Some(own) == environment => Ok(()),
            _ => Err(Error::invalid("a user id is not one of the environment's users")),
        };
        each("members", &mut self.members, |member| {
            user_of(member.user_id, organizations.get(&member.organization_id))
        })?;
        each("sessions", &mut self.sessions, |record| {
            moved(&mut record.session.environment_id)?;
            let active = record.session.active_organization_id;
            if active.is_some_and(|id| organizations.get(&id) != Some(&record.session.environment_id)) {
                return Err(Error::invalid(
                    "activeOrganizationId is not one of the environment's organizations",
                ));
            }
            user_of(record.session.user_id, Some(&record.session.environment_id))
        })?;
        each("invitations", &mut self.invitations, |record| {
            moved(&mut record.environment_id)
        })?;
        each("impersonationTokens", &mut self.impersonation_tokens, |record| {
            moved(&mut record.environment_id)?;
            user_of(record.user_id, Some(&record.environment_id))?;
            user_of(record.actor_user_id, Some(&record.environment_id))
        })
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let Self {
            format: _,
            environments,
            settings,
            clock_offset_seconds: _,
            users,
            organizations,
            members,
            sessions,
            invitations,
            impersonation_tokens,
        } = self;
        for record in environments {
            tx.set_allowed_origins(record.id, &record.allowed_origins)?;
        }
        tx.set_settings(settings)?;
        insert_each("users", users, |record| tx.insert_user(record))?;
        insert_each("organizations", organizations, |record| {
            tx.insert_organization(record)
        })?;
        insert_each("members", members, |member| tx.insert_member(member))?;
        insert_each("sessions", sessions, |record| tx.insert_session(record))?;
        insert_each("invitations", invitations, |record| tx.insert_invitation(record))?;
        insert_each("impersonationTokens", impersonation_tokens, |record| {
            tx.insert_impersonation_token(record)
        })
    }
}

fn check_user(record: &UserRecord) -> Result<(), Error> {
    let UserRecord {
        user,
        password_hash: _,
        legacy,
    } = record;
    no_extra(&user.extra)?;
    if !UserStatus::KNOWN.contains(&user.status) {
        return Err(Error::invalid("status must be active, banned or deleted"));
    }
    if user
        .locale
        .as_ref()
        .is_some_and(|locale| !Locale::KNOWN.contains(locale))
    {
        return Err(Error::invalid("locale must be en, da or null"));
    }
    if let Some(email) = &user.email {
        check_email(email)?;
    }
    check_names(user.first_name.as_deref(), user.last_name.as_deref())?;
    check_legacy(legacy)?;
    check_user_budget(user)
}

fn check_organization(record: &OrganizationRecord) -> Result<(), Error> {
    let organization = &record.organization;
    no_extra(&organization.extra)?;
    check_required("name", &organization.name, MAX_NAME_CHARS)?;
    if let Some(slug) = &organization.slug {
        check_required("slug", slug, MAX_NAME_CHARS)?;
    }
    check_budget(&[&organization.public_metadata])?;
    check_budget(&[&organization.private_metadata])
}

/// Types of replies take members that they do not know; a document must not have any.
fn no_extra(extra: &Metadata) -> Result<(), Error> {
    match extra.keys().next() {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format!("unknown member `{name}`"))),
    }
}

fn each<T>(
    list: &str,
    items: &mut [T],
    mut work: impl FnMut(&mut T) -> Result<(), Error>,
) -> Result<(), Error> {
    items
        .iter_mut()
        .enumerate()
        .try_for_each(|(place, item)| work(item).map_err(|error| within(list, place, error)))
}

fn insert_each<T>(list: &str, items: &[T], insert: impl Fn(&T) -> Result<bool, Error>) -> Result<(), Error> {
    for (place, item) in items.iter().enumerate() {
        if !insert(item)? {
            let twice = Error::invalid("an id, or what else must be unique, came twice");
            return Err(within(list, place, twice));
        }
    }
    Ok(())
}

/// The refusal with the place that it is about.
fn within(list: &str, place: usize, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Invalid => Error::invalid(format!("{list}[{place}]: {}", error.detail())),
        _ => error,
    }
}

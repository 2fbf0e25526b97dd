//! Invitations: their life from the mail to the account.

mod record;

use std::time::Duration;

use torii_backend_types::{
    CreateInvitation, EnvironmentId, Invitation, InvitationDetail, InvitationFilter, InvitationId,
    InvitationStatus, Page, Timestamp, UpdateMetadata, User,
};
use url::Url;
use uuid::Uuid;

use crate::clock::from_micros;
use crate::domain::Domain;
use crate::domain::metadata::{check_budget, check_names_a_bag, first_bag, merge_both};
use crate::domain::one_time_token::OneTimeToken;
use crate::domain::origins::check_url;
use crate::domain::profile::check_email;
use crate::domain::settings::Settings;
use crate::domain::users::{blank_user, email_taken, insert};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

use crate::page::Paging;
use crate::records::{InvitationQuery, InvitationRecord, LegacyProfile, UserRecord, fold};
pub(super) use record::check_lifetime;
use record::expiry;

/// How long an invitation can be accepted that does not say.
pub const DEFAULT_INVITATION_DAYS: i32 = 7;
const MICROS_PER_SECOND: i64 = 1_000_000;

impl InvitationQuery {
    pub(crate) fn has_status(&self, record: &InvitationRecord) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&record.status(self.now))
    }
}

impl Domain {
    pub(crate) async fn invitations(
        &self,
        environment: EnvironmentId,
        filter: InvitationFilter,
        paging: Paging<InvitationId>,
    ) -> Result<Page<Invitation>, Error> {
        let InvitationFilter { statuses, search } = filter;
        if statuses
            .iter()
            .any(|status| !InvitationStatus::KNOWN.contains(status))
        {
            return Err(Error::invalid(
                "status may be PENDING, ACCEPTED, REVOKED and EXPIRED",
            ));
        }
        let query = InvitationQuery {
            paging,
            email: search.as_deref().map(fold),
            statuses,
            now: self.clock.now(),
        };
        self.store
            .read(move |tx| {
                let found = tx.invitations(environment, &query)?;
                let found = found.into_iter().map(|record| record.summary(query.now));
                Ok(query.paging.page(found.collect(), |invitation| invitation.id))
            })
            .await
    }

    /// Creates an invitation and mails it.
    pub(crate) async fn create_invitation(
        &self,
        environment: EnvironmentId,
        body: CreateInvitation,
    ) -> Result<Invitation, Error> {
        let CreateInvitation {
            email,
            expires_in_days,
            redirect_url,
            public_metadata,
            private_metadata,
        } = body;
        check_email(&email)?;
        let lifetime_days = expires_in_days.unwrap_or(DEFAULT_INVITATION_DAYS);
        check_lifetime(lifetime_days)?;
        if let Some(url) = &redirect_url {
            check_url("redirectUrl", url)?;
        }
        let public_metadata = first_bag(Some(public_metadata));
        let private_metadata = first_bag(Some(private_metadata));
        check_budget(&[&public_metadata, &private_metadata])?;
        let token = OneTimeToken::generate()?;
        let (clock, settings, outbox) = (self.clock.clone(), self.settings(), self.outbox.clone());
        self.store
            .write_then(
                move |tx| {
                    let now = clock.now();
                    let sign_up = sign_up_url(&settings)?;
                    if tx.user_by_email(environment, &email)?.is_some() {
                        return Err(email_taken());
                    }
                    check_rate(tx, environment, &settings, now)?;
                    let record = InvitationRecord {
                        id: InvitationId::from(Uuid::now_v7()),
                        environment_id: environment,
                        email,
                        redirect_url,
                        token_hash: token.hash,
                        lifetime_days,
                        expires_at: expiry(now, lifetime_days),
                        created_at: now,
                        accepted_at: None,
                        revoked_at: None,
                        public_metadata,
                        private_metadata,
                    };
                    tx.insert_invitation(&record)?;
                    Ok((record.mail(sign_up, &token.clear, now), record.summary(now)))
                },
                move |(mail, invitation)| {
                    outbox.send(mail);
                    invitation
                },
            )
            .await
    }

    pub(crate) async fn invitation(
        &self,
        environment: EnvironmentId,
        id: InvitationId,
    ) -> Result<InvitationDetail, Error> {
        let now = self.clock.now();
        self.store
            .read(move |tx| Ok(own_invitation(tx, environment, id)?.detail(now)))
            .await
    }

    /// Mails a pending invitation again. The new link is the only one that counts, and lasts as long as the first.
    pub(crate) async fn resend_invitation(
        &self,
        environment: EnvironmentId,
        id: InvitationId,
    ) -> Result<Invitation, Error> {
        let token = OneTimeToken::generate()?;
        let (clock, settings, outbox) = (self.clock.clone(), self.settings(), self.outbox.clone());
        self.store
            .write_then(
                move |tx| {
                    let now = clock.now();
                    let mut record = own_invitation(tx, environment, id)?;
                    record.check_pending(now)?;
                    let sign_up = sign_up_url(&settings)?;
                    record.token_hash = token.hash;
                    record.expires_at = expiry(now, record.lifetime_days);
                    tx.update_invitation(&record)?;
                    Ok((record.mail(sign_up, &token.clear, now), record.summary(now)))
                },
                move |(mail, invitation)| {
                    outbox.send(mail);
                    invitation
                },
            )
            .await
    }

    pub(crate) async fn revoke_invitation(
        &self,
        environment: EnvironmentId,
        id: InvitationId,
    ) -> Result<(), Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let now = clock.now();
                let mut record = own_invitation(tx, environment, id)?;
                record.check_pending(now)?;
                record.revoked_at = Some(now.max(record.created_at));
                tx.update_invitation(&record)
            })
            .await
    }

    pub(crate) async fn update_invitation_metadata(
        &self,
        environment: EnvironmentId,
        id: InvitationId,
        patch: UpdateMetadata,
    ) -> Result<InvitationDetail, Error> {
        check_names_a_bag(&patch)?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let now = clock.now();
                let mut record = own_invitation(tx, environment, id)?;
                record.check_pending(now)?;
                merge_both(&mut record.public_metadata, &mut record.private_metadata, patch);
                check_budget(&[&record.public_metadata, &record.private_metadata])?;
                tx.update_invitation(&record)?;
                Ok(record.detail(now))
            })
            .await
    }

    /// Signs the invited person up, in whatever environment the invitation is of: the address counts as verified, and
    /// the bags become the user's first.
    pub(crate) async fn accept_invitation(&self, id: InvitationId) -> Result<User, Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let now = clock.now();
                let mut record = tx.invitation(id)?.ok_or_else(no_such_invitation)?;
                record.check_pending(now)?;
                let user = UserRecord {
                    user: User {
                        email: Some(record.email.clone()),
                        email_verified_at: Some(now),
                        public_metadata: record.public_metadata.clone(),
                        private_metadata: record.private_metadata.clone(),
                        ..blank_user(record.environment_id, now)
                    },
                    password_hash: None,
                    legacy: LegacyProfile::default(),
                };
                insert(tx, &user)?;
                record.accepted_at = Some(now.max(record.created_at));
                tx.update_invitation(&record)?;
                Ok(user.user)
            })
            .await
    }
}

/// The invitation, if it is one of this environment: a foreign one is as good as none.
fn own_invitation(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    id: InvitationId,
) -> Result<InvitationRecord, Error> {
    tx.invitation(id)?
        .filter(|record| record.environment_id == environment)
        .ok_or_else(no_such_invitation)
}

fn no_such_invitation() -> Error {
    Error::not_found("the environment has no invitation with this id")
}

fn sign_up_url(settings: &Settings) -> Result<Url, Error> {
    let configured = settings.sign_up_url.as_deref().ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            "sign_up_url_not_configured",
            "the environment has no sign-up address for invitations to lead to",
        )
    })?;
    check_url("signUpUrl", configured)
}

/// Refuses an invitation beyond the limit, until the one that used up the limit is old enough.
fn check_rate(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(limit) = settings.invitation_rate_limit else {
        return Ok(());
    };
    let window = i64::from(limit.per_seconds) * MICROS_PER_SECOND;
    let since = from_micros(now.as_microsecond().saturating_sub(window));
    let oldest = match limit.invitations {
        0 => Some(now),
        most => tx.nth_newest_invitation(environment, most, since)?,
    };
    let Some(oldest) = oldest else { return Ok(()) };
    let left = oldest.as_microsecond().saturating_sub(since.as_microsecond());
    let wait = u64::try_from(left)
        .unwrap_or(1)
        .div_ceil(MICROS_PER_SECOND.unsigned_abs());
    Err(Error::new(
        ErrorKind::RateLimited,
        "invitation_rate_limited",
        "the environment has created as many invitations as it may for now",
    )
    .retry(Duration::from_secs(wait)))
}

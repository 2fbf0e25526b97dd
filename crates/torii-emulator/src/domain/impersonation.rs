//! Tokens that open a session in a user's place.

use std::ops::RangeInclusive;

use torii_backend_types::{
    CreateImpersonationToken, EnvironmentId, ImpersonationToken, Metadata, Session, Timestamp, UserId,
    UserStatus,
};

use super::Domain;
use super::one_time_token::{self, OneTimeToken};
use super::origins::{check_url, origin_of};
use super::profile::check_required;
use super::sessions::blank_session;
use super::settings::ImpersonationSettings;
use super::sign_in::{Device, Opened, SignedIn};
use super::users::own_user;
use crate::clock::from_micros;
use crate::error::{Error, ErrorKind};
use crate::records::ImpersonationRecord;
use crate::store::Tx;

/// The time within which [`ImpersonationSettings::quota`] counts: thirty days.
pub const IMPERSONATION_PERIOD_SECONDS: i64 = 30 * 24 * 60 * 60;

/// How long a token can be redeemed. The longest is the default.
pub(crate) const IMPERSONATION_LIFETIME_SECONDS: RangeInclusive<i64> = 60..=600;
/// Most characters in a reason.
pub(crate) const MAX_REASON_CHARS: usize = 500;

/// How long an impersonated session lasts: torii caps it at an hour.
const SESSION_SECONDS: i64 = 60 * 60;
const MICROS_PER_SECOND: i64 = 1_000_000;

impl Domain {
    pub(crate) async fn mint_impersonation_token(
        &self,
        environment: EnvironmentId,
        user: UserId,
        body: CreateImpersonationToken,
    ) -> Result<ImpersonationToken, Error> {
        let CreateImpersonationToken {
            actor_user_id,
            reason,
            redirect_url,
            expires_in_seconds,
        } = body;
        check_required("reason", &reason, MAX_REASON_CHARS)?;
        let allowed = IMPERSONATION_LIFETIME_SECONDS;
        let lifetime = expires_in_seconds.unwrap_or(*allowed.end());
        if !allowed.contains(&lifetime) {
            return Err(Error::invalid(format!(
                "expiresInSeconds must be within {}–{}",
                allowed.start(),
                allowed.end()
            )));
        }
        let origin = match &redirect_url {
            Some(url) => origin_of(&check_url("redirectUrl", url)?),
            None => None,
        };
        let settings = self.settings();
        check_offered(&settings.impersonation)?;
        let landing_url = redirect_url.or_else(|| settings.landing_url.clone());
        let token = OneTimeToken::generate()?;
        let url = landing_url.is_some().then(|| {
            let (issuer, token) = (&self.issuer, &token.clear);
            format!("{issuer}/_torii/auth/session/impersonate?token={token}")
        });
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                check_users(tx, environment, user, actor_user_id)?;
                if let Some(origin) = origin
                    && !tx.allowed_origins(environment)?.contains(&origin)
                {
                    return Err(Error::new(
                        ErrorKind::Invalid,
                        "redirect_url_not_allowed",
                        "redirectUrl must be at one of the environment's allowed origins",
                    ));
                }
                let now = clock.now();
                check_quota(tx, environment, &settings.impersonation, now)?;
                let record = ImpersonationRecord {
                    token_hash: token.hash,
                    environment_id: environment,
                    user_id: user,
                    actor_user_id,
                    reason,
                    landing_url,
                    created_at: now,
                    expires_at: from_micros(now.as_microsecond() + lifetime * MICROS_PER_SECOND),
                    redeemed_at: None,
                };
                tx.insert_impersonation_token(&record)?;
                Ok(ImpersonationToken {
                    token: token.clear,
                    expires_in_seconds: lifetime,
                    url,
                    extra: Metadata::new(),
                })
            })
            .await
    }
}

impl Domain {
    /// Opens the one session of a token, in the user's place, and says where it lands.
    pub(crate) async fn redeem_impersonation_token(
        &self,
        environment: EnvironmentId,
        token: String,
        device: Device,
    ) -> Result<(SignedIn, Option<String>), Error> {
        let clock = self.clock.clone();
        let (opened, landing_url) = self
            .store
            .write(move |tx| {
                let now = clock.now();
                let found = tx.impersonation_token(&one_time_token::hash(&token))?;
                let usable = found.filter(|record| {
                    record.environment_id == environment
                        && record.redeemed_at.is_none()
                        && record.expires_at > now
                });
                let record = usable.ok_or_else(|| {
                    Error::new(
                        ErrorKind::Unauthenticated,
                        "invalid_impersonation_token",
                        "the token is unknown, too old or was used before",
                    )
                })?;
                let user = own_user(tx, environment, record.user_id)?.user;
                own_user(tx, environment, record.actor_user_id)?;
                tx.set_redeemed(&record.token_hash, now)?;
                let session = Session {
                    impersonated_by: Some(record.actor_user_id),
                    ..blank_session(&user, now, SESSION_SECONDS)
                };
                let opened = Opened::with(tx, user, session, device)?;
                Ok((opened, record.landing_url))
            })
            .await?;
        Ok((self.signed_in(opened)?, landing_url))
    }
}

fn check_offered(settings: &ImpersonationSettings) -> Result<(), Error> {
    if !settings.enabled {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "impersonation_disabled",
            "impersonation is disabled for the environment",
        ));
    }
    if !settings.plan_included {
        return Err(Error::new(
            ErrorKind::PaymentRequired,
            "impersonation_not_in_plan",
            "the plan does not include impersonation",
        ));
    }
    Ok(())
}

fn check_users(tx: &Tx<'_>, environment: EnvironmentId, target: UserId, actor: UserId) -> Result<(), Error> {
    // No 404 is described: an unknown user is not told from a foreign one.
    let own = |id: UserId| -> Result<_, Error> {
        let found = tx.user(id)?;
        found
            .filter(|record| record.user.environment_id == environment)
            .map(|record| record.user.status)
            .ok_or_else(|| Error::forbidden("the environment has no user with this id"))
    };
    if own(target)? == UserStatus::Deleted {
        return Err(Error::new(
            ErrorKind::Invalid,
            "user_deleted",
            "the user to impersonate has been deleted",
        ));
    }
    if own(actor)? == UserStatus::Deleted {
        return Err(Error::forbidden("the actor has been deleted"));
    }
    Ok(())
}

fn check_quota(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    settings: &ImpersonationSettings,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(quota) = settings.quota else {
        return Ok(());
    };
    let since = from_micros(now.as_microsecond() - IMPERSONATION_PERIOD_SECONDS * MICROS_PER_SECOND);
    if tx.count_impersonation_tokens(environment, since)? >= u64::from(quota) {
        return Err(Error::new(
            ErrorKind::PaymentRequired,
            "impersonation_quota_exhausted",
            "the environment has used up its impersonations of this period",
        ));
    }
    Ok(())
}

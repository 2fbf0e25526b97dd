//! Signing up with a code by mail, and passwords: forgotten, reset and changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use torii_backend_types::{EnvironmentId, Metadata, Password, Timestamp, User};

use super::client::Credentials;
use super::metadata::{check_budget, first_bag};
use super::one_time_token::{self, OneTimeToken};
use super::outbox::Mail;
use super::profile::{check_email, check_names, check_password, split_name};
use super::sign_in::{Device, Opened, SignedIn};
use super::users::{blank_user, email_taken, insert, save};
use super::{Domain, codes, hashing};
use crate::error::{Error, ErrorKind};
use crate::records::{CodePurpose, InvitationRecord, LegacyProfile, UserRecord, fold, full_name};
use crate::store::Tx;

/// A sign-up that was asked for.
pub(crate) struct SignUp {
    pub(crate) email: String,
    pub(crate) password: Password,
    pub(crate) name: Option<String>,
    pub(crate) legal_consent: bool,
    pub(crate) unsafe_metadata: Option<Metadata>,
}

/// What is kept of it until the code comes.
#[derive(Serialize, Deserialize)]
struct Prepared {
    email: String,
    password_hash: String,
    first_name: Option<String>,
    last_name: Option<String>,
    unsafe_metadata: Metadata,
}

impl Domain {
    /// Mails a code. There is no user before it is confirmed. Returns the token that goes with it.
    pub(crate) async fn sign_up(&self, environment: EnvironmentId, request: SignUp) -> Result<String, Error> {
        let SignUp {
            email,
            password,
            name,
            legal_consent,
            unsafe_metadata,
        } = request;
        self.check_sign_up(legal_consent)?;
        check_email(&email)?;
        check_password(&password)?;
        let (first_name, last_name) = name.as_deref().map(split_name).unwrap_or_default();
        check_names(first_name.as_deref(), last_name.as_deref())?;
        let unsafe_metadata = first_bag(unsafe_metadata);
        check_budget(&[&unsafe_metadata])?;
        let prepared = Prepared {
            email,
            password_hash: hashing::hash(&password)?,
            first_name,
            last_name,
            unsafe_metadata,
        };
        let details = serde_json::to_value(&prepared).map_err(Error::internal)?;
        let token = OneTimeToken::generate()?;
        let (clock, outbox) = (self.clock.clone(), self.outbox.clone());
        self.store
            .write_then(
                move |tx| {
                    let now = clock.now();
                    if tx.user_by_email(environment, &prepared.email)?.is_some() {
                        return Err(email_taken());
                    }
                    let code = codes::issue(tx, CodePurpose::SignUp, environment, token.hash, details, now)?;
                    Ok(Mail::with_code(
                        CodePurpose::SignUp,
                        prepared.email,
                        code,
                        environment,
                        now,
                    ))
                },
                move |mail| {
                    outbox.send(mail);
                    token.clear
                },
            )
            .await
    }

    /// Creates the user, whose address is verified, and signs in.
    pub(crate) async fn confirm_sign_up(
        &self,
        environment: EnvironmentId,
        token: String,
        code: String,
        device: Device,
    ) -> Result<SignedIn, Error> {
        let clock = self.clock.clone();
        let confirmed = self.store.write(move |tx| {
            let (now, subject) = (clock.now(), one_time_token::hash(&token));
            let details = codes::redeem(tx, CodePurpose::SignUp, environment, &subject, &code, now)?;
            match details {
                Ok(details) => signed_up(tx, environment, details, device, now).map(Ok),
                Err(error) => Ok(Err(error)),
            }
        });
        self.signed_in(confirmed.await??)
    }

    /// Mails a code if a user has the address. Whether one has is not told.
    pub(crate) async fn forgot_password(
        &self,
        environment: EnvironmentId,
        email: String,
    ) -> Result<(), Error> {
        let (clock, outbox) = (self.clock.clone(), self.outbox.clone());
        self.store
            .write_then(
                move |tx| {
                    let now = clock.now();
                    if tx.user_by_email(environment, &email)?.is_none() {
                        return Ok(None);
                    }
                    let purpose = CodePurpose::PasswordReset;
                    let code = codes::issue(tx, purpose, environment, fold(&email), Value::Null, now)?;
                    Ok(Some(Mail::with_code(purpose, email, code, environment, now)))
                },
                move |mail| {
                    if let Some(mail) = mail {
                        outbox.send(mail);
                    }
                },
            )
            .await
    }

    /// Sets the password by the code of a mail. Every session ends.
    pub(crate) async fn reset_password(
        &self,
        environment: EnvironmentId,
        email: String,
        code: String,
        password: Password,
    ) -> Result<(), Error> {
        check_password(&password)?;
        let hash = hashing::hash(&password)?;
        let clock = self.clock.clone();
        let done = self.store.write(move |tx| {
            let (now, subject) = (clock.now(), fold(&email));
            let redeemed = codes::redeem(tx, CodePurpose::PasswordReset, environment, &subject, &code, now)?;
            if let Err(error) = redeemed {
                return Ok(Err(error));
            }
            let Some(mut record) = tx.user_by_email(environment, &email)? else {
                return Ok(Ok(()));
            };
            record.password_hash = Some(hash);
            save(tx, &mut record, now)?;
            tx.revoke_sessions(record.user.id, now).map(Ok)
        });
        done.await?
    }

    /// `current` may be left out by who has no password yet.
    pub(crate) async fn change_password(
        &self,
        environment: EnvironmentId,
        credentials: Credentials,
        current: Option<Password>,
        new: Password,
    ) -> Result<(), Error> {
        check_password(&new)?;
        let hash = hashing::hash(&new)?;
        self.act(environment, credentials, move |tx, actor, now| {
            let mut record = actor.record;
            let is_right = match (&record.password_hash, &current) {
                (None, _) => true,
                (Some(known), Some(current)) => hashing::is_right(current, known),
                (Some(_), None) => false,
            };
            if !is_right {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "invalid_credentials",
                    "currentPassword is wrong or missing",
                ));
            }
            record.password_hash = Some(hash);
            save(tx, &mut record, now)
        })
        .await
    }

    /// Accepts an invitation by the token of its link: a user with a password, signed in.
    pub(crate) async fn accept_invitation_with_password(
        &self,
        environment: EnvironmentId,
        token: String,
        password: Password,
        legal_consent: bool,
        device: Device,
    ) -> Result<SignedIn, Error> {
        self.check_consent(legal_consent)?;
        check_password(&password)?;
        let hash = hashing::hash(&password)?;
        let clock = self.clock.clone();
        let opened = self
            .store
            .write(move |tx| {
                let now = clock.now();
                let found = tx.invitation_by_token(&one_time_token::hash(&token))?;
                let own = found.filter(|record| record.environment_id == environment);
                let invitation = own.ok_or_else(|| Error::not_found("no invitation has this token"))?;
                let user = accept(tx, invitation, Some(hash), now)?;
                Opened::new(tx, user, device, now)
            })
            .await?;
        self.signed_in(opened)
    }

    fn check_sign_up(&self, legal_consent: bool) -> Result<(), Error> {
        if !self.settings().sign_up_enabled {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "signup_disabled",
                "the environment takes no sign-ups",
            ));
        }
        self.check_consent(legal_consent)
    }

    fn check_consent(&self, given: bool) -> Result<(), Error> {
        match self.settings().require_legal_consent && !given {
            false => Ok(()),
            true => Err(Error::new(
                ErrorKind::Unprocessable,
                "legal_consent_required",
                "the environment requires legalConsentAccepted",
            )),
        }
    }
}

/// Signs the invited person up: the address counts as verified, and the bags become the user's first.
pub(super) fn accept(
    tx: &Tx<'_>,
    mut invitation: InvitationRecord,
    password_hash: Option<String>,
    now: Timestamp,
) -> Result<User, Error> {
    invitation.check_pending(now)?;
    let record = UserRecord {
        user: User {
            email: Some(invitation.email.clone()),
            email_verified_at: Some(now),
            public_metadata: invitation.public_metadata.clone(),
            private_metadata: invitation.private_metadata.clone(),
            ..blank_user(invitation.environment_id, now)
        },
        password_hash,
        legacy: LegacyProfile::default(),
    };
    insert(tx, &record)?;
    invitation.accepted_at = Some(now.max(invitation.created_at));
    tx.update_invitation(&invitation)?;
    Ok(record.user)
}

fn signed_up(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    details: Value,
    device: Device,
    now: Timestamp,
) -> Result<Opened, Error> {
    let Prepared {
        email,
        password_hash,
        first_name,
        last_name,
        unsafe_metadata,
    } = serde_json::from_value(details).map_err(Error::internal)?;
    let record = UserRecord {
        user: User {
            name: full_name(first_name.as_deref(), last_name.as_deref()),
            first_name,
            last_name,
            email: Some(email),
            email_verified_at: Some(now),
            unsafe_metadata,
            ..blank_user(environment, now)
        },
        password_hash: Some(password_hash),
        legacy: LegacyProfile::default(),
    };
    insert(tx, &record)?;
    Opened::new(tx, record.user, device, now)
}

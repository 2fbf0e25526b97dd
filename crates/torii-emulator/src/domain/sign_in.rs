//! Signing in: by password, or on the page where a developer picks a user.

use torii_backend_types::{
    EnvironmentId, Page, Password, Session, Timestamp, User, UserFilter, UserId, UserStatus,
};

use super::one_time_token::OneTimeToken;
use super::sessions::{SESSION_LIFETIME_SECONDS, blank_session};
use super::tokens::{MintedToken, Subject};
use super::users::{blank_user, insert, own_user};
use super::{Domain, hashing};
use crate::error::{Error, ErrorKind};
use crate::page::Paging;
use crate::records::{LegacyProfile, SessionRecord, UserRecord, full_name};
use crate::store::Tx;

/// The user that the sign-in page offers to create where there is none.
pub(crate) const FIRST_USER_EMAIL: &str = "ada@example.com";
const FIRST_USER_NAMES: (&str, &str) = ("Ada", "Lovelace");
/// How many users the sign-in page lists.
const LISTED_USERS: i32 = 100;
/// Most characters of a browser's name and address that are kept.
const MAX_DEVICE_CHARS: usize = 500;

/// Who signs in.
pub(crate) enum Who {
    /// A user that was picked from a list. Nothing is asked for.
    Picked(UserId),
    Password {
        email: String,
        password: Password,
    },
    /// [`FIRST_USER_EMAIL`], created if need be.
    FirstUser,
}

/// Where a session is opened.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) user_agent: Option<String>,
    pub(crate) ip_address: Option<String>,
}

/// A session that was just opened, and what its user's browser gets. It has no `Debug`: it holds tokens.
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    /// By which the browser continues the session. Kept as a hash only.
    pub(crate) session_token: String,
    pub(crate) access: MintedToken,
}

/// A session in the store, whose access token is not signed yet.
pub(super) struct Opened {
    session: Session,
    session_token: String,
    subject: Subject,
}

impl Domain {
    /// The active users, as many as a page shows.
    pub(crate) async fn users_to_pick(&self, environment: EnvironmentId) -> Result<Page<User>, Error> {
        let filter = UserFilter {
            statuses: Some(vec![UserStatus::Active]),
            ..UserFilter::default()
        };
        self.search_users(environment, filter, Paging::new(Some(LISTED_USERS), None))
            .await
    }

    pub(crate) async fn sign_in(
        &self,
        environment: EnvironmentId,
        who: Who,
        device: Device,
    ) -> Result<SignedIn, Error> {
        let clock = self.clock.clone();
        let opened = self
            .store
            .write(move |tx| {
                let user = match who {
                    Who::Picked(id) => own_user(tx, environment, id)?.user,
                    Who::Password { email, password } => by_password(tx, environment, &email, &password)?,
                    Who::FirstUser => first_user(tx, environment, clock.now())?,
                };
                Opened::new(tx, user, device, clock.now())
            })
            .await?;
        self.signed_in(opened)
    }

    pub(super) fn signed_in(&self, opened: Opened) -> Result<SignedIn, Error> {
        let Opened {
            session,
            session_token,
            subject,
        } = opened;
        Ok(SignedIn {
            session,
            session_token,
            access: self.sign_for_session(subject)?,
        })
    }

    /// The access token of a session.
    pub(super) fn sign_for_session(&self, subject: Subject) -> Result<MintedToken, Error> {
        let lifetime = self.settings().token_lifetime_seconds;
        self.sign(subject, lifetime, Default::default())
    }
}

impl Opened {
    /// An ordinary session of `user`, who must be active.
    pub(super) fn new(tx: &Tx<'_>, user: User, device: Device, now: Timestamp) -> Result<Self, Error> {
        let session = blank_session(&user, now, SESSION_LIFETIME_SECONDS);
        Self::with(tx, user, session, device)
    }

    /// `session`, with the circumstances that `device` tells.
    pub(super) fn with(tx: &Tx<'_>, user: User, session: Session, device: Device) -> Result<Self, Error> {
        check_active(&user)?;
        let cut = |text: String| text.chars().take(MAX_DEVICE_CHARS).collect();
        let session = Session {
            user_agent: device.user_agent.map(cut),
            ip_address: device.ip_address.map(cut),
            ..session
        };
        let token = OneTimeToken::generate()?;
        let record = SessionRecord {
            session,
            revoked_at: None,
            token_hash: Some(token.hash),
        };
        tx.insert_session(&record)?;
        Ok(Self {
            subject: Subject::of_session(tx, user, &record.session)?,
            session: record.session,
            session_token: token.clear,
        })
    }
}

/// Refuses who may not have a session.
pub(super) fn check_active(user: &User) -> Result<(), Error> {
    match user.status {
        UserStatus::Active => Ok(()),
        UserStatus::Banned => Err(Error::new(
            ErrorKind::Forbidden,
            "account_banned",
            "the user is banned",
        )),
        _ => Err(Error::forbidden("the user has been deleted")),
    }
}

/// An unknown address and a wrong password are not told apart.
fn by_password(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    email: &str,
    password: &Password,
) -> Result<User, Error> {
    let record = tx.user_by_email(environment, email)?;
    let is_right = |record: &UserRecord| {
        let hash = record.password_hash.as_deref();
        hash.is_some_and(|hash| hashing::is_right(password, hash))
    };
    let record = record.filter(is_right).ok_or_else(|| {
        Error::new(
            ErrorKind::Unauthenticated,
            "invalid_credentials",
            "the email or the password is wrong",
        )
    })?;
    Ok(record.user)
}

fn first_user(tx: &Tx<'_>, environment: EnvironmentId, now: Timestamp) -> Result<User, Error> {
    if let Some(record) = tx.user_by_email(environment, FIRST_USER_EMAIL)? {
        return Ok(record.user);
    }
    let (first, last) = FIRST_USER_NAMES;
    let record = UserRecord {
        user: User {
            name: full_name(Some(first), Some(last)),
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(FIRST_USER_EMAIL.to_owned()),
            email_verified_at: Some(now),
            ..blank_user(environment, now)
        },
        password_hash: None,
        legacy: LegacyProfile::default(),
    };
    insert(tx, &record)?;
    Ok(record.user)
}

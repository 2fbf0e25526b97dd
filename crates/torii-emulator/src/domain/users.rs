//! Users: their life from creation to deletion.

use torii_backend_types::{
    CreateUser, EnvironmentId, Metadata, Page, Patch, Timestamp, UpdateUser, UpdateUserMetadata, User,
    UserFilter, UserId, UserStatus,
};
use uuid::Uuid;

use super::metadata::{check_budget, first_bag, merge};
use super::profile::{check_email, check_legacy, check_locale, check_names, check_password, split_name};
use super::{Domain, hashing};
use crate::clock::from_micros;
use crate::error::{Error, ErrorKind};
use crate::page::Paging;
use crate::records::{LegacyProfile, UserQuery, UserRecord, full_name};
use crate::store::Tx;

impl Domain {
    pub(crate) async fn create_user(
        &self,
        environment: EnvironmentId,
        body: CreateUser,
    ) -> Result<User, Error> {
        let CreateUser {
            email,
            password,
            first_name,
            last_name,
            name,
            phone,
            address,
            date_of_birth,
            public_metadata,
            private_metadata,
            unsafe_metadata,
        } = body;
        if let Some(email) = &email {
            check_email(email)?;
        }
        if let Some(password) = &password {
            check_password(password)?;
        }
        let (split_first, split_last) = name.as_deref().map(split_name).unwrap_or_default();
        let (first_name, last_name) = (first_name.or(split_first), last_name.or(split_last));
        check_names(first_name.as_deref(), last_name.as_deref())?;
        let legacy = LegacyProfile {
            phone,
            address,
            date_of_birth,
        };
        check_legacy(&legacy)?;
        let (public_metadata, private_metadata, unsafe_metadata) = (
            first_bag(public_metadata),
            first_bag(private_metadata),
            first_bag(unsafe_metadata),
        );
        check_budget(&[&public_metadata, &private_metadata, &unsafe_metadata])?;
        let password_hash = password.as_ref().map(hashing::hash).transpose()?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let record = UserRecord {
                    user: User {
                        name: full_name(first_name.as_deref(), last_name.as_deref()),
                        first_name,
                        last_name,
                        email,
                        public_metadata,
                        private_metadata,
                        unsafe_metadata,
                        ..blank_user(environment, clock.now())
                    },
                    password_hash,
                    legacy,
                };
                insert(tx, &record)?;
                Ok(record.user)
            })
            .await
    }

    pub(crate) async fn user(&self, environment: EnvironmentId, id: UserId) -> Result<User, Error> {
        self.store
            .read(move |tx| Ok(own_user(tx, environment, id)?.user))
            .await
    }

    pub(crate) async fn update_user(
        &self,
        environment: EnvironmentId,
        id: UserId,
        patch: UpdateUser,
    ) -> Result<User, Error> {
        check_locale(&patch.locale)?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let mut record = own_user(tx, environment, id)?;
                if patch == UpdateUser::default() {
                    return Ok(record.user);
                }
                apply(&mut record, patch)?;
                save(tx, &mut record, clock.now())?;
                Ok(record.user)
            })
            .await
    }

    /// Marks the address of a user of any environment as verified, as its owner would by a link.
    pub(crate) async fn verify_email(&self, id: UserId) -> Result<User, Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let found = tx
                    .user(id)?
                    .filter(|record| record.user.status != UserStatus::Deleted);
                let mut record = found.ok_or_else(|| Error::not_found("no user has this id"))?;
                if record.user.email.is_none() {
                    return Err(Error::conflict("no_email", "the user has no address to verify"));
                }
                if record.user.email_verified_at.is_none() {
                    let now = clock.now();
                    record.user.email_verified_at = Some(now.max(record.user.created_at));
                    save(tx, &mut record, now)?;
                }
                Ok(record.user)
            })
            .await
    }

    /// Soft: the record stays, out of reach of every operation but the search. Its address is free again.
    pub(crate) async fn delete_user(&self, environment: EnvironmentId, id: UserId) -> Result<(), Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let mut record = own_user(tx, environment, id)?;
                let now = clock.now();
                record.user.status = UserStatus::Deleted;
                record.user.deleted_at = Some(now.max(record.user.created_at));
                save(tx, &mut record, now)?;
                tx.revoke_sessions(id, now)?;
                tx.remove_memberships(id)
            })
            .await
    }

    /// Banning revokes every session. Both directions may be repeated.
    pub(crate) async fn set_banned(
        &self,
        environment: EnvironmentId,
        id: UserId,
        banned: bool,
    ) -> Result<User, Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let mut record = own_user(tx, environment, id)?;
                let status = if banned {
                    UserStatus::Banned
                } else {
                    UserStatus::Active
                };
                if record.user.status == status {
                    return Ok(record.user);
                }
                let now = clock.now();
                record.user.status = status;
                save(tx, &mut record, now)?;
                if banned {
                    tx.revoke_sessions(id, now)?;
                }
                Ok(record.user)
            })
            .await
    }

    pub(crate) async fn search_users(
        &self,
        environment: EnvironmentId,
        filter: UserFilter,
        paging: Paging<UserId>,
    ) -> Result<Page<User>, Error> {
        let query = UserQuery::new(filter, paging)?;
        self.store
            .read(move |tx| {
                let found = tx.search_users(environment, &query)?;
                Ok(query.paging.page(found, |user| user.id))
            })
            .await
    }

    /// Merges into any of the three bags. Naming none changes nothing.
    pub(crate) async fn update_user_metadata(
        &self,
        environment: EnvironmentId,
        id: UserId,
        patch: UpdateUserMetadata,
    ) -> Result<User, Error> {
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let mut record = own_user(tx, environment, id)?;
                if patch == UpdateUserMetadata::default() {
                    return Ok(record.user);
                }
                let UpdateUserMetadata {
                    public_metadata,
                    private_metadata,
                    unsafe_metadata,
                } = patch;
                let user = &mut record.user;
                merge(&mut user.public_metadata, public_metadata.unwrap_or_default());
                merge(&mut user.private_metadata, private_metadata.unwrap_or_default());
                merge(&mut user.unsafe_metadata, unsafe_metadata.unwrap_or_default());
                check_user_budget(user)?;
                save(tx, &mut record, clock.now())?;
                Ok(record.user)
            })
            .await
    }
}

/// The user, if this environment may act on it.
pub(super) fn own_user(tx: &Tx<'_>, environment: EnvironmentId, id: UserId) -> Result<UserRecord, Error> {
    let Some(record) = tx.user(id)? else {
        return Err(Error::not_found("no user has this id"));
    };
    if record.user.environment_id != environment {
        return Err(Error::forbidden("the user belongs to another environment"));
    }
    if record.user.status == UserStatus::Deleted {
        // The grant on a user ends with it.
        return Err(Error::forbidden("the user has been deleted"));
    }
    Ok(record)
}

/// [`own_user`] for the operations that document no 404: there, an unknown user is not told from a foreign one.
pub(super) fn own_user_undisclosed(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    id: UserId,
) -> Result<UserRecord, Error> {
    own_user(tx, environment, id).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Forbidden => {
            Error::forbidden("the environment has no user with this id")
        }
        _ => error,
    })
}

/// A new user without anything. Made inside a write, where writers take turns: the order of ids is the order in
/// which users appear.
pub(super) fn blank_user(environment: EnvironmentId, now: Timestamp) -> User {
    User {
        id: UserId::from(Uuid::now_v7()),
        environment_id: environment,
        name: None,
        first_name: None,
        last_name: None,
        locale: None,
        status: UserStatus::Active,
        created_at: now,
        updated_at: now,
        email: None,
        email_verified_at: None,
        deleted_at: None,
        public_metadata: Metadata::new(),
        private_metadata: Metadata::new(),
        unsafe_metadata: Metadata::new(),
        extra: Metadata::new(),
    }
}

pub(super) fn insert(tx: &Tx<'_>, record: &UserRecord) -> Result<(), Error> {
    if !tx.insert_user(record)? {
        return Err(email_taken());
    }
    Ok(())
}

pub(super) fn email_taken() -> Error {
    Error::conflict(
        "email_already_exists",
        "another user of the environment has this email",
    )
}

fn apply(record: &mut UserRecord, patch: UpdateUser) -> Result<(), Error> {
    let UpdateUser {
        first_name,
        last_name,
        locale,
        name,
        phone,
        address,
        date_of_birth,
        unsafe_metadata,
    } = patch;
    let UserRecord { user, legacy, .. } = record;
    match name {
        Patch::Keep => {}
        Patch::Clear => (user.first_name, user.last_name) = (None, None),
        Patch::Set(full) => (user.first_name, user.last_name) = split_name(&full),
    }
    // After the full name: where both speak, the part is the more exact.
    set(&mut user.first_name, first_name);
    set(&mut user.last_name, last_name);
    set(&mut user.locale, locale);
    set(&mut legacy.phone, phone);
    set(&mut legacy.address, address);
    set(&mut legacy.date_of_birth, date_of_birth);
    if let Some(patch) = unsafe_metadata {
        merge(&mut user.unsafe_metadata, patch);
    }
    check_names(user.first_name.as_deref(), user.last_name.as_deref())?;
    check_legacy(legacy)?;
    check_user_budget(user)
}

pub(super) fn check_user_budget(user: &User) -> Result<(), Error> {
    check_budget(&[
        &user.public_metadata,
        &user.private_metadata,
        &user.unsafe_metadata,
    ])
}

fn set<T>(field: &mut Option<T>, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *field = None,
        Patch::Set(value) => *field = Some(value),
    }
}

pub(super) fn save(tx: &Tx<'_>, record: &mut UserRecord, now: Timestamp) -> Result<(), Error> {
    let user = &mut record.user;
    user.name = full_name(user.first_name.as_deref(), user.last_name.as_deref());
    // Every write shows, even two within one microsecond or after the clock was put back.
    user.updated_at = now.max(from_micros(user.updated_at.as_microsecond() + 1));
    tx.update_user(record)
}

//! Users: their life from creation to deletion.

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use tokio::sync::Semaphore;
use torii_backend_types::{
    CreateUser, Cursor, EnvironmentId, Metadata, Page, Password, Patch, Timestamp, UpdateUser, User,
    UserFilter, UserId, UserStatus,
};
use uuid::Uuid;

use super::Domain;
use super::metadata::{check_budget, merge};
use super::profile::{
    LegacyProfile, check_email, check_legacy, check_locale, check_names, check_password, full_name,
    split_name,
};
use super::search::UserQuery;
use crate::clock::from_micros;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

/// A user and what no reply shows of it. It has no `Debug`: it holds the hash of a password.
pub(crate) struct UserRecord {
    pub(crate) user: User,
    pub(crate) password_hash: Option<String>,
    pub(crate) legacy: LegacyProfile,
}

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
        let user = User {
            id: UserId::from(Uuid::nil()),
            environment_id: environment,
            name: full_name(first_name.as_deref(), last_name.as_deref()),
            first_name,
            last_name,
            locale: None,
            status: UserStatus::Active,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            email,
            email_verified_at: None,
            deleted_at: None,
            public_metadata: first_bag(public_metadata),
            private_metadata: first_bag(private_metadata),
            unsafe_metadata: first_bag(unsafe_metadata),
            extra: Metadata::new(),
        };
        check_budget(&user)?;
        let mut record = UserRecord {
            user,
            password_hash: self.hashing.hash(password).await?,
            legacy,
        };
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                // Taken here, where writers take turns: the order of ids is the order in which users appear.
                record.user.id = UserId::from(Uuid::now_v7());
                record.user.created_at = clock.now();
                record.user.updated_at = record.user.created_at;
                if !tx.insert_user(&record)? {
                    return Err(Error::conflict(
                        "email_already_exists",
                        "another user of the environment has this email",
                    ));
                }
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
        limit: Option<i32>,
        after: Option<UserId>,
    ) -> Result<Page<User>, Error> {
        let mut query = UserQuery::new(filter, limit, after)?;
        let length = query.limit;
        // One more than asked for tells whether there is a next page.
        query.limit += 1;
        let mut items = self
            .store
            .read(move |tx| tx.search_users(environment, &query))
            .await?;
        let has_more = items.len() > length;
        items.truncate(length);
        let next_cursor = items
            .last()
            .filter(|_| has_more)
            .map(|user| Cursor::from(user.id.to_string()));
        Ok(Page {
            items,
            next_cursor,
            has_more,
        })
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

/// Password hashing, off the async threads and a few at a time: each takes tens of milliseconds and 19 MiB.
pub(super) struct Hashing {
    turns: Semaphore,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Semaphore::new(cores),
        }
    }
}

impl Hashing {
    async fn hash(&self, password: Option<Password>) -> Result<Option<String>, Error> {
        let Some(password) = password else { return Ok(None) };
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        let hashing = tokio::task::spawn_blocking(move || {
            Argon2::default()
                .hash_password(password.expose().as_bytes())
                .map(|hash| hash.to_string())
        });
        hashing
            .await
            .map_err(Error::internal)?
            .map(Some)
            .map_err(Error::internal)
    }
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
    check_budget(user)
}

fn set<T>(field: &mut Option<T>, patch: Patch<T>) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *field = None,
        Patch::Set(value) => *field = Some(value),
    }
}

fn save(tx: &Tx<'_>, record: &mut UserRecord, now: Timestamp) -> Result<(), Error> {
    let user = &mut record.user;
    user.name = full_name(user.first_name.as_deref(), user.last_name.as_deref());
    // Every write shows, even two within one microsecond or after the clock was put back.
    user.updated_at = now.max(from_micros(user.updated_at.as_microsecond() + 1));
    tx.update_user(record)
}

fn first_bag(given: Option<Metadata>) -> Metadata {
    let mut bag = Metadata::new();
    merge(&mut bag, given.unwrap_or_default());
    bag
}

//! End-users.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{CreateUser, InvalidId, UpdateUser, UpdateUserMetadata, User, UserFilter, UserId};

use super::{List, request_for};
use crate::operation::Operation;
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on end-users. From [`Torii::users`](crate::Torii::users).
#[derive(Clone, Debug)]
pub struct Users<M: Mode>(pub(crate) Arc<Transport<M>>);

static LIST: Operation = Operation::read("users.list", Method::POST, "/users/search");
static GET: Operation = Operation::read("users.get", Method::GET, "/users/{userId}");
static CREATE: Operation = Operation::effect("users.create", Method::POST, "/users");
static UPDATE: Operation = Operation::idempotent("users.update", Method::PATCH, "/users/{userId}");
static UPDATE_METADATA: Operation =
    Operation::idempotent("users.update_metadata", Method::PATCH, "/users/{userId}/metadata");
static DELETE: Operation = Operation::delete("users.delete", Method::DELETE, "/users/{userId}");
static BAN: Operation = Operation::idempotent("users.ban", Method::POST, "/users/{userId}/ban");
static UNBAN: Operation = Operation::idempotent("users.unban", Method::POST, "/users/{userId}/unban");

impl<M: Mode> Users<M> {
    /// The users that match `filter`, in a stable order. The default filter matches everybody, deleted users included.
    ///
    /// Refused with 400 when the filter has more than 100 ids or addresses.
    pub fn list(&self, filter: &UserFilter) -> List<M, User> {
        List::new(&self.0, Request::new(&LIST, &[]).json(filter))
    }

    /// One user.
    ///
    /// Refused with 404 when there is no such user, with 403 when it is another environment's or deleted.
    pub fn get(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Call<M, User> {
        Call::json(&self.0, request_for::<UserId>(&GET, user_id))
    }

    /// Creates a user.
    ///
    /// Refused with 409 when another user of the environment has the address, with 400 for a malformed address, a
    /// weak password or more than 8 KB of metadata. After [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) the
    /// user may exist: look for the address before trying again.
    pub fn create(&self, user: &CreateUser) -> Call<M, User> {
        Call::json(&self.0, Request::new(&CREATE, &[]).json(user))
    }

    /// Changes the fields of a user that `patch` sets or clears, and no others.
    ///
    /// Refused as [`get`](Self::get) is, and with 400 for more than 8 KB of metadata after merging.
    pub fn update(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        patch: &UpdateUser,
    ) -> Call<M, User> {
        let request = request_for::<UserId>(&UPDATE, user_id);
        Call::json(&self.0, request.and_then(|request| request.json(patch)))
    }

    /// Merges into the metadata bags that `patch` names; a member that is `null` deletes that key.
    ///
    /// Refused as [`get`](Self::get) is, and with 400 for more than 8 KB in the three bags together after merging.
    pub fn update_metadata(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        patch: &UpdateUserMetadata,
    ) -> Call<M, User> {
        let request = request_for::<UserId>(&UPDATE_METADATA, user_id);
        Call::json(&self.0, request.and_then(|request| request.json(patch)))
    }

    /// Soft-deletes a user.
    ///
    /// Refused with 403 when the user is deleted already, and also when it is another environment's: the two cannot be
    /// told apart, so neither counts as success.
    pub fn delete(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Call<M, ()> {
        Call::nothing(&self.0, request_for::<UserId>(&DELETE, user_id))
    }

    /// Bans a user and revokes every session of theirs. Tokens already issued stay valid until they expire.
    ///
    /// Refused as [`get`](Self::get) is.
    pub fn ban(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Call<M, User> {
        Call::json(&self.0, request_for::<UserId>(&BAN, user_id))
    }

    /// Lifts a ban.
    ///
    /// Refused as [`get`](Self::get) is.
    pub fn unban(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Call<M, User> {
        Call::json(&self.0, request_for::<UserId>(&UNBAN, user_id))
    }
}

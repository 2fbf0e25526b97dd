//! End-users.

use http::Method;
use torii_backend_types::{CreateUser, InvalidId, Page, PageRequest, UpdateUser, User, UserFilter, UserId};

use crate::error::Error;
use crate::transport::{Operation, Request, Transport};

/// The operations on end-users. From [`Torii::users`](crate::Torii::users).
#[derive(Clone, Copy, Debug)]
pub struct Users<'t> {
    transport: &'t Transport,
}

const LIST: Operation = Operation {
    name: "users.list",
    method: Method::POST,
    template: "/users/search",
};
const GET: Operation = Operation {
    name: "users.get",
    method: Method::GET,
    template: "/users/{userId}",
};
const CREATE: Operation = Operation {
    name: "users.create",
    method: Method::POST,
    template: "/users",
};
const UPDATE: Operation = Operation {
    name: "users.update",
    method: Method::PATCH,
    template: "/users/{userId}",
};
const DELETE: Operation = Operation {
    name: "users.delete",
    method: Method::DELETE,
    template: "/users/{userId}",
};
const BAN: Operation = Operation {
    name: "users.ban",
    method: Method::POST,
    template: "/users/{userId}/ban",
};
const UNBAN: Operation = Operation {
    name: "users.unban",
    method: Method::POST,
    template: "/users/{userId}/unban",
};

impl<'t> Users<'t> {
    pub(crate) fn new(transport: &'t Transport) -> Self {
        Self { transport }
    }

    /// One page of the users that match `filter`, in a stable order. The default filter matches everybody.
    ///
    /// # Errors
    ///
    /// Refused with 400 when the filter has more than 100 ids or addresses.
    pub async fn list(&self, filter: &UserFilter, page: &PageRequest) -> Result<Page<User>, Error> {
        let limit = page.limit.map(|limit| limit.to_string());
        let cursor = page.cursor.as_ref().map(ToString::to_string);
        let request = Request::new(&LIST, &[])
            .query(&[("limit", limit), ("cursor", cursor)])
            .json(filter)?;
        self.transport.fetch(request).await
    }

    /// One user.
    ///
    /// # Errors
    ///
    /// Refused with 404 when there is no such user, with 403 when it is another environment's or deleted.
    pub async fn get(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Result<User, Error> {
        self.transport.fetch(Request::new(&GET, &[&id(user_id)?])).await
    }

    /// Creates a user.
    ///
    /// # Errors
    ///
    /// Refused with 409 when another user of the environment has the address, with 400 for a malformed address, a
    /// weak password or more than 8 KB of metadata. After [`Error::Transport`] the user may exist: look for the
    /// address before trying again.
    pub async fn create(&self, user: &CreateUser) -> Result<User, Error> {
        self.transport.fetch(Request::new(&CREATE, &[]).json(user)?).await
    }

    /// Changes the fields of a user that `patch` sets or clears, and no others.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and 400 for more than 8 KB of metadata after merging.
    pub async fn update(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        patch: &UpdateUser,
    ) -> Result<User, Error> {
        self.transport
            .fetch(Request::new(&UPDATE, &[&id(user_id)?]).json(patch)?)
            .await
    }

    /// Soft-deletes a user.
    ///
    /// # Errors
    ///
    /// Refused with 403 when the user is deleted already, and also when it is another environment's: the two cannot be
    /// told apart.
    pub async fn delete(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Result<(), Error> {
        self.transport.run(Request::new(&DELETE, &[&id(user_id)?])).await
    }

    /// Bans a user and revokes every session of theirs. Tokens already issued stay valid until they expire.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn ban(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Result<User, Error> {
        self.transport.fetch(Request::new(&BAN, &[&id(user_id)?])).await
    }

    /// Lifts a ban.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn unban(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Result<User, Error> {
        self.transport.fetch(Request::new(&UNBAN, &[&id(user_id)?])).await
    }
}

fn id(user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Result<UserId, InvalidId> {
    user_id.try_into().map_err(Into::into)
}

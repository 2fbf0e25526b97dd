//! End-users' sessions.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{InvalidId, Session, SessionId, UserId};

use super::{request_for, request_for_two};
use crate::operation::Operation;
use crate::transport::{Call, Mode, Transport};

/// The operations on end-users' sessions. From [`Torii::sessions`](crate::Torii::sessions).
#[derive(Clone, Debug)]
pub struct Sessions<M: Mode>(pub(crate) Arc<Transport<M>>);

static LIST_FOR_USER: Operation =
    Operation::read("sessions.list_for_user", Method::GET, "/users/{userId}/sessions");
static REVOKE: Operation = Operation::delete(
    "sessions.revoke",
    Method::DELETE,
    "/users/{userId}/sessions/{sessionId}",
);
static REVOKE_ALL_FOR_USER: Operation = Operation::idempotent(
    "sessions.revoke_all_for_user",
    Method::DELETE,
    "/users/{userId}/sessions",
);

impl<M: Mode> Sessions<M> {
    /// A user's active sessions, the one used last first.
    ///
    /// Refused with 403 when the user is another environment's.
    pub fn list_for_user(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
    ) -> Call<M, Vec<Session>> {
        Call::json(&self.0, request_for::<UserId>(&LIST_FOR_USER, user_id))
    }

    /// Ends one session. It is no error if the session has ended already.
    ///
    /// Refused with 403 when the user or the session is another environment's.
    pub fn revoke(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        session_id: impl TryInto<SessionId, Error: Into<InvalidId>>,
    ) -> Call<M, ()> {
        let request = request_for_two::<UserId, SessionId>(&REVOKE, user_id, session_id);
        Call::nothing(&self.0, request)
    }

    /// Ends every session of a user. Tokens already issued stay valid until they expire.
    ///
    /// Refused with 403 when the user is another environment's.
    pub fn revoke_all_for_user(&self, user_id: impl TryInto<UserId, Error: Into<InvalidId>>) -> Call<M, ()> {
        Call::nothing(&self.0, request_for::<UserId>(&REVOKE_ALL_FOR_USER, user_id))
    }
}

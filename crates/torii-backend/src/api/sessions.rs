//! End-users' sessions.

use http::Method;
use torii_backend_types::{InvalidId, Session, SessionId, UserId};

use crate::error::Error;
use crate::transport::{Operation, Request, Transport};

/// The operations on end-users' sessions. From [`Torii::sessions`](crate::Torii::sessions).
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'t> {
    transport: &'t Transport,
}

const LIST: Operation = Operation {
    name: "sessions.list_for_user",
    method: Method::GET,
    template: "/users/{userId}/sessions",
};
const REVOKE: Operation = Operation {
    name: "sessions.revoke",
    method: Method::DELETE,
    template: "/users/{userId}/sessions/{sessionId}",
};
const REVOKE_ALL: Operation = Operation {
    name: "sessions.revoke_all_for_user",
    method: Method::DELETE,
    template: "/users/{userId}/sessions",
};

impl<'t> Sessions<'t> {
    pub(crate) fn new(transport: &'t Transport) -> Self {
        Self { transport }
    }

    /// A user's active sessions, the one used last first.
    ///
    /// # Errors
    ///
    /// Refused with 403 when the user is another environment's.
    pub async fn list_for_user(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
    ) -> Result<Vec<Session>, Error> {
        let user_id = user_id.try_into().map_err(Into::into)?;
        self.transport.fetch(Request::new(&LIST, &[&user_id])).await
    }

    /// Ends one session. It is no error if the session has ended already.
    ///
    /// # Errors
    ///
    /// Refused with 403 when the user or the session is another environment's.
    pub async fn revoke(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        session_id: impl TryInto<SessionId, Error: Into<InvalidId>>,
    ) -> Result<(), Error> {
        let user_id = user_id.try_into().map_err(Into::into)?;
        let session_id = session_id.try_into().map_err(Into::into)?;
        self.transport
            .run(Request::new(&REVOKE, &[&user_id, &session_id]))
            .await
    }

    /// Ends every session of a user. Tokens already issued stay valid until they expire.
    ///
    /// # Errors
    ///
    /// Refused with 403 when the user is another environment's.
    pub async fn revoke_all_for_user(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
    ) -> Result<(), Error> {
        let user_id = user_id.try_into().map_err(Into::into)?;
        self.transport.run(Request::new(&REVOKE_ALL, &[&user_id])).await
    }
}

//! Acting in a user's place.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{CreateImpersonationToken, ImpersonationToken, InvalidId, UserId};

use super::request_for;
use crate::operation::Operation;
use crate::transport::{Call, Mode, Transport};

/// The operations that let one user act in another's place. From
/// [`Torii::impersonation`](crate::Torii::impersonation).
#[derive(Clone, Debug)]
pub struct Impersonation<M: Mode>(pub(crate) Arc<Transport<M>>);

static CREATE_TOKEN: Operation = Operation::effect(
    "impersonation.create_token",
    Method::POST,
    "/users/{userId}/impersonation-token",
);

impl<M: Mode> Impersonation<M> {
    /// Mints a token that opens one session as `user_id`, in the name of the actor. It counts against the plan's quota
    /// and goes into the audit log.
    ///
    /// Refused with 400 for a deleted user, a lifetime beyond 60–600 seconds or a redirect outside the allowed origins,
    /// with 402 when the plan or its quota does not allow it, with 403 when the user or the actor is another
    /// environment's or impersonation is off (`impersonation_disabled`). After
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) a token may have been minted and charged: it expires
    /// unused, and another can be minted if the quota allows it.
    pub fn create_token(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        token: &CreateImpersonationToken,
    ) -> Call<M, ImpersonationToken> {
        let request = request_for::<UserId>(&CREATE_TOKEN, user_id);
        Call::json(&self.0, request.and_then(|request| request.json(token)))
    }
}

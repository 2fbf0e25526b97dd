//! Invitations to sign up.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{
    CreateInvitation, InvalidId, Invitation, InvitationDetail, InvitationFilter, InvitationId, UpdateMetadata,
};

use super::{List, request_for};
use crate::operation::Operation;
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on invitations. From [`Torii::invitations`](crate::Torii::invitations).
///
/// The API description leaves open how [`list`](Self::list), [`get`](Self::get), [`resend`](Self::resend) and
/// [`revoke`](Self::revoke) refuse. Expect what it says of [`update_metadata`](Self::update_metadata): 404 when there
/// is no such invitation in the key's environment, 409 with the code `invitation_not_pending` when it is no longer
/// pending.
#[derive(Clone, Debug)]
pub struct Invitations<M: Mode>(pub(crate) Arc<Transport<M>>);

static LIST: Operation = Operation::read("invitations.list", Method::GET, "/invitations");
static CREATE: Operation = Operation::effect("invitations.create", Method::POST, "/invitations");
static GET: Operation = Operation::read("invitations.get", Method::GET, "/invitations/{invitationId}");
static RESEND: Operation = Operation::effect(
    "invitations.resend",
    Method::POST,
    "/invitations/{invitationId}/resend",
);
static REVOKE: Operation = Operation::delete(
    "invitations.revoke",
    Method::DELETE,
    "/invitations/{invitationId}",
);
static UPDATE_METADATA: Operation = Operation::idempotent(
    "invitations.update_metadata",
    Method::PATCH,
    "/invitations/{invitationId}",
);

impl<M: Mode> Invitations<M> {
    /// The invitations that match `filter`, without their metadata. The default filter matches all.
    pub fn list(&self, filter: &InvitationFilter) -> List<M, Invitation> {
        let InvitationFilter { statuses, search } = filter;
        let request = Request::new(&LIST, &[])
            .query("status", statuses)
            .query("search", search);
        List::new(&self.0, Ok(request))
    }

    /// Creates an invitation and sends it by mail. The user who accepts it starts with its metadata.
    ///
    /// Refused with 409 when the address has an account, with 400 for a malformed address, more than 8 KB of metadata or
    /// an environment without a sign-up URL, with 429 when the environment has sent too many. After
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) the mail may be on its way: [`list`](Self::list) the
    /// address before trying again.
    pub fn create(&self, invitation: &CreateInvitation) -> Call<M, Invitation> {
        Call::json(&self.0, Request::new(&CREATE, &[]).json(invitation))
    }

    /// One invitation, with its metadata.
    pub fn get(
        &self,
        invitation_id: impl TryInto<InvitationId, Error: Into<InvalidId>>,
    ) -> Call<M, InvitationDetail> {
        Call::json(&self.0, request_for::<InvitationId>(&GET, invitation_id))
    }

    /// Sends a pending invitation again, with a new link.
    ///
    /// After [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) the mail may be on its way, and nothing that can be
    /// read tells: calling again may send a second one.
    pub fn resend(
        &self,
        invitation_id: impl TryInto<InvitationId, Error: Into<InvalidId>>,
    ) -> Call<M, Invitation> {
        Call::json(&self.0, request_for::<InvitationId>(&RESEND, invitation_id))
    }

    /// Revokes a pending invitation: its link no longer works.
    ///
    /// After [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown), [`get`](Self::get) the invitation: its status
    /// tells.
    pub fn revoke(&self, invitation_id: impl TryInto<InvitationId, Error: Into<InvalidId>>) -> Call<M, ()> {
        Call::nothing(&self.0, request_for::<InvitationId>(&REVOKE, invitation_id))
    }

    /// Merges into the metadata bags of a pending invitation that `patch` names; a member that is `null` deletes that
    /// key.
    ///
    /// Refused with 404 when there is no such invitation in the key's environment, with 400 when `patch` names no bag or
    /// the bags have more than 8 KB after merging. Refused with 409 and the code `invitation_not_pending` when the
    /// invitation was accepted, was revoked or has expired (the problem's `invitationStatus` says which), and with the
    /// code `invitation_patch_conflict` for a fault of the service, which trying again does not help.
    pub fn update_metadata(
        &self,
        invitation_id: impl TryInto<InvitationId, Error: Into<InvalidId>>,
        patch: &UpdateMetadata,
    ) -> Call<M, InvitationDetail> {
        let request = request_for::<InvitationId>(&UPDATE_METADATA, invitation_id);
        Call::json(&self.0, request.and_then(|request| request.json(patch)))
    }
}

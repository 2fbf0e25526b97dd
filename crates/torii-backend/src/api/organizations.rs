//! Organizations and who belongs to them.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{
    InvalidId, Member, Membership, Organization, OrganizationFilter, OrganizationId, UpdateMetadata, UserId,
};

use super::{List, request_for, request_for_two};
use crate::operation::Operation;
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on organizations. From [`Torii::organizations`](crate::Torii::organizations).
#[derive(Clone, Debug)]
pub struct Organizations<M: Mode>(pub(crate) Arc<Transport<M>>);

static LIST: Operation = Operation::read("organizations.list", Method::GET, "/organizations");
static GET: Operation = Operation::read(
    "organizations.get",
    Method::GET,
    "/organizations/{organizationId}",
);
static UPDATE_METADATA: Operation = Operation::idempotent(
    "organizations.update_metadata",
    Method::PATCH,
    "/organizations/{organizationId}/metadata",
);
static LIST_MEMBERS: Operation = Operation::read(
    "organizations.list_members",
    Method::GET,
    "/organizations/{organizationId}/members",
);
static UPDATE_MEMBER_METADATA: Operation = Operation::idempotent(
    "organizations.update_member_metadata",
    Method::PATCH,
    "/organizations/{organizationId}/members/{memberUserId}/metadata",
);
static LIST_FOR_USER: Operation = Operation::read(
    "organizations.list_for_user",
    Method::GET,
    "/users/{userId}/organizations",
);

impl<M: Mode> Organizations<M> {
    /// The organizations that match `filter`, in a stable order. The default filter matches all.
    pub fn list(&self, filter: &OrganizationFilter) -> List<M, Organization> {
        let OrganizationFilter { name } = filter;
        let request = Request::new(&LIST, &[]).query("name", name);
        List::new(&self.0, Ok(request))
    }

    /// One organization.
    ///
    /// Refused with 404 when there is no such organization in the key's environment.
    pub fn get(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
    ) -> Call<M, Organization> {
        Call::json(&self.0, request_for::<OrganizationId>(&GET, organization_id))
    }

    /// Merges into the metadata bags that `patch` names; a member that is `null` deletes that key.
    ///
    /// Refused as [`get`](Self::get) is, and with 400 when `patch` names no bag or a bag has more than 8 KB after
    /// merging.
    pub fn update_metadata(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
        patch: &UpdateMetadata,
    ) -> Call<M, Organization> {
        let request = request_for::<OrganizationId>(&UPDATE_METADATA, organization_id);
        Call::json(&self.0, request.and_then(|request| request.json(patch)))
    }

    /// An organization's members, in the order of their user ids and not of their joining.
    ///
    /// Refused as [`get`](Self::get) is.
    pub fn list_members(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
    ) -> List<M, Member> {
        List::new(
            &self.0,
            request_for::<OrganizationId>(&LIST_MEMBERS, organization_id),
        )
    }

    /// Merges into the metadata bags of one membership; a member that is `null` deletes that key. The bags are the
    /// membership's own, apart from the organization's and the user's.
    ///
    /// Refused with 404 also when the user is no member, and otherwise as [`update_metadata`](Self::update_metadata)
    /// is.
    pub fn update_member_metadata(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
        patch: &UpdateMetadata,
    ) -> Call<M, Member> {
        let request =
            request_for_two::<OrganizationId, UserId>(&UPDATE_MEMBER_METADATA, organization_id, user_id);
        Call::json(&self.0, request.and_then(|request| request.json(patch)))
    }

    /// The organizations that a user is a member of, with the user's role in each.
    ///
    /// Refused with 403 when the user is another environment's, and also when there is no such user: the two cannot be
    /// told apart.
    pub fn list_for_user(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
    ) -> List<M, Membership> {
        List::new(&self.0, request_for::<UserId>(&LIST_FOR_USER, user_id))
    }
}

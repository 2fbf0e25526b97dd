//! Organizations and who belongs to them.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{
    InvalidId, Member, Membership, Organization, OrganizationFilter, OrganizationId, UpdateMetadata, UserId,
};

use super::{List, request_for, request_for_two};
use crate::operation::{Operation, RetryClass};
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on organizations. From [`Torii::organizations`](crate::Torii::organizations).
#[derive(Clone, Debug)]
pub struct Organizations<M: Mode> {
    transport: Arc<Transport<M>>,
}

static LIST: Operation = Operation {
    name: "organizations.list",
    method: Method::GET,
    template: "/organizations",
    retry: RetryClass::Read,
};
static GET: Operation = Operation {
    name: "organizations.get",
    method: Method::GET,
    template: "/organizations/{organizationId}",
    retry: RetryClass::Read,
};
static UPDATE_METADATA: Operation = Operation {
    name: "organizations.update_metadata",
    method: Method::PATCH,
    template: "/organizations/{organizationId}/metadata",
    retry: RetryClass::Idempotent,
};
static LIST_MEMBERS: Operation = Operation {
    name: "organizations.list_members",
    method: Method::GET,
    template: "/organizations/{organizationId}/members",
    retry: RetryClass::Read,
};
static UPDATE_MEMBER_METADATA: Operation = Operation {
    name: "organizations.update_member_metadata",
    method: Method::PATCH,
    template: "/organizations/{organizationId}/members/{memberUserId}/metadata",
    retry: RetryClass::Idempotent,
};
static LIST_FOR_USER: Operation = Operation {
    name: "organizations.list_for_user",
    method: Method::GET,
    template: "/users/{userId}/organizations",
    retry: RetryClass::Read,
};

impl<M: Mode> Organizations<M> {
    pub(crate) fn new(transport: &Arc<Transport<M>>) -> Self {
        Self {
            transport: transport.clone(),
        }
    }

    /// The organizations that match `filter`, in a stable order. The default filter matches all.
    pub fn list(&self, filter: &OrganizationFilter) -> List<M, Organization> {
        let OrganizationFilter { name } = filter;
        let request = Request::new(&LIST, &[]);
        let request = name
            .iter()
            .fold(request, |request, name| request.query("name", name));
        List::new(&self.transport, Ok(request))
    }

    /// One organization.
    ///
    /// Refused with 404 when there is no such organization in the key's environment.
    pub fn get(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
    ) -> Call<M, Organization> {
        Call::json(
            &self.transport,
            request_for::<OrganizationId>(&GET, organization_id),
        )
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
        Call::json(&self.transport, request.and_then(|request| request.json(patch)))
    }

    /// An organization's members, in the order of their user ids and not of their joining.
    ///
    /// Refused as [`get`](Self::get) is.
    pub fn list_members(
        &self,
        organization_id: impl TryInto<OrganizationId, Error: Into<InvalidId>>,
    ) -> List<M, Member> {
        List::new(
            &self.transport,
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
        Call::json(&self.transport, request.and_then(|request| request.json(patch)))
    }

    /// The organizations that a user is a member of, with the user's role in each.
    ///
    /// Refused with 403 when the user is another environment's, and also when there is no such user: the two cannot be
    /// told apart.
    pub fn list_for_user(
        &self,
        user_id: impl TryInto<UserId, Error: Into<InvalidId>>,
    ) -> List<M, Membership> {
        List::new(&self.transport, request_for::<UserId>(&LIST_FOR_USER, user_id))
    }
}

//! Who belongs to an organization, from both sides.

use serde::Deserialize;
use torii_backend_types::{
    EnvironmentId, Member, Membership, Metadata, OrganizationId, Page, UpdateMetadata, UserId, UserStatus,
};

use super::Domain;
use super::metadata::{check_budget, check_names_a_bag, merge_both};
use super::organizations::own_organization;
use super::profile::{MAX_NAME_CHARS, check_length, check_required};
use super::users::own_user_undisclosed;
use crate::error::Error;
use crate::page::Paging;

/// The membership that [`Control::add_member`](crate::Control::add_member) creates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewMember {
    /// Who joins: a user of the organization's environment.
    pub user_id: UserId,
    /// The role's key, 1 to 200 characters.
    pub role: String,
    /// The role's display name.
    #[serde(default)]
    pub role_name: Option<String>,
}

impl NewMember {
    /// A membership with a role that has no display name.
    pub fn new(user_id: UserId, role: impl Into<String>) -> Self {
        Self {
            user_id,
            role: role.into(),
            role_name: None,
        }
    }
}

impl Domain {
    pub(crate) async fn add_member(
        &self,
        organization: OrganizationId,
        request: NewMember,
    ) -> Result<Member, Error> {
        let NewMember {
            user_id,
            role,
            role_name,
        } = request;
        check_required("role", &role, MAX_NAME_CHARS)?;
        check_length(
            "roleName",
            role_name.as_deref().unwrap_or_default(),
            MAX_NAME_CHARS,
        )?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let Some(record) = tx.organization(organization)? else {
                    return Err(Error::not_found("no organization has this id"));
                };
                let environment = record.environment_id;
                match tx.user(user_id)? {
                    Some(record)
                        if record.user.environment_id == environment
                            && record.user.status != UserStatus::Deleted => {}
                    _ => {
                        return Err(Error::not_found(
                            "the organization's environment has no user with this id",
                        ));
                    }
                }
                let member = Member {
                    organization_id: organization,
                    user_id,
                    role,
                    role_name,
                    public_metadata: Metadata::new(),
                    private_metadata: Metadata::new(),
                    joined_at: clock.now(),
                    extra: Metadata::new(),
                };
                if !tx.insert_member(&member)? {
                    return Err(Error::conflict(
                        "already_member",
                        "the user is a member of the organization already",
                    ));
                }
                Ok(member)
            })
            .await
    }

    /// In the order of user ids.
    pub(crate) async fn members(
        &self,
        environment: EnvironmentId,
        organization: OrganizationId,
        paging: Paging<UserId>,
    ) -> Result<Page<Member>, Error> {
        self.store
            .read(move |tx| {
                own_organization(tx, environment, organization)?;
                let found = tx.members(organization, &paging)?;
                Ok(paging.page(found, |member| member.user_id))
            })
            .await
    }

    pub(crate) async fn update_member_metadata(
        &self,
        environment: EnvironmentId,
        organization: OrganizationId,
        user: UserId,
        patch: UpdateMetadata,
    ) -> Result<Member, Error> {
        check_names_a_bag(&patch)?;
        self.store
            .write(move |tx| {
                own_organization(tx, environment, organization)?;
                let mut member = tx
                    .member(organization, user)?
                    .ok_or_else(|| Error::not_found("the organization has no member with this user id"))?;
                merge_both(&mut member.public_metadata, &mut member.private_metadata, patch);
                check_budget(&[&member.public_metadata])?;
                check_budget(&[&member.private_metadata])?;
                tx.set_member_metadata(&member)?;
                Ok(member)
            })
            .await
    }

    /// In the order of organization ids.
    pub(crate) async fn memberships(
        &self,
        environment: EnvironmentId,
        user: UserId,
        paging: Paging<OrganizationId>,
    ) -> Result<Page<Membership>, Error> {
        self.store
            .read(move |tx| {
                own_user_undisclosed(tx, environment, user)?;
                let found = tx.memberships(user, &paging)?;
                Ok(paging.page(found, |membership| membership.organization_id))
            })
            .await
    }
}

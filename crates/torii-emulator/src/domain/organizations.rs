//! Organizations and who belongs to them.

use serde::{Deserialize, Serialize};
use torii_backend_types::{EnvironmentId, Metadata, OrganizationId, Timestamp, UserId, UserStatus};
use uuid::Uuid;

use super::Domain;
use super::profile::{MAX_NAME_CHARS, check_length};
use crate::error::Error;

/// An organization, in the shape of the backend API's replies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Identifies the organization.
    pub id: OrganizationId,
    /// The display name.
    pub name: String,
    /// The name in addresses; unique in the environment.
    pub slug: Option<String>,
    /// The bound role set. The emulator has none.
    pub role_set_id: Option<Uuid>,
    /// Readable by every member.
    pub public_metadata: Metadata,
    /// For servers only.
    pub private_metadata: Metadata,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A membership, in the shape of the backend API's replies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its member.
    pub user_id: UserId,
    /// The role's key, such as `org:administrator`. Tokens carry it as `org_role`.
    pub role: String,
    /// The role's display name.
    pub role_name: Option<String>,
    /// Bags of the membership itself.
    pub public_metadata: Metadata,
    /// Bags of the membership itself.
    pub private_metadata: Metadata,
    /// When the user joined.
    pub joined_at: Timestamp,
}

/// The organization that [`Control::create_organization`](crate::Control::create_organization) creates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrganization {
    /// The display name, 1 to 200 characters.
    pub name: String,
    /// The name in addresses; a second organization with it is refused.
    #[serde(default)]
    pub slug: Option<String>,
    /// Where it belongs. By default the environment of the first secret key.
    #[serde(default)]
    pub environment_id: Option<EnvironmentId>,
}

impl NewOrganization {
    /// An organization of the main environment, without a slug.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            slug: None,
            environment_id: None,
        }
    }
}

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
    pub(crate) async fn create_organization(&self, request: NewOrganization) -> Result<Organization, Error> {
        let NewOrganization {
            name,
            slug,
            environment_id,
        } = request;
        check_required("name", &name)?;
        if let Some(slug) = &slug {
            check_required("slug", slug)?;
        }
        let environment = match environment_id {
            Some(id) if self.environments.contains(&id) => id,
            Some(_) => return Err(Error::not_found("no environment has this id")),
            None => self.environment(0)?,
        };
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let organization = Organization {
                    id: OrganizationId::from(Uuid::now_v7()),
                    name,
                    slug,
                    role_set_id: None,
                    public_metadata: Metadata::new(),
                    private_metadata: Metadata::new(),
                    created_at: clock.now(),
                };
                if !tx.insert_organization(environment, &organization)? {
                    return Err(Error::conflict(
                        "slug_already_exists",
                        "another organization of the environment has this slug",
                    ));
                }
                Ok(organization)
            })
            .await
    }

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
        check_required("role", &role)?;
        check_length(
            "roleName",
            role_name.as_deref().unwrap_or_default(),
            MAX_NAME_CHARS,
        )?;
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let Some(environment) = tx.organization_environment(organization)? else {
                    return Err(Error::not_found("no organization has this id"));
                };
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
}

fn check_required(field: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid(format!("{field} must not be blank")));
    }
    check_length(field, text, MAX_NAME_CHARS)
}

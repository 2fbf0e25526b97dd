//! Organizations: created through the control plane, read and annotated through the backend API.

use serde::Deserialize;
use torii_backend_types::{EnvironmentId, Metadata, Organization, OrganizationId, Page, UpdateMetadata};
use uuid::Uuid;

use super::Domain;
use super::metadata::{check_budget, check_names_a_bag, merge_both};
use super::profile::{MAX_NAME_CHARS, check_required};
use crate::error::Error;
use crate::page::Paging;
use crate::records::{OrganizationQuery, OrganizationRecord, fold};
use crate::store::Tx;

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

impl Domain {
    pub(crate) async fn create_organization(&self, request: NewOrganization) -> Result<Organization, Error> {
        let NewOrganization {
            name,
            slug,
            environment_id,
        } = request;
        check_required("name", &name, MAX_NAME_CHARS)?;
        if let Some(slug) = &slug {
            check_required("slug", slug, MAX_NAME_CHARS)?;
        }
        let environment_id = match environment_id {
            Some(id) if self.environments.contains(&id) => id,
            Some(_) => return Err(Error::not_found("no environment has this id")),
            None => self.environment(0)?,
        };
        let clock = self.clock.clone();
        self.store
            .write(move |tx| {
                let record = OrganizationRecord {
                    environment_id,
                    organization: Organization {
                        id: OrganizationId::from(Uuid::now_v7()),
                        name,
                        slug,
                        role_set_id: None,
                        public_metadata: Metadata::new(),
                        private_metadata: Metadata::new(),
                        created_at: clock.now(),
                        extra: Metadata::new(),
                    },
                };
                if !tx.insert_organization(&record)? {
                    return Err(Error::conflict(
                        "slug_already_exists",
                        "another organization of the environment has this slug",
                    ));
                }
                Ok(record.organization)
            })
            .await
    }

    /// Organizations whose name contains `name`, in any case.
    pub(crate) async fn organizations(
        &self,
        environment: EnvironmentId,
        name: Option<String>,
        paging: Paging<OrganizationId>,
    ) -> Result<Page<Organization>, Error> {
        let query = OrganizationQuery {
            paging,
            name: name.as_deref().map(fold),
        };
        self.store
            .read(move |tx| {
                let found = tx.organizations(environment, &query)?;
                Ok(query.paging.page(found, |organization| organization.id))
            })
            .await
    }

    pub(crate) async fn organization(
        &self,
        environment: EnvironmentId,
        id: OrganizationId,
    ) -> Result<Organization, Error> {
        self.store
            .read(move |tx| own_organization(tx, environment, id))
            .await
    }

    pub(crate) async fn update_organization_metadata(
        &self,
        environment: EnvironmentId,
        id: OrganizationId,
        patch: UpdateMetadata,
    ) -> Result<Organization, Error> {
        check_names_a_bag(&patch)?;
        self.store
            .write(move |tx| {
                let mut organization = own_organization(tx, environment, id)?;
                let Organization {
                    public_metadata: public,
                    private_metadata: private,
                    ..
                } = &mut organization;
                merge_both(public, private, patch);
                check_budget(&[public])?;
                check_budget(&[private])?;
                tx.set_organization_metadata(id, public, private)?;
                Ok(organization)
            })
            .await
    }
}

/// The organization, if it is one of this environment: a foreign one is as good as none.
pub(super) fn own_organization(
    tx: &Tx<'_>,
    environment: EnvironmentId,
    id: OrganizationId,
) -> Result<Organization, Error> {
    tx.organization(id)?
        .filter(|record| record.environment_id == environment)
        .map(|record| record.organization)
        .ok_or_else(|| Error::not_found("the environment has no organization with this id"))
}

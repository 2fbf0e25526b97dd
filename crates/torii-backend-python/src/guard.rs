//! Guards, as Python calls them: the native half of `torii_backend.Require`.

use std::borrow::Cow;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Deserialize;
use serde_json::Value;
use torii_backend::{Denied, GuardContext, Org, Requirement};

use crate::auth::claims_of;
use crate::errors::{denied_error, setting_error};

/// The guards that the core has. Python adds its own: predicates, and alternatives that may hold predicates.
#[pyclass(frozen, name = "Requirement", module = "torii_backend._native")]
pub(crate) struct NativeRequirement(Requirement);

/// A guard as `torii_backend.Require` writes it: `{"role": "org:administrator"}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Guard {
    VerifiedEmail,
    CompleteProfile,
    NoImpersonation,
    AnyOrganization,
    Organization(String),
    OrganizationFromPath(String),
    Role(String),
    Claim(String, Vec<Value>),
    MaxAge(u64),
}

#[pymethods]
impl NativeRequirement {
    /// `guards` is a JSON array.
    #[new]
    fn new(py: Python<'_>, guards: &str) -> PyResult<Self> {
        let guards: Vec<Guard> =
            serde_json::from_str(guards).map_err(|problem| setting_error(py, "require", problem))?;
        Ok(Self(guards.into_iter().fold(Requirement::new(), with)))
    }

    /// Raise `ToriiDeniedError` unless every guard agrees. `now` is in Unix seconds; `path` maps the names of path parameters
    /// to their values.
    fn check(&self, auth: &Bound<'_, PyAny>, path: Option<&Bound<'_, PyDict>>, now: u64) -> PyResult<()> {
        let py = auth.py();
        let parameter = |name: &str| {
            let value = path?.get_item(name).ok().flatten()?;
            // A framework may have made a UUID or a number of it.
            Some(Cow::Owned(value.str().ok()?.to_string()))
        };
        let context = GuardContext::new(now, &parameter);
        let checked = self.0.check_in(&claims_of(auth)?, &context);
        checked.map_err(|denied| match denied {
            Denied::Guard(name) => denied_error(py, &name),
            Denied::NoPathParameter(name) => {
                let problem = format_args!("the route has no path parameter {name:?}");
                setting_error(py, "require", problem)
            }
            error => setting_error(py, "require", error),
        })
    }
}

fn with(requirement: Requirement, guard: Guard) -> Requirement {
    match guard {
        Guard::VerifiedEmail => requirement.verified_email(),
        Guard::CompleteProfile => requirement.complete_profile(),
        Guard::NoImpersonation => requirement.no_impersonation(),
        Guard::AnyOrganization => requirement.organization(Org::Any),
        Guard::Organization(id) => requirement.organization(Org::Id(id)),
        Guard::OrganizationFromPath(name) => requirement.organization(Org::FromPath(name)),
        Guard::Role(role) => requirement.role(role),
        Guard::Claim(name, values) => requirement.claim(name, values),
        Guard::MaxAge(seconds) => requirement.max_age(Duration::from_secs(seconds)),
    }
}

//! Guards: what a verified caller must be for a request to be let in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::verify::{Auth, Verifier};

/// What a verified caller must be for a request to be let in: a list of guards, all of which must agree.
///
/// It is a value without I/O. The web adapters check it after the token, and answer 403 with the name of the guard that
/// did not agree. A new one has no guards and lets every verified caller in.
///
/// ```
/// use torii_backend::{Org, Requirement};
///
/// let requirement = Requirement::new()
///     .organization(Org::FromPath("org_id".into()))
///     .role("org:administrator")
///     .no_impersonation();
/// # let _ = requirement;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    guards: Vec<Guard>,
}

/// Which organization the session must have switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Org {
    /// Any one.
    Any,
    /// The one with this id.
    Id(String),
    /// The one whose id is the request's path parameter of this name, such as `org_id` in `/orgs/{org_id}`. A route without
    /// that parameter is answered with 500.
    FromPath(String),
}

/// What a requirement is checked against, beside the caller.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct GuardContext<'c> {
    /// The present time, in Unix seconds.
    pub now: u64,
    path_parameter: &'c dyn Fn(&str) -> Option<Cow<'c, str>>,
}

impl<'c> GuardContext<'c> {
    /// The context of a request at this time, in Unix seconds. `path_parameter` returns the decoded path parameter of a name,
    /// and `None` if the route has none.
    pub fn new(now: u64, path_parameter: &'c dyn Fn(&str) -> Option<Cow<'c, str>>) -> Self {
        Self { now, path_parameter }
    }
}

impl fmt::Debug for GuardContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardContext")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Why a verified caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The guard of this name does not agree: 403.
    #[error("permission_denied: the caller does not satisfy the guard `{0}`")]
    Guard(Cow<'static, str>),
    /// A guard compares the organization with a path parameter that the route does not have: 500.
    #[error("config_error: a guard needs the path parameter `{0}`, which the route does not have")]
    NoPathParameter(String),
}

#[derive(Clone)]
enum Guard {
    VerifiedEmail,
    CompleteProfile,
    Organization(Org),
    Role(String),
    Claim {
        name: String,
        values: Vec<Value>,
    },
    NoImpersonation,
    MaxAge(Duration),
    AnyOf(Vec<Requirement>),
    Predicate {
        name: Cow<'static, str>,
        agrees: Arc<Predicate>,
    },
}

type Predicate = dyn Fn(&Auth) -> bool + Send + Sync;

impl Requirement {
    /// A requirement without guards.
    pub fn new() -> Self {
        Self::default()
    }

    /// Guard `verified_email`: an address of the user has been verified.
    pub fn verified_email(self) -> Self {
        self.with(Guard::VerifiedEmail)
    }

    /// Guard `complete_profile`: the required profile fields are filled.
    pub fn complete_profile(self) -> Self {
        self.with(Guard::CompleteProfile)
    }

    /// Guard `organization`: the session has switched to this organization.
    pub fn organization(self, organization: Org) -> Self {
        self.with(Guard::Organization(organization))
    }

    /// Guard `role`: the user has this role, such as `org:administrator`, in the organization that the session has switched
    /// to.
    pub fn role(self, role: impl Into<String>) -> Self {
        self.with(Guard::Role(role.into()))
    }

    /// Guard `claim`: the claim is one of these values or, if it is an array, holds one of them. Values are compared as
    /// JSON: the text `"1"` is not the number `1`.
    pub fn claim(self, name: impl Into<String>, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.with(Guard::Claim {
            name: name.into(),
            values,
        })
    }

    /// Guard `no_impersonation`: nobody acts in the user's place.
    pub fn no_impersonation(self) -> Self {
        self.with(Guard::NoImpersonation)
    }

    /// Guard `max_age`: the token was issued (`iat`) at most this long ago, in whole seconds.
    pub fn max_age(self, age: Duration) -> Self {
        self.with(Guard::MaxAge(age))
    }

    /// Guard `any_of`: at least one of these requirements is satisfied. An empty list lets nobody in.
    pub fn any_of(self, alternatives: impl IntoIterator<Item = Requirement>) -> Self {
        self.with(Guard::AnyOf(alternatives.into_iter().collect()))
    }

    /// A guard of your own, under a name that the client is told.
    pub fn predicate(
        self,
        name: impl Into<Cow<'static, str>>,
        agrees: impl Fn(&Auth) -> bool + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        self.with(Guard::Predicate {
            name,
            agrees: Arc::new(agrees),
        })
    }

    fn with(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// Whether it depends on the time.
    pub fn has_max_age(&self) -> bool {
        self.guards.iter().any(|guard| match guard {
            Guard::MaxAge(_) => true,
            Guard::AnyOf(alternatives) => alternatives.iter().any(Self::has_max_age),
            _ => false,
        })
    }

    /// Checks a caller now, for a request without path parameters.
    ///
    /// # Errors
    ///
    /// As [`check_in`](Self::check_in).
    pub fn check(&self, auth: &Auth) -> Result<(), Denied> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.check_in(auth, &GuardContext::new(now.as_secs(), &|_| None))
    }

    /// Checks a caller of a request.
    ///
    /// # Errors
    ///
    /// [`Denied`] for the first guard that does not agree.
    pub fn check_in(&self, auth: &Auth, context: &GuardContext<'_>) -> Result<(), Denied> {
        self.guards
            .iter()
            .try_for_each(|guard| guard.check(auth, context))
    }
}

impl Verifier {
    /// Checks whether `requirement` lets a caller in that this verifier has verified, at the time of the verifier's clock.
    /// `path_parameter` returns the decoded path parameter of a name, and `None` if the route has none.
    ///
    /// # Errors
    ///
    /// [`Denied`] for the first guard that does not agree.
    pub fn authorize<'c>(
        &self,
        auth: &Auth,
        requirement: &Requirement,
        path_parameter: &'c dyn Fn(&str) -> Option<Cow<'c, str>>,
    ) -> Result<(), Denied> {
        requirement.check_in(auth, &GuardContext::new(self.now(), path_parameter))
    }
}

impl Auth {
    /// [`claims`](Self::claims) for web adapters: claims that do not have the shape of `T` are what the guard `claims` refuses.
    ///
    /// # Errors
    ///
    /// [`Denied::Guard`], which does not say what is wrong: it would repeat what the token says.
    pub fn claims_or_denied<T: DeserializeOwned>(&self) -> Result<T, Denied> {
        self.claims().map_err(|_| Denied::Guard("claims".into()))
    }
}

impl Guard {
    fn check(&self, auth: &Auth, context: &GuardContext<'_>) -> Result<(), Denied> {
        let agrees = match self {
            Self::VerifiedEmail => auth.email_verified(),
            Self::CompleteProfile => auth.profile_complete(),
            Self::Organization(organization) => is_in(auth, organization, context)?,
            Self::Role(role) => auth.has_role(role),
            Self::Claim { name, values } => has_claim(auth, name, values),
            Self::NoImpersonation => !auth.impersonating(),
            // A time of issue in the future, which the leeway allows, is no age.
            Self::MaxAge(age) => context.now.saturating_sub(auth.issued_at()) <= age.as_secs(),
            Self::AnyOf(alternatives) => any_is_satisfied(alternatives, auth, context)?,
            Self::Predicate { agrees, .. } => agrees(auth),
        };
        if agrees {
            Ok(())
        } else {
            Err(Denied::Guard(self.name()))
        }
    }

    fn name(&self) -> Cow<'static, str> {
        match self {
            Self::VerifiedEmail => "verified_email".into(),
            Self::CompleteProfile => "complete_profile".into(),
            Self::Organization(_) => "organization".into(),
            Self::Role(_) => "role".into(),
            Self::Claim { .. } => "claim".into(),
            Self::NoImpersonation => "no_impersonation".into(),
            Self::MaxAge(_) => "max_age".into(),
            Self::AnyOf(_) => "any_of".into(),
            Self::Predicate { name, .. } => name.clone(),
        }
    }
}

fn is_in(auth: &Auth, wanted: &Org, context: &GuardContext<'_>) -> Result<bool, Denied> {
    let wanted = match wanted {
        Org::Any => None,
        Org::Id(id) => Some(Cow::Borrowed(id.as_str())),
        Org::FromPath(name) => {
            let value = (context.path_parameter)(name);
            Some(value.ok_or_else(|| Denied::NoPathParameter(name.clone()))?)
        }
    };
    Ok(auth
        .organization()
        .is_some_and(|active| !active.id.is_empty() && wanted.is_none_or(|wanted| wanted == active.id)))
}

fn has_claim(auth: &Auth, name: &str, values: &[Value]) -> bool {
    match auth.raw().get(name) {
        Some(Value::Array(held)) => held.iter().any(|held| values.contains(held)),
        Some(claim) => values.contains(claim),
        None => false,
    }
}

/// A mistake in one alternative must not stay unseen because nobody satisfies another one.
fn any_is_satisfied(
    alternatives: &[Requirement],
    auth: &Auth,
    context: &GuardContext<'_>,
) -> Result<bool, Denied> {
    let mut mistake = None;
    for alternative in alternatives {
        match alternative.check_in(auth, context) {
            Ok(()) => return Ok(true),
            Err(Denied::Guard(_)) => {}
            Err(error) => mistake = Some(error),
        }
    }
    mistake.map_or(Ok(false), Err)
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(organization) => write!(f, "{organization:?}"),
            Self::Role(role) => write!(f, "role({role:?})"),
            Self::Claim { name, values } => write!(f, "claim({name:?}, {values:?})"),
            Self::MaxAge(age) => write!(f, "max_age({age:?})"),
            Self::AnyOf(alternatives) => write!(f, "any_of({alternatives:?})"),
            guard => f.write_str(&guard.name()),
        }
    }
}

//! The caller of a call.

use serde::de::DeserializeOwned;
use tonic::{Request, Status};
use torii_backend::{AccessError, Auth, Requirement, VerifyError};
use torii_backend_tower::Admission;

use crate::status::status;

/// Who is calling, as the innermost [`AuthLayer`](crate::AuthLayer) found out.
///
/// Without a layer in front of the service, every method returns `INTERNAL`, and an error goes to the log.
pub trait AuthExt: sealed::Sealed {
    /// The caller.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED` for a call without credentials that an [optional](crate::AuthLayer::optional) layer let through.
    fn auth(&self) -> Result<Auth, Status>;

    /// The caller; `None` for a call without credentials that an [optional](crate::AuthLayer::optional) layer let through.
    ///
    /// # Errors
    ///
    /// `INTERNAL` without a layer.
    fn optional_auth(&self) -> Result<Option<Auth>, Status>;

    /// The caller, if the requirement lets them in: for one method of a service. The age of a token (`max_age`) is that by
    /// the system's clock.
    ///
    /// # Errors
    ///
    /// As [`auth`](Self::auth), and `PERMISSION_DENIED` with the guard's name.
    fn require(&self, requirement: &Requirement) -> Result<Auth, Status>;

    /// The claims as a type of your own.
    ///
    /// # Errors
    ///
    /// As [`auth`](Self::auth), and `PERMISSION_DENIED` with the guard `claims` for claims that do not have the shape of `C`.
    fn claims<C: DeserializeOwned>(&self) -> Result<C, Status>;
}

impl<T> AuthExt for Request<T> {
    fn auth(&self) -> Result<Auth, Status> {
        outcome(self)?.map_err(|error| status(&error.into()))
    }

    fn optional_auth(&self) -> Result<Option<Auth>, Status> {
        // The layer lets nothing through without a caller but a call without credentials.
        outcome(self).map(Result::ok)
    }

    fn require(&self, requirement: &Requirement) -> Result<Auth, Status> {
        let auth = self.auth()?;
        match requirement.check(&auth) {
            Ok(()) => Ok(auth),
            Err(denied) => Err(status(&denied.into())),
        }
    }

    fn claims<C: DeserializeOwned>(&self) -> Result<C, Status> {
        let claims = self.auth()?.claims_or_denied();
        claims.map_err(|denied| status(&denied.into()))
    }
}

/// What the layer found.
fn outcome<T>(request: &Request<T>) -> Result<Result<Auth, VerifyError>, Status> {
    match request.extensions().get::<Admission>() {
        Some(admission) => Ok(admission.clone().into_result()),
        None => Err(status(&AccessError::Misconfigured(
            "a service asks for its caller, and there is no AuthLayer in front of it".into(),
        ))),
    }
}

mod sealed {
    pub trait Sealed {}

    impl<T> Sealed for tonic::Request<T> {}
}

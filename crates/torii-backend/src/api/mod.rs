//! The operations of the backend API, one file per resource. A method builds a request and names the reply.

use std::fmt::Display;

use torii_backend_types::InvalidId;

use crate::error::Error;
use crate::operation::Operation;
use crate::transport::Request;

mod impersonation;
mod invitations;
mod organizations;
mod origins;
mod pages;
mod sessions;
mod users;

pub use impersonation::Impersonation;
pub use invitations::Invitations;
pub use organizations::Organizations;
pub use origins::Origins;
pub use pages::{Items, List, Pages};
pub use sessions::Sessions;
pub use users::Users;

/// A call whose path has one parameter, an identifier.
fn request_for<I: Display>(
    operation: &'static Operation,
    id: impl TryInto<I, Error: Into<InvalidId>>,
) -> Result<Request, Error> {
    let id = id.try_into().map_err(Into::into)?;
    Ok(Request::new(operation, &[&id]))
}

/// A call whose path has two parameters, both identifiers.
fn request_for_two<I: Display, J: Display>(
    operation: &'static Operation,
    first: impl TryInto<I, Error: Into<InvalidId>>,
    second: impl TryInto<J, Error: Into<InvalidId>>,
) -> Result<Request, Error> {
    let first = first.try_into().map_err(Into::into)?;
    let second = second.try_into().map_err(Into::into)?;
    Ok(Request::new(operation, &[&first, &second]))
}

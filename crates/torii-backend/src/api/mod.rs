//! The operations of the backend API, one file per resource. A method builds a request, sends it and names the reply.

mod sessions;
mod users;

pub use sessions::Sessions;
pub use users::Users;

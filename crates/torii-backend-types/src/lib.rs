//! What travels between torii's backend API and its clients.
//!
//! Requests are strict: an unknown field does not deserialise. Replies are tolerant: a field that this version
//! does not know is kept in `extra`, an enum value that it does not know is kept in `Unknown`. Nothing here does
//! I/O, reads a clock or knows HTTP. The SDK is [`torii-backend`](https://docs.rs/torii-backend).

mod claims;
mod id;
mod open_enum;
mod page;
mod patch;
mod problem;
mod session;
mod user;

pub use claims::{ActiveOrganization, Actor};
pub use id::{EnvironmentId, InvalidId, OrganizationId, SessionId, UserId};
pub use page::{Cursor, Page, PageRequest};
pub use patch::Patch;
pub use problem::Problem;
pub use session::Session;
pub use user::{CreateUser, Locale, Password, UpdateUser, User, UserFilter, UserStatus};

/// An instant in UTC, written as RFC 3339 (`2026-05-16T09:30:00Z`).
pub use jiff::Timestamp;

/// A bag of application data: a JSON object.
///
/// In a request a bag has two states. Absent leaves it as it is; an object is merged into it, member by member and
/// at every depth, and a member that is `null` deletes that key.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

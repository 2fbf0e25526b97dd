//! What travels between torii's backend API and its clients.
//!
//! Requests are strict: an unknown field does not deserialise. Replies are tolerant: a field that this version
//! does not know is kept in `extra`, an enum value that it does not know is kept in `Unknown`. Nothing here does
//! I/O, reads a clock or knows HTTP. The SDK is [`torii-backend`](https://docs.rs/torii-backend).

mod claims;
mod id;
mod impersonation;
mod invitation;
mod metadata;
mod open_enum;
mod organization;
mod origin;
mod page;
mod patch;
mod problem;
mod session;
mod user;

pub use claims::{ActiveOrganization, Actor};
pub use id::{EnvironmentId, InvalidId, InvitationId, OrganizationId, RoleSetId, SessionId, UserId};
pub use impersonation::{CreateImpersonationToken, ImpersonationToken};
pub use invitation::{CreateInvitation, Invitation, InvitationDetail, InvitationFilter, InvitationStatus};
pub use metadata::{Metadata, UpdateMetadata, UpdateUserMetadata};
pub use organization::{Member, Membership, Organization, OrganizationFilter};
pub use origin::{AllowedOrigins, SetAllowedOrigins};
pub use page::{Cursor, Page, PageRequest};
pub use patch::Patch;
pub use problem::Problem;
pub use session::Session;
pub use user::{CreateUser, Locale, Password, UpdateUser, User, UserFilter, UserStatus};

/// An instant in UTC, written as RFC 3339 (`2026-05-16T09:30:00Z`).
pub use jiff::Timestamp;

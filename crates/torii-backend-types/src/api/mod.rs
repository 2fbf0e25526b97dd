//! The types of the backend API: one file for each resource, and what they share.

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

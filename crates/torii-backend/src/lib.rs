//! Backend SDK for [torii](https://torii.so): verify an end-user's token on your own server without a round trip per
//! request, and manage users, sessions, organizations and invitations.
//!
//! - [`verify_token`] or, with settings, a [`Verifier`]: a token in, an [`Auth`] or a [`VerifyError`] out.
//! - [`Torii`]: the backend API, with a secret key.
//!
//! To protect routes, see the crates `torii-backend-tower` and `torii-backend-axum`. To run without an account, see
//! `torii dev` in the repository.

mod api;
mod client;
pub mod clock;
mod config;
mod error;
pub mod http_client;
mod operation;
pub mod process;
#[doc(hidden)]
pub mod runtime;
mod transport;
mod verify;

pub use api::{Impersonation, Invitations, Items, List, Organizations, Origins, Pages, Sessions, Users};
#[cfg(feature = "blocking")]
pub use client::BlockingTorii;
pub use client::{Torii, ToriiBuilder};
pub use config::ConfigError;
pub use error::{ApiError, DecodeError, Error, OutcomeUnknown, PagingError, TransportError};
#[cfg(feature = "blocking")]
pub use transport::Blocking;
pub use transport::{Async, Call, CallFuture, Mode, Reply};
pub use verify::{
    Auth, CacheSettings, ErrorCode, FetchError, KeySetError, KeySnapshot, KeySource, KeyStatus,
    KeysUnavailable, TokenError, Verifier, VerifierBuilder, VerifyCounts, VerifyError, verify_token,
    verify_token_blocking,
};

pub use torii_backend_types::{
    ActiveOrganization, Actor, AllowedOrigins, CreateImpersonationToken, CreateInvitation, CreateUser,
    Cursor, EnvironmentId, ImpersonationToken, InvalidId, Invitation, InvitationDetail, InvitationFilter,
    InvitationId, InvitationStatus, Locale, Member, Membership, Metadata, Organization, OrganizationFilter,
    OrganizationId, Page, Password, Patch, Problem, RoleSetId, Session, SessionId, Timestamp, UpdateMetadata,
    UpdateUser, UpdateUserMetadata, User, UserFilter, UserId, UserStatus,
};

#[doc(hidden)]
pub use verify::forget_shared_keys;
#[doc(hidden)]
pub use verify::hazmat as hazmat_for_test_vectors;

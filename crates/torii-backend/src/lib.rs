//! Backend SDK for [torii](https://torii.so): verify an end-user's token on your own server without a round trip per
//! request, and manage users and sessions.
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
mod transport;
mod verify;

/// The seam to the network, for clients of your own.
pub mod http_client {
    pub use crate::transport::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits, ReqwestClient};
}

pub use api::{Sessions, Users};
pub use client::{Torii, ToriiBuilder};
pub use config::ConfigError;
pub use error::{ApiError, DecodeError, Error, TransportError};
pub use verify::{
    Auth, CacheSettings, ErrorCode, FetchError, KeySetError, KeySnapshot, KeySource, KeyStatus,
    KeysUnavailable, TokenError, Verifier, VerifierBuilder, VerifyCounts, VerifyError, verify_token,
    verify_token_blocking,
};

pub use torii_backend_types::{
    ActiveOrganization, Actor, CreateUser, Cursor, EnvironmentId, InvalidId, Locale, Metadata,
    OrganizationId, Page, PageRequest, Password, Patch, Problem, Session, SessionId, Timestamp, UpdateUser,
    User, UserFilter, UserId, UserStatus,
};

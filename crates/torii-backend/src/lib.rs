//! Backend SDK for [torii](https://torii.so): verify an end-user's token on your own server without a round trip per
//! request, and manage users, sessions, organizations and invitations.
//!
//! # Verify a token
//!
//! ```no_run
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use torii_backend::Verifier;
//!
//! let verifier = Verifier::new("https://acme.torii.so")?;
//! let auth = verifier.verify(token).await?;
//! println!("{} may come in", auth.user_id());
//! # Ok(()) }
//! ```
//!
//! The first token fetches the issuer's key set. Later ones use it without waiting, and it is refreshed in the
//! background. An [`Auth`] exists only for a token that passed every check; a [`VerifyError`] says whether the token is
//! refused (401) or cannot be judged because the keys cannot be had (503). The crates `torii-backend-tower` and
//! `torii-backend-axum` protect routes with it.
//!
//! # Call the backend API
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn example() -> Result<(), torii_backend::Error> {
//! use torii_backend::{CreateUser, Patch, Torii, UpdateUser};
//!
//! let torii = Torii::from_env()?; // TORII_SECRET_KEY, and TORII_API_URL if it is set
//! let user = torii.users().create(&CreateUser { email: Some("ada@example.com".into()), ..Default::default() }).await?;
//! let change = UpdateUser { first_name: Patch::Set("Ada".into()), last_name: Patch::Clear, ..Default::default() };
//! torii.users().update(user.id, &change).await?; // every other field stays as it is
//! # Ok(()) }
//! ```
//!
//! What is retried, and what never is, says [`Torii`]. To run without an account, see `torii dev` in the repository.
//!
//! # Features
//!
//! | feature | default | what it adds | what it needs |
//! |---|---|---|---|
//! | | | verification with given keys: [`KeySource::Pem`], [`Jwk`](KeySource::Jwk), [`Jwks`](KeySource::Jwks), [`File`](KeySource::File) | no HTTP, no TLS, no async runtime |
//! | `http` | yes | keys are fetched: [`KeySource::Issuer`], [`KeySource::Url`] | reqwest on rustls, tokio |
//! | `client` | yes | the backend API: [`Torii`] | `http` |
//! | `blocking` | no | the backend API for threads: `BlockingTorii` | `client` |
//! | `test-util` | no | what an application's tests need, such as an [`Auth`] without a token | |
//!
//! # Runtimes, threads and processes
//!
//! Futures of this crate can be awaited on any executor: exchanges run on a thread of the process, `torii-http`, and
//! deadlines are kept by another, `torii-deadlines`. Neither exists before the first exchange. Clients and verifiers may be
//! shared by threads and runtimes. In the child of a fork, see [`process::forked`].

#[cfg(feature = "client")]
mod api;
mod chain;
#[cfg(feature = "client")]
mod client;
pub mod clock;
mod config;
#[cfg(feature = "client")]
mod error;
mod guard;
#[cfg(feature = "http")]
pub mod http_client;
#[cfg(feature = "client")]
mod operation;
pub mod process;
mod refusal;
#[cfg(feature = "http")]
#[doc(hidden)]
pub mod runtime;
#[cfg(feature = "client")]
mod transport;
mod verify;

#[cfg(feature = "client")]
pub use api::{Impersonation, Invitations, Items, List, Organizations, Origins, Pages, Sessions, Users};
pub use chain::Chain;
#[cfg(feature = "blocking")]
pub use client::BlockingTorii;
#[cfg(feature = "client")]
pub use client::{Torii, ToriiBuilder};
pub use config::ConfigError;
#[cfg(feature = "client")]
pub use error::{ApiError, DecodeError, Error, OutcomeUnknown, PagingError, TransportError};
pub use guard::{Denied, GuardContext, Org, Requirement};
pub use refusal::{AccessError, Refusal};
#[cfg(feature = "blocking")]
pub use transport::Blocking;
#[cfg(feature = "client")]
pub use transport::{Async, Call, CallFuture, Mode, Reply};
pub use verify::{
    Auth, ErrorCode, FetchError, KeySetError, KeySource, KeyStatus, KeysUnavailable, NoClaims, TokenError,
    UnknownErrorCode, Verifier, VerifierBuilder, VerifyCounts, VerifyError,
};
#[cfg(feature = "http")]
pub use verify::{CacheSettings, KeySnapshot, verify_token, verify_token_blocking};

pub use torii_backend_types::{ActiveOrganization, Actor};
#[cfg(feature = "client")]
pub use torii_backend_types::{
    AllowedOrigins, CreateImpersonationToken, CreateInvitation, CreateUser, Cursor, EnvironmentId,
    ImpersonationToken, InvalidId, Invitation, InvitationDetail, InvitationFilter, InvitationId,
    InvitationStatus, Locale, Member, Membership, Metadata, Organization, OrganizationFilter, OrganizationId,
    Page, Password, Patch, Problem, RoleSetId, Session, SessionId, Timestamp, UpdateMetadata, UpdateUser,
    UpdateUserMetadata, User, UserFilter, UserId, UserStatus,
};

#[cfg(all(feature = "http", feature = "test-util"))]
#[doc(hidden)]
pub use verify::forget_shared_keys;
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub use verify::hazmat as hazmat_for_test_vectors;

//! A local torii: a real server for development and tests.
//!
//! It serves the backend API and the key set as torii publishes them, signs real ES256 tokens and keeps its users
//! in memory or in a SQLite file. What it imitates and what it does not, and the calls that only it has, are in the
//! crate's README.
//!
//! ```
//! use torii_emulator::{Emulator, MintToken};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let torii = Emulator::builder().start().await?;
//! let user = torii.control().create_user(&Default::default()).await?;
//! let minted = torii.control().mint_token(&MintToken::of(user.id)).await?;
//! assert_eq!(minted.token.split('.').count(), 3);
//! torii.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod access;
mod clock;
mod control;
mod domain;
mod emulator;
mod engine;
mod error;
mod faults;
mod http;
mod keys;
mod loopback;
mod page;
mod records;
mod requests;
mod secret_keys;
mod store;

pub use clock::MAX_CLOCK_OFFSET_SECONDS;
pub use control::Control;
pub use domain::{
    ClaimStyle, DEFAULT_INVITATION_DAYS, DEFAULT_SIGN_UP_URL, DEFAULT_TOKEN_LIFETIME_SECONDS,
    IMPERSONATION_PERIOD_SECONDS, ImpersonationSettings, InvitationRateLimit, Mail, MailKind, MintToken,
    MintedToken, NewMember, NewOrganization, OpenSession, SESSION_LIFETIME_SECONDS, Settings, Snapshot,
};
pub use emulator::{Builder, DEFAULT_SECRET_KEY, Emulator};
pub use error::{Error, ErrorKind, StartError};
pub use faults::{Abort, Fault, MAX_FAULT_LATENCY_MS};
pub use requests::RequestRecord;
pub use store::Storage;

/// Runs the README's example with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

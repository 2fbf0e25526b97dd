#![doc = include_str!("../README.md")]
//!
//! # What the client is told
//!
//! | | status | headers | `error.code` |
//! |---|---|---|---|
//! | no token, or a refused one | 401 | `WWW-Authenticate` | `authentication_failed` |
//! | the issuer's keys cannot be had | 503 | `Retry-After` | `keys_unavailable` |
//! | the settings are invalid | 500 | | `configuration_error` |
//!
//! A client does not learn why its token was refused; your log does, through [`tracing`]. No token is ever logged. To
//! change the reply, see [`AuthLayer::on_refused`].
//!
//! # What is protected
//!
//! Every method: `OPTIONS` and `HEAD` need a token like any other. A browser's CORS preflight carries none, so put a
//! CORS layer outside of this one:
//!
//! ```
//! # use torii_backend::Verifier;
//! # use torii_backend_tower::AuthLayer;
//! # use tower::ServiceBuilder;
//! use tower_http::cors::CorsLayer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let verifier = Verifier::new("https://your-app.torii.so")?;
//! let layers = ServiceBuilder::new()
//!     .layer(CorsLayer::permissive())
//!     .layer(AuthLayer::new(verifier));
//! # let _ = layers;
//! # Ok(())
//! # }
//! ```
//!
//! # Several verifiers
//!
//! Each layer verifies for itself, and replaces what an outer one found: the inner service finds the [`Auth`] of the
//! innermost layer. [`Verifier::made`] tells whose an `Auth` is.

mod layer;
mod response;

pub use layer::{Admission, AuthLayer, AuthService, ResponseFuture};
#[doc(hidden)]
pub use response::misconfigured;
pub use response::{ResponseBody, rejection};

#[cfg(doc)]
use torii_backend::{Auth, Verifier};

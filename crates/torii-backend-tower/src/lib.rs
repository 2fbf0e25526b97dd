#![doc = include_str!("../README.md")]
//!
//! # What the client is told
//!
//! | | status | headers | `code` |
//! |---|---|---|---|
//! | no token, or a refused one | 401 | `WWW-Authenticate` | `authentication_failed` |
//! | an expired token | 401 | `WWW-Authenticate` | `expired` |
//! | a caller that a [requirement](AuthLayer::require) does not let in | 403 | `WWW-Authenticate` | `permission_denied` |
//! | the issuer's keys cannot be had | 503 | `Retry-After` | `keys_unavailable` |
//! | the settings are invalid | 500 | | `configuration_error` |
//!
//! The body is JSON with `code`, `message` and, for 403, `guard`: see [`Refusal`]. A client does not learn why else its token
//! was refused; your log does, through [`tracing`](https://docs.rs/tracing). No token is ever logged. To change the reply, see
//! [`AuthLayer::on_refused`].
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
//! [`AuthLayer::allow_preflight`] is for a CORS layer that has to be inside of this one.
//!
//! # WebSockets
//!
//! A handshake is a request like any other: a refused one gets the status, and no connection. A browser's script can send
//! no header but the subprotocols: see [`VerifierBuilder::websocket_protocol`]. The layer selects the subprotocol `bearer` in
//! the answer, if the inner service has selected none.
//!
//! # Several verifiers
//!
//! Each layer verifies for itself, and replaces what an outer one found: the inner service finds the [`Auth`] of the
//! innermost layer. [`Verifier::made`] tells whose an `Auth` is.

mod gate;
mod layer;
mod response;
mod service;

pub use gate::Admission;
pub use layer::AuthLayer;
pub use response::{ResponseBody, rejection};
pub use service::{AuthService, ResponseFuture};

#[cfg(doc)]
use torii_backend::{Auth, Refusal, Verifier, VerifierBuilder};

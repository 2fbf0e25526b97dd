#![doc = include_str!("../README.md")]
//!
//! # What the client is told
//!
//! | | status | metadata |
//! |---|---|---|
//! | no token, or a refused one | `UNAUTHENTICATED` | `torii-code: authentication_failed` |
//! | an expired token | `UNAUTHENTICATED` | `torii-code: expired` |
//! | a caller that a [requirement](AuthLayer::require) does not let in | `PERMISSION_DENIED` | `torii-code: permission_denied`, `torii-guard` |
//! | the issuer's keys cannot be had | `UNAVAILABLE` | `torii-code: keys_unavailable`, `grpc-retry-pushback-ms` |
//! | the settings are invalid | `INTERNAL` | `torii-code: configuration_error` |
//!
//! A refused call gets its status in one frame of headers, whatever its kind, and its messages are not read. A client does
//! not learn why its token was refused, except that it has expired; your log does, through [`tracing`]. To change the
//! status, see [`AuthLayer::on_refused`].
//!
//! [`tracing`]: https://docs.rs/tracing
//!
//! A token is verified when a call begins. A stream that outlives its token goes on: give calls a deadline, or compare
//! `Auth::expires_at` while you send.
//!
//! # What is protected
//!
//! `Server::layer` protects every service of a server, reflection and health checks included. To protect one service,
//! use `LayerExt`:
//!
//! ```
//! use tonic::service::LayerExt;
//! # use torii_backend::Verifier;
//! # use torii_backend_tonic::AuthLayer;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let verifier = Verifier::new("https://your-app.torii.so")?;
//! # let (greeter, health) = (tonic::service::Routes::default(), tonic::service::Routes::default());
//!
//! let greeter = AuthLayer::new(verifier).named_layer(greeter);
//! // Server::builder().add_service(greeter).add_service(health)
//! # let _ = (greeter, health);
//! # Ok(())
//! # }
//! ```
//!
//! For one method, ask for a [requirement](AuthExt::require) in it. An interceptor cannot wait for a key, and is not needed:
//! the layer verifies without waiting when the key is at hand.

mod layer;
mod request;
mod status;

pub use layer::AuthLayer;
pub use request::AuthExt;
pub use status::status;

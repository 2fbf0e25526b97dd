#![doc = include_str!("../README.md")]
//!
//! # What is protected
//!
//! An extractor protects the handler that names it. A middleware protects every route of what it wraps, whatever the
//! handlers name, and every method: `OPTIONS` and `HEAD` need a token like any other. A browser's CORS preflight carries
//! none, so wrap the application into a CORS middleware last, which makes it the outermost one, or see
//! [`AuthMiddleware::allow_preflight`].
//!
//! ```
//! use actix_web::{App, web};
//! use torii_backend::{Org, Requirement, Verifier};
//! use torii_backend_actix::{Auth, AuthMiddleware};
//!
//! async fn invoices(auth: Auth) -> String {
//!     format!("the invoices that {} may see", auth.user_id())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new("https://your-app.torii.so")?;
//! let members = Requirement::new().organization(Org::FromPath("org_id".into()));
//! let app = App::new().service(
//!     web::scope("/orgs/{org_id}")
//!         .wrap(AuthMiddleware::new(verifier).require(members))
//!         .route("/invoices", web::get().to(invoices)),
//! );
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! # Several verifiers
//!
//! Each middleware verifies for itself, and replaces what an outer one found. An [`Auth`] is of the `web::Data<Verifier>`
//! nearest to the handler if there is one, else of the innermost middleware.
//!
//! # Claims of your own
//!
//! ```
//! use serde::Deserialize;
//! use torii_backend_actix::Auth;
//!
//! #[derive(Deserialize)]
//! struct Plan {
//!     plan: String,
//! }
//!
//! async fn plan(auth: Auth<Plan>) -> String {
//!     auth.claims().plan.clone()
//! }
//! # let _ = plan;
//! ```
//!
//! # WebSocket
//!
//! A handshake is refused with the HTTP status, before the connection is upgraded. A browser's script cannot set
//! `Authorization`; with `VerifierBuilder::websocket_protocol` it sends the token by `new WebSocket(url, ["bearer", token])`,
//! and the middleware selects `bearer` if your handler selects no subprotocol. A handler that is protected by the extractor
//! alone must select it itself.
//!
//! # Responses of your own
//!
//! For the middleware, see [`AuthMiddleware::on_refused`]. A handler that asks for `Result<Auth, AuthError>` answers a
//! refusal itself.

mod auth;
mod error;
mod middleware;
mod request;

pub use auth::{Auth, OptionalAuth};
pub use error::AuthError;
pub use middleware::{AuthMiddleware, AuthService};

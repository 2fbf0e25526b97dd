#![doc = include_str!("../README.md")]
//!
//! # A state of your own
//!
//! It says where its verifier is, through [`FromRef`](axum_core::extract::FromRef):
//!
//! ```
//! use axum::extract::FromRef;
//! use torii_backend::Verifier;
//!
//! #[derive(Clone)]
//! struct AppState {
//!     verifier: Verifier,
//! }
//!
//! impl FromRef<AppState> for Verifier {
//!     fn from_ref(state: &AppState) -> Self {
//!         state.verifier.clone()
//!     }
//! }
//! # axum::Router::<AppState>::new()
//! #     .route("/me", axum::routing::get(|_: torii_backend_axum::Auth| async {}));
//! ```
//!
//! Rust does not allow this implementation for a foreign type such as `Arc<AppState>`. Put the `Arc` into a type of your
//! own (`#[derive(Clone)] struct Shared(Arc<AppState>)`), or use an [`AuthLayer`] and [`LayerAuth`], which works with any state.
//!
//! # Whole routers
//!
//! An extractor protects the handler that names it. To protect every route of a router, whatever its handlers name,
//! add an [`AuthLayer`]. Behind it, [`LayerAuth`] is what the layer found out; it works with any state, an
//! `Arc<AppState>` or none:
//!
//! ```
//! use axum::{Router, routing::get};
//! use torii_backend::Verifier;
//! use torii_backend_axum::{AuthLayer, LayerAuth};
//!
//! async fn invoices(auth: LayerAuth) -> String {
//!     format!("the invoices of {}", auth.user_id())
//! }
//!
//! fn app(verifier: Verifier) -> Router {
//!     let api = Router::new()
//!         .route("/invoices", get(invoices))
//!         .route("/prices", get(async || "for signed-in users"))
//!         .layer(AuthLayer::new(verifier));
//!     Router::new().nest("/api", api)
//! }
//! # use axum::{body::Body, http::{Request, StatusCode}};
//! # use tower::ServiceExt;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let app = app(Verifier::new("https://your-app.torii.so")?);
//! # let reply = app.oneshot(Request::get("/api/invoices").body(Body::empty())?).await?;
//! # assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! [`Auth`] works behind a layer too. What the layer found counts if it has the verifier of the router's state (or a
//! clone of it), and is then not verified again; otherwise the extractor verifies the token for itself. Do not ask for
//! `Extension<Auth>`: axum cannot check that anything provides it.
//!
//! # Guards
//!
//! What callers must be is a [`Requirement`] of an [`AuthLayer`]: of a whole router, or of one route. Others get 403 and the
//! guard's name.
//!
//! ```
//! use axum::{Router, routing::{delete, get}};
//! use torii_backend::{Org, Requirement, Verifier};
//! use torii_backend_axum::{AuthLayer, LayerAuth};
//!
//! async fn invoices(auth: LayerAuth) -> String {
//!     format!("{} may read the organization's invoices", auth.user_id())
//! }
//!
//! fn app(verifier: Verifier) -> Router {
//!     let member = Requirement::new().organization(Org::FromPath("org_id".into()));
//!     let administrator = member.clone().role("org:administrator").no_impersonation();
//!     let remove = delete(async || "removed").layer(AuthLayer::new(verifier.clone()).require(administrator));
//!     Router::new()
//!         .route("/orgs/{org_id}/invoices", get(invoices))
//!         // Of the routes above; the one below has a layer of its own.
//!         .route_layer(AuthLayer::new(verifier).require(member))
//!         .route("/orgs/{org_id}", remove)
//! }
//! ```
//!
//! # Claims of your own
//!
//! `Auth<C>` and `LayerAuth<C>` have the token's claims as your type. A token whose claims do not have its shape is answered
//! with 403 and the guard's name `claims`.
//!
//! ```
//! use serde::Deserialize;
//! use torii_backend_axum::Auth;
//!
//! #[derive(Deserialize)]
//! struct Plan {
//!     plan: String,
//!     seats: u32,
//! }
//!
//! async fn plan(auth: Auth<Plan>) -> String {
//!     format!("{} has {} seats of the plan {}", auth.user_id(), auth.claims.seats, auth.claims.plan)
//! }
//! # axum::Router::<torii_backend::Verifier>::new().route("/plan", axum::routing::get(plan));
//! ```
//!
//! # Replies of your own
//!
//! For the layer, see [`AuthLayer::on_refused`]. A handler that asks for `Result<Auth, AuthRejection>` answers a refusal
//! itself.
//!
//! # WebSockets
//!
//! A handshake is a request like any other, and [`WebSocketUpgrade`](https://docs.rs/axum/0.8/axum/extract/ws/) needs nothing more.
//! A browser's script can send the token in the subprotocols alone: tell the verifier so
//! ([`VerifierBuilder::websocket_protocol`]) and use a layer, which selects the subprotocol `bearer` in the answer.
//!
//! # Tests of your application
//!
//! The crate `torii-emulator` is a local torii, and signs tokens that your application takes for real:
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use torii_backend::Verifier;
//! use torii_backend_axum::Auth;
//! use torii_emulator::{Emulator, MintToken};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let torii = Emulator::builder().start().await?;
//! let user = torii.control().create_user(&Default::default()).await?;
//! let minted = torii.control().mint_token(&MintToken::of(user.id)).await?;
//!
//! let app: Router = Router::new()
//!     .route("/me", get(async |auth: Auth| auth.user_id().to_owned()))
//!     .with_state(Verifier::new(torii.issuer())?);
//! let request = Request::get("/me")
//!     .header("authorization", format!("Bearer {}", minted.token))
//!     .body(Body::empty())?;
//! let reply = app.oneshot(request).await?;
//! assert_eq!(axum::body::to_bytes(reply.into_body(), 64).await?, user.id.to_string());
//!
//! torii.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod auth;
mod layer;
mod rejection;

pub use auth::{Auth, LayerAuth};
pub use layer::AuthLayer;
pub use rejection::AuthRejection;

#[cfg(doc)]
use torii_backend::{Requirement, Verifier, VerifierBuilder};

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
//! own (`#[derive(Clone)] struct Shared(Arc<AppState>)`), or use [`LayerAuth`].
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
//! # Replies of your own
//!
//! For the layer, see [`AuthLayer::on_refused`]. A handler that asks for `Result<Auth, AuthRejection>` answers a refusal
//! itself.
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
use torii_backend::{Requirement, Verifier};

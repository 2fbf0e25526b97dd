//! The end-user as a handler's argument: [axum](https://docs.rs/axum/0.8) extractors for [torii](https://torii.so).
//!
//! Keep a [`Verifier`] in the router's state, and ask for [`Auth`] where a handler needs to know who is calling:
//!
//! ```
//! use axum::{Router, routing::get};
//! use torii_backend::Verifier;
//! use torii_backend_axum::Auth;
//!
//! async fn me(auth: Auth) -> String {
//!     auth.user_id().to_owned()
//! }
//!
//! async fn greeting(auth: Option<Auth>) -> String {
//!     let name = auth.as_ref().map_or("stranger", |auth| auth.user_id());
//!     format!("Hello, {name}!")
//! }
//!
//! # use axum::{body::Body, http::{Request, StatusCode}};
//! # use tower::ServiceExt;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app: Router = Router::new()
//!     .route("/me", get(me))
//!     .route("/greeting", get(greeting))
//!     .with_state(Verifier::new("https://your-app.torii.so")?);
//! # let reply = app.clone().oneshot(Request::get("/me").body(Body::empty())?).await?;
//! # assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
//! # let reply = app.oneshot(Request::get("/greeting").body(Body::empty())?).await?;
//! # assert_eq!(reply.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! ```
//!
//! | | no credentials | a valid token | a refused token | no keys to be had |
//! |---|---|---|---|---|
//! | [`Auth`] | 401 | `Auth` | 401 | 503 |
//! | `Option<Auth>` | `None` | `Some(Auth)` | 401 | 503 |
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
//! # Whole routers
//!
//! An extractor protects the handler that names it. To protect every route of a router, whatever its handlers name,
//! add an [`AuthLayer`]; extractors behind it use the `Auth` that it found, and nothing is verified twice.
//!
//! ```
//! use axum::{Router, routing::get};
//! use torii_backend::Verifier;
//! use torii_backend_axum::AuthLayer;
//!
//! fn app(verifier: Verifier) -> Router {
//!     let api = Router::new()
//!         .route("/invoices", get(async || "your invoices"))
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

pub use auth::{Auth, AuthRejection, LayerAuth, LayerAuthRejection};
pub use torii_backend_tower::AuthLayer;

#[cfg(doc)]
use torii_backend::Verifier;

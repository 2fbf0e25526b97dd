//! Tower middleware for [torii](https://torii.so): requests with a valid token reach your service, with an [`Auth`] in
//! their extensions; all others are answered here.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use torii_backend::{Auth, Verifier};
//! use torii_backend_tower::AuthLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! async fn hello(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
//!     let user = request.extensions().get::<Auth>().map_or("nobody", Auth::user_id);
//!     Ok(Response::new(Full::from(format!("Hello, {user}!"))))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new("https://your-app.torii.so")?;
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(verifier))
//!     .service(service_fn(hello));
//!
//! let reply = service.oneshot(Request::new(Full::default())).await?;
//! assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! For extractors, see the crate `torii-backend-axum`.
//!
//! # What the client is told
//!
//! | | status | headers | `error.code` |
//! |---|---|---|---|
//! | no token, or a refused one | 401 | `WWW-Authenticate` | `authentication_failed` |
//! | the issuer's keys cannot be had | 503 | `Retry-After` | `keys_unavailable` |
//! | the verifier cannot work as configured | 500 | | `configuration_error` |
//!
//! A client does not learn why its token was refused; your log does, through [`tracing`]. No token is ever logged.
//!
//! # What is protected
//!
//! Every method: `OPTIONS` and `HEAD` need a token like any other. A browser's CORS preflight carries none, so put a
//! CORS layer outside of this one.

mod layer;
mod response;

pub use layer::{Admission, AuthLayer, AuthService, ResponseFuture};
#[doc(hidden)]
pub use response::misconfigured;
pub use response::{ResponseBody, rejection};

#[cfg(doc)]
use torii_backend::Auth;

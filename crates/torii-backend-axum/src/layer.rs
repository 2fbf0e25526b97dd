//! The layer for axum's routers.

use axum::extract::RawPathParams;
use axum::extract::rejection::RawPathParamsRejection;
use axum_core::extract::FromRequestParts;
use bytes::Bytes;
use futures_util::FutureExt;
use http::Response;
use http::request::Parts;
use torii_backend::{AccessError, Requirement, Verifier};
use torii_backend_tower::AuthService;
use tower_layer::Layer;

/// Lets only requests with a valid token through to the routes behind it.
///
/// It is the layer of [`torii_backend_tower`], and knows the path parameters of axum's routes:
///
/// ```
/// use axum::{Router, routing::get};
/// use torii_backend::{Org, Requirement, Verifier};
/// use torii_backend_axum::AuthLayer;
///
/// fn organizations(verifier: Verifier) -> Router {
///     let member = Requirement::new().organization(Org::FromPath("org_id".into()));
///     Router::new()
///         .route("/orgs/{org_id}/invoices", get(async || "for members of the organization"))
///         .route_layer(AuthLayer::new(verifier).require(member))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer protects nothing until it is applied"]
pub struct AuthLayer(torii_backend_tower::AuthLayer);

impl AuthLayer {
    /// A layer that demands a token of every request.
    pub fn new(verifier: Verifier) -> Self {
        Self(torii_backend_tower::AuthLayer::new(verifier).path_parameters(path_parameter))
    }

    /// Lets only callers through who satisfy the requirement as well, and answers 403 to others: see
    /// [`torii_backend_tower::AuthLayer::require`].
    pub fn require(self, requirement: Requirement) -> Self {
        Self(self.0.require(requirement))
    }

    /// Lets requests without credentials through as well, whatever is required: see
    /// [`torii_backend_tower::AuthLayer::optional`].
    pub fn optional(self) -> Self {
        Self(self.0.optional())
    }

    /// Lets a browser's CORS preflight requests through: see [`torii_backend_tower::AuthLayer::allow_preflight`].
    pub fn allow_preflight(self) -> Self {
        Self(self.0.allow_preflight())
    }

    /// Changes what the client of a refused request gets: see [`torii_backend_tower::AuthLayer::on_refused`].
    pub fn on_refused<F>(self, change: F) -> Self
    where
        F: Fn(&AccessError, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    {
        Self(self.0.on_refused(change))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.0.layer(inner)
    }
}

/// The decoded path parameter of a name. `None` where the route has none, or several from routers inside of each other.
fn path_parameter(head: &mut Parts, name: &str) -> Option<String> {
    match RawPathParams::from_request_parts(head, &()).now_or_never()? {
        Ok(parameters) => {
            let mut named = parameters.iter().filter(|(parameter, _)| *parameter == name);
            let (_, value) = named.next()?;
            named.next().is_none().then(|| value.to_owned())
        }
        // The client's mistake, and no organization's id.
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => Some(String::new()),
        Err(_) => None,
    }
}

//! The layer and its settings.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use torii_backend::{AccessError, Requirement, Verifier};
use tower_layer::Layer;

use crate::gate::Gate;
use crate::service::AuthService;

/// Lets only requests with a valid token through to the inner service, which finds an [`Auth`](torii_backend::Auth) in their
/// extensions.
///
/// With that `Auth` the inner service knows the caller; it must not read identities from other headers.
#[derive(Clone, Debug)]
#[must_use = "a layer protects nothing until it is applied"]
pub struct AuthLayer {
    gate: Arc<Gate>,
}

impl AuthLayer {
    /// A layer that demands a token of every request.
    pub fn new(verifier: Verifier) -> Self {
        let gate = Gate {
            verifier,
            requirements: Vec::new(),
            optional: false,
            preflight: false,
            path_parameter: None,
            on_refused: None,
        };
        Self { gate: Arc::new(gate) }
    }

    /// Lets only callers through who satisfy the requirement as well, and answers 403 to others. Called again, it adds a
    /// requirement.
    ///
    /// ```
    /// use torii_backend::{Org, Requirement};
    /// # use torii_backend::Verifier;
    /// # use torii_backend_tower::AuthLayer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let verifier = Verifier::new("https://your-app.torii.so")?;
    /// let administrators = Requirement::new().organization(Org::Any).role("org:administrator");
    /// let layer = AuthLayer::new(verifier).require(administrators);
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn require(self, requirement: Requirement) -> Self {
        self.with(|gate| gate.requirements.push(requirement))
    }

    /// Lets requests without credentials through as well, without an [`Auth`](torii_backend::Auth), whatever is
    /// [required](Self::require). A token that was sent must still be valid, and its caller satisfy the requirements.
    pub fn optional(self) -> Self {
        self.with(|gate| gate.optional = true)
    }

    /// Lets a browser's CORS preflight requests through (`OPTIONS` with `Access-Control-Request-Method`), which carry no
    /// credentials, to an inner service that answers them. Without this they are refused like any other request: put
    /// a CORS layer outside of this one, or call this.
    pub fn allow_preflight(self) -> Self {
        self.with(|gate| gate.preflight = true)
    }

    /// Tells how to find the path parameter of a name, for [`Org::FromPath`](torii_backend::Org): decoded, and `None` if the
    /// route does not have it. Tower knows no routes, so without this such a requirement is answered with 500. The
    /// layer of `torii-backend-axum` knows axum's.
    pub fn path_parameters<F>(self, read: F) -> Self
    where
        F: Fn(&mut Parts, &str) -> Option<String> + Send + Sync + 'static,
    {
        self.with(|gate| gate.path_parameter = Some(Arc::new(read)))
    }

    /// Changes what the client of a refused request gets. `change` is given the cause and the reply that the layer
    /// would send, with its status, headers and body ([`rejection`](crate::rejection)), and returns the reply to send.
    ///
    /// The cause is for logs and metrics. A reply that repeats it tells an attacker why a token was refused.
    ///
    /// ```
    /// use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
    /// # use torii_backend::Verifier;
    /// # use torii_backend_tower::AuthLayer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let verifier = Verifier::new("https://your-app.torii.so")?;
    /// let layer = AuthLayer::new(verifier).on_refused(|_cause, mut reply| {
    ///     if reply.status() == StatusCode::UNAUTHORIZED {
    ///         reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    ///         *reply.body_mut() = "Please sign in.".into();
    ///     }
    ///     reply
    /// });
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_refused<F>(self, change: F) -> Self
    where
        F: Fn(&AccessError, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.with(|gate| gate.on_refused = Some(Arc::new(change)))
    }

    fn with(mut self, change: impl FnOnce(&mut Gate)) -> Self {
        change(Arc::make_mut(&mut self.gate));
        self
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService::new(inner, Arc::clone(&self.gate))
    }
}

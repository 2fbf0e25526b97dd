//! The layer.

use tonic::Status;
use torii_backend::{AccessError, Refusal, Requirement, Verifier};
use torii_backend_tower::AuthService;
use tower_layer::Layer;

use crate::status;

/// Lets only calls with a valid token through to the services, which find the caller by [`AuthExt`](crate::AuthExt).
///
/// The token is in the metadata `authorization`, as `Bearer <token>`, or where the verifier is told to look.
#[derive(Clone, Debug)]
#[must_use = "a layer protects nothing until it is applied"]
pub struct AuthLayer {
    layer: torii_backend_tower::AuthLayer,
}

impl AuthLayer {
    /// A layer that demands a token of every call.
    pub fn new(verifier: Verifier) -> Self {
        let layer = torii_backend_tower::AuthLayer::new(verifier);
        Self { layer }.on_refused(|_, status| status)
    }

    /// Lets only callers through who satisfy the requirement as well, and answers others with `PERMISSION_DENIED`. Called
    /// again, it adds a requirement. A call has no path parameters: `Org::FromPath` is answered with `INTERNAL`.
    pub fn require(self, requirement: Requirement) -> Self {
        let layer = self.layer.require(requirement);
        Self { layer }
    }

    /// Lets calls without credentials through as well. A token that was sent must still be valid, and its caller satisfy
    /// the requirements.
    pub fn optional(self) -> Self {
        let layer = self.layer.optional();
        Self { layer }
    }

    /// Changes what the client of a refused call gets. `change` is given the cause and the status that the layer would
    /// send, and returns the status to send.
    ///
    /// The cause is for logs and metrics. A status that repeats it tells an attacker why a token was refused.
    ///
    /// ```
    /// use tonic::Status;
    /// # use torii_backend::Verifier;
    /// # use torii_backend_tonic::AuthLayer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let verifier = Verifier::new("https://your-app.torii.so")?;
    /// let layer = AuthLayer::new(verifier)
    ///     .on_refused(|_cause, status| Status::new(status.code(), "Please sign in."));
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_refused<F>(self, change: F) -> Self
    where
        F: Fn(&AccessError, Status) -> Status + Send + Sync + 'static,
    {
        let layer = self.layer.on_refused(move |cause, answer| {
            let refusal = answer.extensions().get::<Refusal>();
            let status = refusal.map_or_else(|| status::status(cause), status::of);
            change(cause, status).into_http()
        });
        Self { layer }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.layer.layer(inner)
    }
}

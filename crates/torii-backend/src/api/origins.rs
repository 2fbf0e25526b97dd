//! Origins that may use the client API beyond those that the dashboard derives.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{AllowedOrigins, SetAllowedOrigins};

use crate::operation::Operation;
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on the allowed origins. From [`Torii::allowed_origins`](crate::Torii::allowed_origins).
#[derive(Clone, Debug)]
pub struct Origins<M: Mode>(pub(crate) Arc<Transport<M>>);

static LIST: Operation = Operation::read("allowed_origins.list", Method::GET, "/allowed-origins");
static SET: Operation = Operation::idempotent("allowed_origins.set", Method::PUT, "/allowed-origins");

impl<M: Mode> Origins<M> {
    /// All of the environment's allowed origins.
    pub fn list(&self) -> Call<M, AllowedOrigins> {
        Call::json(&self.0, Ok(Request::new(&LIST, &[])))
    }

    /// Replaces the list: an origin that is not named is no longer allowed. Each is a scheme, a host and perhaps a port,
    /// such as `https://app.example.com` or `capacitor://localhost`.
    pub fn set(&self, origins: impl IntoIterator<Item: Into<String>>) -> Call<M, AllowedOrigins> {
        let body = SetAllowedOrigins {
            origins: origins.into_iter().map(Into::into).collect(),
        };
        Call::json(&self.0, Request::new(&SET, &[]).json(&body))
    }
}

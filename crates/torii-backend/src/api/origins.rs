//! Origins that may use the client API beyond those that the dashboard derives.

use std::sync::Arc;

use http::Method;
use torii_backend_types::{AllowedOrigins, SetAllowedOrigins};

use crate::operation::{Operation, RetryClass};
use crate::transport::{Call, Mode, Request, Transport};

/// The operations on the allowed origins. From [`Torii::allowed_origins`](crate::Torii::allowed_origins).
#[derive(Clone, Debug)]
pub struct Origins<M: Mode> {
    transport: Arc<Transport<M>>,
}

static LIST: Operation = Operation {
    name: "allowed_origins.list",
    method: Method::GET,
    template: "/allowed-origins",
    retry: RetryClass::Read,
};
static SET: Operation = Operation {
    name: "allowed_origins.set",
    method: Method::PUT,
    template: "/allowed-origins",
    retry: RetryClass::Idempotent,
};

impl<M: Mode> Origins<M> {
    pub(crate) fn new(transport: &Arc<Transport<M>>) -> Self {
        Self {
            transport: transport.clone(),
        }
    }

    /// All of the environment's allowed origins.
    pub fn list(&self) -> Call<M, AllowedOrigins> {
        Call::json(&self.transport, Ok(Request::new(&LIST, &[])))
    }

    /// Replaces the list: an origin that is not named is no longer allowed. Each is a scheme, a host and perhaps a port,
    /// such as `https://app.example.com` or `capacitor://localhost`.
    pub fn set(&self, origins: impl IntoIterator<Item: Into<String>>) -> Call<M, AllowedOrigins> {
        let body = SetAllowedOrigins {
            origins: origins.into_iter().map(Into::into).collect(),
        };
        Call::json(&self.transport, Request::new(&SET, &[]).json(&body))
    }
}

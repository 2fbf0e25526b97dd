//! Who calls, as far as a session remembers it.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use super::openapi::{Part, Schemas, Signature};
use crate::domain::Device;

/// The address that a request came from; one of its extensions.
#[derive(Clone, Copy)]
pub(super) struct PeerAddress(pub(super) SocketAddr);

/// The browser, or what else calls.
pub(super) struct Caller(Device);

impl Caller {
    pub(super) fn device(self) -> Device {
        self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT);
        let address = parts.extensions.get();
        Ok(Self(Device {
            user_agent: user_agent
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            ip_address: address.map(|PeerAddress(address)| address.ip().to_canonical().to_string()),
        }))
    }
}

impl Part for Caller {
    fn describe(_: &mut Signature, _: &mut Schemas) {}
}

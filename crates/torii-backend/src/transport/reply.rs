//! What a call brought.

use std::ops::Deref;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use crate::error::Error;
use crate::http_client::headers;
use crate::operation::Operation;

/// How a reply becomes a value.
pub(super) type Read<T> = fn(&'static Operation, &Response<Bytes>) -> Result<T, Error>;

/// A value, and what came with it. Dereferences to the value.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    pub(super) value: T,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) attempts: u32,
}

impl<T> Reply<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The reply's status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reply's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the reply calls the request (`X-Request-Id`), if it does.
    pub fn request_id(&self) -> Option<&str> {
        headers::request_id(&self.headers)
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

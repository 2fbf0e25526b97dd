//! What a reply, or the lack of one, means to the caller.

use bytes::Bytes;
use http::Response;
use serde::de::DeserializeOwned;
use torii_backend_types::Problem;

use crate::config::SecretKey;
use crate::error::{ApiError, DecodeError, Error, TransportError};
use crate::http_client::{HttpError, headers};
use crate::operation::Operation;

/// Most characters of an unreadable reply that an error repeats.
const EXCERPT: usize = 256;
/// What stands where a reply repeats our secret key.
const MASK: &[u8] = b"***";

/// Reads a successful reply. An error has no excerpt yet.
pub(crate) fn read_json<T: DeserializeOwned>(
    operation: &'static Operation,
    reply: &Response<Bytes>,
) -> Result<T, Error> {
    serde_json::from_slice(reply.body()).map_err(|problem| {
        Error::Decode(DecodeError {
            operation,
            status: reply.status(),
            excerpt: String::new(),
            request_id: headers::request_id(reply.headers()).map(str::to_owned),
            problem: problem.into(),
        })
    })
}

/// Reads a reply that says no.
pub(crate) fn refusal(
    operation: &'static Operation,
    reply: &Response<Bytes>,
    attempts: u32,
    secret_key: &SecretKey,
) -> Error {
    let body = String::from_utf8_lossy(&masked(reply.body(), secret_key)).into_owned();
    Error::Api(Box::new(ApiError {
        operation,
        attempts,
        status: reply.status(),
        problem: Problem::from_json(body.as_bytes()),
        retry_after: headers::retry_after(reply.headers()),
        request_id: headers::request_id(reply.headers()).map(str::to_owned),
        body,
    }))
}

/// The beginning of an unreadable reply, without our secret key.
pub(crate) fn excerpt(body: &[u8], secret_key: &SecretKey) -> String {
    let masked = masked(body, secret_key);
    String::from_utf8_lossy(&masked).chars().take(EXCERPT).collect()
}

/// A body without our secret key. Some servers echo a request's headers.
fn masked(body: &[u8], secret_key: &SecretKey) -> Bytes {
    let key = secret_key.expose().as_bytes();
    let mut rest = body;
    let mut masked = Vec::with_capacity(body.len());
    while let Some(at) = rest.windows(key.len()).position(|bytes| bytes == key) {
        masked.extend_from_slice(&rest[..at]);
        masked.extend_from_slice(MASK);
        rest = &rest[at + key.len()..];
    }
    masked.extend_from_slice(rest);
    masked.into()
}

/// Makes an error of an exchange that brought no reply.
pub(crate) fn no_reply(
    operation: &'static Operation,
    attempts: u32,
    may_have_been_sent: bool,
    source: HttpError,
) -> Error {
    Error::Transport(TransportError {
        operation,
        attempts,
        may_have_been_sent,
        source,
    })
}

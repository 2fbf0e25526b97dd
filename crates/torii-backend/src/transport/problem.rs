//! What a reply, or the lack of one, means. The only place that reads a status.

use ::http::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use torii_backend_types::Problem;

use super::{HttpError, Operation, headers};
use crate::config::SecretKey;
use crate::error::{ApiError, DecodeError, Error, TransportError};

/// Most characters of an unreadable reply that an error repeats.
const EXCERPT: usize = 256;
/// What stands where a reply repeats our secret key.
const MASK: &str = "***";

/// Reads a successful reply.
pub(crate) fn read_json<T: DeserializeOwned>(
    operation: &'static Operation,
    reply: &Response<Bytes>,
) -> Result<T, Error> {
    serde_json::from_slice(reply.body()).map_err(|source| {
        Error::Decode(DecodeError {
            operation,
            status: reply.status(),
            excerpt: String::from_utf8_lossy(reply.body())
                .chars()
                .take(EXCERPT)
                .collect(),
            source: source.into(),
        })
    })
}

/// Reads a reply that says no.
pub(crate) fn refusal(
    operation: &'static Operation,
    reply: &Response<Bytes>,
    secret_key: &SecretKey,
) -> Error {
    // Some servers echo the request's headers.
    let body = String::from_utf8_lossy(reply.body()).replace(secret_key.expose(), MASK);
    Error::Api(Box::new(ApiError {
        operation,
        status: reply.status(),
        problem: Problem::from_json(body.as_bytes()),
        retry_after: headers::retry_after(reply.headers()),
        body,
    }))
}

/// Makes an error of an exchange that brought no reply.
pub(crate) fn no_reply(operation: &'static Operation, source: HttpError) -> Error {
    Error::Transport(TransportError { operation, source })
}

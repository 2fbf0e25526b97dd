//! One fetch of a key set over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH, USER_AGENT};
use http::{Request, StatusCode};

use super::jwks::{KeySet, MAX_KEY_SET};
use crate::chain::Chain;
use crate::http_client::{HttpClient, HttpError, HttpErrorKind, Limits, headers, user_agent};
use crate::verify::error::{FetchError, KeySetError};

/// Where an issuer publishes its keys, relative to the issuer.
pub(crate) const KEY_SET_PATH: &str = "/_torii/.well-known/jwks.json";
/// Until a connection must stand.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Part of a fetch's time after which an attempt must be over: 3 s of the default.
const ATTEMPT_SHARE: f64 = 0.6;

/// What a fetch brought.
#[derive(Debug)]
pub(super) struct Fetched {
    /// `None` when the endpoint says that nothing has changed.
    pub(super) keys: Option<KeySet>,
    pub(super) freshness: Option<Duration>,
    pub(super) etag: Option<String>,
}

/// Fetches the key set at `url`, unless it is still the one that `etag` names.
///
/// A broken connection and a server error are tried again, up to `attempts` in all; nothing else is.
pub(super) async fn fetch(
    client: &dyn HttpClient,
    url: &str,
    etag: Option<&str>,
    attempts: u32,
    timeout: Duration,
) -> Result<Fetched, FetchError> {
    let mut left = attempts;
    loop {
        left -= 1;
        match attempt(client, url, etag, timeout.mul_f64(ATTEMPT_SHARE)).await {
            Err(error) if left > 0 && worth_another(&error) => {
                tracing::debug!(error = %Chain(&error), "key set: trying once more");
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(
    client: &dyn HttpClient,
    url: &str,
    etag: Option<&str>,
    timeout: Duration,
) -> Result<Fetched, FetchError> {
    let mut request = Request::get(url)
        .header(ACCEPT, "application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, user_agent(None));
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = request
        .body(Bytes::new())
        .map_err(|error| HttpError::new(HttpErrorKind::Setup, error))?;
    let reply = client.send(request, Limits::new(timeout, MAX_KEY_SET)).await;
    let reply = reply.map_err(|error| match error.kind() {
        HttpErrorKind::TooLarge => FetchError::KeySet(KeySetError::TooLarge { limit: MAX_KEY_SET }),
        _ => FetchError::Http(error),
    })?;
    let keys = match reply.status() {
        StatusCode::OK => {
            if is_encoded(reply.headers()) {
                return Err(FetchError::ContentEncoding);
            }
            Some(KeySet::from_jwks(reply.body())?)
        }
        StatusCode::NOT_MODIFIED if etag.is_some() => None,
        status => {
            let retry_after = headers::retry_after(reply.headers());
            return Err(FetchError::Status {
                status: status.as_u16(),
                retry_after,
            });
        }
    };
    let etag = reply
        .headers()
        .get(ETAG)
        .and_then(|etag| etag.to_str().ok())
        .map(str::to_owned);
    Ok(Fetched {
        keys,
        freshness: headers::freshness(reply.headers()),
        etag,
    })
}

/// None was asked for, so whatever comes encoded is a mistake or a bomb.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn worth_another(error: &FetchError) -> bool {
    match error {
        FetchError::Http(error) => {
            matches!(
                error.kind(),
                HttpErrorKind::Connect | HttpErrorKind::Broken | HttpErrorKind::Timeout
            )
        }
        FetchError::Status { status, retry_after } => {
            matches!(status, 500 | 502 | 503 | 504) && retry_after.is_none()
        }
        _ => false,
    }
}

//! What a client gets whose request does not reach the inner service.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use torii_backend::VerifyError;

const AUTHENTICATION_FAILED: &str =
    r#"{"error":{"code":"authentication_failed","message":"Authentication failed."}}"#;
const KEYS_UNAVAILABLE: &str =
    r#"{"error":{"code":"keys_unavailable","message":"Authentication is temporarily unavailable."}}"#;
const CONFIGURATION_ERROR: &str =
    r#"{"error":{"code":"configuration_error","message":"Authentication is not configured correctly."}}"#;

/// The reply to a request that could not be authenticated: 401, 503 or 500, see the [crate's table](crate).
///
/// Every 401 has the same body. The cause goes to [`tracing`]: at `debug` for a refused token and for keys that cannot
/// be had (`torii-backend` warns once when such an outage begins and once when it ends), at `error` for a configuration
/// error.
pub fn rejection(error: &VerifyError) -> Response<Bytes> {
    let body = match error {
        VerifyError::Token(error) => {
            tracing::debug!(%error, "request refused");
            AUTHENTICATION_FAILED
        }
        VerifyError::KeysUnavailable(error) => {
            let cause = torii_backend::Chain(error.fetch_error());
            tracing::debug!(%error, %cause, "request refused");
            KEYS_UNAVAILABLE
        }
        error => {
            tracing::error!(%error, "request refused: the verifier is misconfigured");
            CONFIGURATION_ERROR
        }
    };
    let mut response = json(error.http_status(), body);
    let headers = response.headers_mut();
    if let Some(challenge) = error.www_authenticate() {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    response
}

/// The reply of a server that is put together wrongly: a 500 that does not say why. `cause` goes to [`tracing`], at
/// `error`.
#[doc(hidden)]
pub fn misconfigured(cause: &str) -> Response<Bytes> {
    tracing::error!(cause, "request refused");
    json(StatusCode::INTERNAL_SERVER_ERROR, CONFIGURATION_ERROR)
}

fn json(status: StatusCode, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Rounded up, so that a client that waits that long has waited long enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

pin_project! {
    /// The inner service's body, or that of a [`rejection`].
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = SourceProjection]
    enum Source<B> {
        Inner { #[pin] body: B },
        Rejection { unsent: Option<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn inner(body: B) -> Self {
        let source = Source::Inner { body };
        Self { source }
    }

    pub(crate) fn rejection(body: Bytes) -> Self {
        let source = Source::Rejection { unsent: Some(body) };
        Self { source }
    }
}

/// An empty reply, which layers such as `TimeoutLayer` and `CorsLayer` make on their own.
impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::inner(B::default())
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.project().source.project() {
            SourceProjection::Inner { body } => body.poll_frame(cx),
            SourceProjection::Rejection { unsent } => {
                Poll::Ready(unsent.take().map(|body| Ok(Frame::data(body))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Inner { body } => body.is_end_stream(),
            Source::Rejection { unsent } => unsent.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Inner { body } => body.size_hint(),
            Source::Rejection { unsent } => {
                SizeHint::with_exact(unsent.as_ref().map_or(0, |body| body.len() as u64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_a_whole_one() {
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::new(2, 1)), 3);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}

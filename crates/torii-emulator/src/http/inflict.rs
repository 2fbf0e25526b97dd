//! Carrying a fault out: replies that come late, wrong, in part or not at all.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::peer::Peer;
use super::problem::{self, Target};
use crate::faults::{Abort, Fault};

/// A reply, and whether a fault cuts it short.
pub(super) struct Reply {
    pub(super) response: Response<Body>,
    pub(super) cut: bool,
}

impl From<Response<Body>> for Reply {
    fn from(response: Response<Body>) -> Self {
        Self { response, cut: false }
    }
}

/// Does to a request what `fault` says. `real` is its real reply, which is not asked for where it cannot show.
pub(super) async fn inflict(
    fault: Fault,
    peer: &Peer,
    target: Target<'_>,
    real: impl Future<Output = Response<Body>>,
) -> Reply {
    if let Some(wait) = fault.latency_ms {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    match fault.abort {
        Some(Abort::Reset) => match peer.reset().await {},
        Some(Abort::Hang) => match peer.hang().await {},
        Some(Abort::Truncate) | None => {}
    }
    let mut response = if fault.status.is_some() || fault.body.is_some() {
        made_up(&fault, target)
    } else {
        real.await
    };
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    if fault.abort == Some(Abort::Truncate) {
        return truncated(response, peer).await;
    }
    response.into()
}

fn made_up(fault: &Fault, target: Target<'_>) -> Response<Body> {
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let (media_type, body) = match &fault.body {
        Some(Value::String(text)) => (
            HeaderValue::from_static("text/plain; charset=utf-8"),
            text.clone(),
        ),
        Some(value) => (HeaderValue::from_static("application/json"), value.to_string()),
        None if status.is_client_error() || status.is_server_error() => (
            problem::PROBLEM_JSON,
            problem::document(status, "fault_injected", "a fault of the local torii", target),
        ),
        None => (HeaderValue::from_static("application/json"), String::new()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

async fn truncated(response: Response<Body>, peer: &Peer) -> Reply {
    let (mut parts, body) = response.into_parts();
    // The bodies here are in memory; reading one does not fail.
    let whole = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    if whole.is_empty() {
        match peer.close().await {}
    }
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = HalfBody {
        half: Some(whole.slice(..whole.len() / 2)),
        flushed: false,
    };
    Reply {
        response: Response::from_parts(parts, Body::new(half)),
        cut: true,
    }
}

/// Half a body, then the failure that makes the server close the connection.
struct HalfBody {
    half: Option<Bytes>,
    flushed: bool,
}

impl http_body::Body for HalfBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.flushed {
            // The server writes out what it has when a body makes it wait.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut by a fault"))))
    }
}

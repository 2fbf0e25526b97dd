//! A service with the gate in front.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderValue, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::gate::{Decision, Gate};
use crate::response::ResponseBody;

/// A service behind an [`AuthLayer`](crate::AuthLayer).
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S> AuthService<S> {
    pub(crate) fn new(inner: S, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

impl<S: Clone> AuthService<S> {
    /// The instance that is ready. Readiness belongs to it alone and need not be cloned with it, so it must not stay
    /// behind: it may hold a permit.
    fn take_ready(&mut self) -> S {
        let successor = self.inner.clone();
        std::mem::replace(&mut self.inner, successor)
    }
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let protocol = self.gate.selected_protocol(&head.headers);
        let state = match self.gate.admit_at_once(&mut head) {
            Some(Ok(())) => State::Admitted {
                reply: self.inner.call(Request::from_parts(head, body)),
            },
            Some(Err(refusal)) => {
                drop(self.take_ready());
                State::Refused {
                    refusal: Some(refusal),
                }
            }
            None => State::Waiting {
                admitting: Box::pin(Arc::clone(&self.gate).admit(head, body)),
                inner: self.take_ready(),
            },
        };
        ResponseFuture { protocol, state }
    }
}

pin_project! {
    /// The reply of an [`AuthService`], to be awaited.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        protocol: Option<HeaderValue>,
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        Waiting { admitting: Admitting<B>, inner: S },
        Admitted { #[pin] reply: F },
        Refused { refusal: Option<Box<Response<Bytes>>> },
    }
}

/// Boxed because the verifier's future has no name. Only a token that was not seen before takes this way.
type Admitting<B> = Pin<Box<dyn Future<Output = Decision<Request<B>>> + Send>>;

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Waiting { admitting, inner } => match ready!(admitting.as_mut().poll(cx)) {
                    Ok(request) => State::Admitted {
                        reply: inner.call(request),
                    },
                    Err(refusal) => State::Refused {
                        refusal: Some(refusal),
                    },
                },
                StateProjection::Admitted { reply } => {
                    let mut reply = ready!(reply.poll(cx))?;
                    select(&mut reply, this.protocol.take());
                    return Poll::Ready(Ok(reply.map(ResponseBody::inner)));
                }
                StateProjection::Refused { refusal } => match refusal.take() {
                    Some(refusal) => return Poll::Ready(Ok(refusal.map(ResponseBody::rejection))),
                    // A future that is polled after its end may stay pending.
                    None => return Poll::Pending,
                },
            };
            this.state.set(next);
        }
    }
}

/// Browsers close a WebSocket whose handshake offers subprotocols and selects none.
fn select<R>(reply: &mut Response<R>, protocol: Option<HeaderValue>) {
    if let Some(protocol) = protocol
        && reply.status() == StatusCode::SWITCHING_PROTOCOLS
    {
        let headers = reply.headers_mut();
        headers.entry(SEC_WEBSOCKET_PROTOCOL).or_insert(protocol);
    }
}

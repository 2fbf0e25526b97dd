//! The gate in front of a service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use torii_backend::{Auth, ErrorCode, Verifier, VerifyError};
use tower_layer::Layer;
use tower_service::Service;

use crate::response::{ResponseBody, rejection};

/// Lets only requests with a valid token through to the inner service, which finds an [`Auth`] in their extensions.
///
/// With that `Auth` the inner service knows the caller; it must not read identities from other headers.
#[derive(Clone, Debug)]
#[must_use = "a layer protects nothing until it is applied"]
pub struct AuthLayer {
    gate: Gate,
}

impl AuthLayer {
    /// A layer that demands a token of every request.
    pub fn new(verifier: Verifier) -> Self {
        let gate = Gate {
            verifier,
            optional: false,
        };
        Self { gate }
    }

    /// Lets requests without credentials through as well, without an [`Auth`]. A token that was sent must still be
    /// valid.
    pub fn optional(mut self) -> Self {
        self.gate.optional = true;
        self
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService {
            inner,
            gate: self.gate.clone(),
        }
    }
}

/// A service behind an [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    gate: Gate,
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
        // Readiness belongs to one instance and need not be cloned with it: the ready one goes with this request.
        let successor = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, successor);
        let admission = Box::pin(self.gate.clone().admit(request));
        ResponseFuture {
            inner,
            state: State::Waiting { admission },
        }
    }
}

pin_project! {
    /// The reply of an [`AuthService`], to be awaited.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        inner: S,
        #[pin]
        state: State<S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B> {
        Waiting { admission: Admission<B> },
        Admitted { #[pin] reply: F },
    }
}

/// Boxed because the verifier's future has no name: one allocation, whatever the inner service's future is.
type Admission<B> = Pin<Box<dyn Future<Output = Result<Request<B>, VerifyError>> + Send>>;

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { admission } => match ready!(admission.as_mut().poll(cx)) {
                    Ok(request) => {
                        let reply = this.inner.call(request);
                        this.state.set(State::Admitted { reply });
                    }
                    Err(error) => return Poll::Ready(Ok(rejection(&error).map(ResponseBody::rejection))),
                },
                StateProjection::Admitted { reply } => {
                    return reply.poll(cx).map_ok(|reply| reply.map(ResponseBody::inner));
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Gate {
    verifier: Verifier,
    optional: bool,
}

impl Gate {
    /// The request, with the [`Auth`] in its extensions that this verification gave, and no other.
    async fn admit<B>(self, mut request: Request<B>) -> Result<Request<B>, VerifyError> {
        match self.verifier.authenticate_request(request.headers()).await {
            Ok(auth) => {
                request.extensions_mut().insert(auth);
            }
            Err(error) if self.optional && error.code() == ErrorCode::HeaderMissing => {
                request.extensions_mut().remove::<Auth>();
            }
            Err(error) => return Err(error),
        }
        Ok(request)
    }
}

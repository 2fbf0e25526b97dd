//! The gate in front of a service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
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
            on_refused: None,
        };
        Self { gate }
    }

    /// Lets requests without credentials through as well, without an [`Auth`]. A token that was sent must still be
    /// valid.
    pub fn optional(mut self) -> Self {
        self.gate.optional = true;
        self
    }

    /// Changes what the client of a refused request gets. `change` is given the cause and the reply that the layer
    /// would send, with its status, headers and body ([`rejection`]), and returns the reply to send.
    ///
    /// The cause is for logs and metrics. A reply that repeats it tells an attacker why a token was refused.
    ///
    /// ```
    /// use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
    /// # use torii_backend::Verifier;
    /// # use torii_backend_tower::AuthLayer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let verifier = Verifier::new("https://your-app.torii.so")?;
    /// let layer = AuthLayer::new(verifier).on_refused(|error, mut reply| {
    ///     if error.http_status() == StatusCode::UNAUTHORIZED {
    ///         reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    ///         *reply.body_mut() = "Please sign in.".into();
    ///     }
    ///     reply
    /// });
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_refused<F>(mut self, change: F) -> Self
    where
        F: Fn(&VerifyError, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    {
        self.gate.on_refused = Some(Arc::new(change));
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
        let admitting = Box::pin(self.gate.clone().admit(request));
        ResponseFuture {
            inner,
            state: State::Waiting { admitting },
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
        Waiting { admitting: Admitting<B> },
        Admitted { #[pin] reply: F },
    }
}

/// Boxed because the verifier's future has no name: one allocation, whatever the inner service's future is.
type Admitting<B> = Pin<Box<dyn Future<Output = Result<Request<B>, Response<Bytes>>> + Send>>;

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { admitting } => match ready!(admitting.as_mut().poll(cx)) {
                    Ok(request) => {
                        let reply = this.inner.call(request);
                        this.state.set(State::Admitted { reply });
                    }
                    Err(refusal) => return Poll::Ready(Ok(refusal.map(ResponseBody::rejection))),
                },
                StateProjection::Admitted { reply } => {
                    return reply.poll(cx).map_ok(|reply| reply.map(ResponseBody::inner));
                }
            }
        }
    }
}

/// What an [`AuthLayer`] found out about a request that it let through. It is in the request's extensions, beside the
/// [`Auth`], and only a layer can make one.
#[derive(Clone, Debug)]
pub struct Admission(Result<Auth, VerifyError>);

impl Admission {
    /// The caller; behind an [optional](AuthLayer::optional) layer, the error `header_missing` for a request that came
    /// without credentials.
    pub fn into_result(self) -> Result<Auth, VerifyError> {
        self.0
    }
}

#[derive(Clone)]
struct Gate {
    verifier: Verifier,
    optional: bool,
    on_refused: Option<Arc<OnRefused>>,
}

type OnRefused = dyn Fn(&VerifyError, Response<Bytes>) -> Response<Bytes> + Send + Sync;

impl Gate {
    /// The request, with the [`Auth`] in its extensions that this verification gave, and no other; or the reply of a
    /// refused one.
    async fn admit<B>(self, mut request: Request<B>) -> Result<Request<B>, Response<Bytes>> {
        let outcome = self.verifier.authenticate_request(request.headers()).await;
        let extensions = request.extensions_mut();
        match &outcome {
            Ok(auth) => {
                extensions.insert(auth.clone());
            }
            Err(error) if self.optional && error.code() == ErrorCode::HeaderMissing => {
                extensions.remove::<Auth>();
            }
            Err(error) => {
                let reply = rejection(error);
                return Err(match &self.on_refused {
                    Some(change) => change(error, reply),
                    None => reply,
                });
            }
        }
        extensions.insert(Admission(outcome));
        Ok(request)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("verifier", &self.verifier)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}

//! What a client gets whose request does not reach the inner service.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use torii_backend::{AccessError, Refusal};

/// The reply to a request that is not let in, as [`Refusal`] has it, which is in its extensions. The cause goes to
/// [`tracing`](https://docs.rs/tracing).
pub fn rejection(error: &AccessError) -> Response<Bytes> {
    let refusal = Refusal::new(error);
    let mut response = Response::new(Bytes::from(refusal.body()));
    *response.status_mut() = refusal.status();
    *response.headers_mut() = refusal.headers();
    // For protocols that say it in other words than HTTP.
    response.extensions_mut().insert(refusal);
    response
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
        // An empty body is at its end, so that HTTP/2 sends the headers alone.
        let unsent = Some(body).filter(|body| !body.is_empty());
        let source = Source::Rejection { unsent };
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

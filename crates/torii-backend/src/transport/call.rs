//! A call that is ready to be made.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use torii_backend_types::PageRequest;

#[cfg(feature = "blocking")]
use super::mode::Blocking;
use super::mode::{Async, Mode};
use super::problem;
use super::reply::{Read, Reply};
use super::request::{Options, Request};
use super::transport::Transport;
use crate::error::Error;

/// A call of the backend API that has not been made yet.
///
/// An asynchronous client's is made by awaiting it, a blocking client's by `send`. Before that, settings of this one call
/// can be changed.
///
/// A call becomes a future by [`IntoFuture`], as `.await`, `join!` and `timeout` do by themselves. Where a future is
/// wanted, as by `tokio::spawn` and `join_all`, write `call.into_future()`.
#[must_use = "a call is not made until it is awaited, or sent"]
#[derive(Debug)]
pub struct Call<M: Mode, T> {
    pub(super) transport: Arc<Transport<M>>,
    pub(super) request: Result<Request, Error>,
    pub(super) options: Options,
    pub(super) read: Read<T>,
}

/// A call under way.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

impl<M: Mode, T: DeserializeOwned> Call<M, T> {
    /// A call whose reply is a JSON document.
    pub(crate) fn json(transport: &Arc<Transport<M>>, request: Result<Request, Error>) -> Self {
        Self::new(transport.clone(), request, problem::read_json)
    }
}

impl<M: Mode> Call<M, ()> {
    /// A call whose reply has nothing in it that matters.
    pub(crate) fn nothing(transport: &Arc<Transport<M>>, request: Result<Request, Error>) -> Self {
        Self::new(transport.clone(), request, |_, _| Ok(()))
    }
}

impl<M: Mode, T> Call<M, T> {
    fn new(transport: Arc<Transport<M>>, request: Result<Request, Error>, read: Read<T>) -> Self {
        let options = Options::default();
        Self {
            transport,
            request,
            options,
            read,
        }
    }

    /// Reads the reply as a type of your own: as `Box<RawValue>` of [`serde_json`] it is the JSON as it came.
    pub fn reply_as<U: DeserializeOwned>(self) -> Call<M, U> {
        let options = self.options;
        Call {
            options,
            ..Call::new(self.transport, self.request, problem::read_json)
        }
    }

    /// The same call, to be made once more.
    pub(crate) fn again(&self) -> Self {
        let options = self.options.clone();
        Self {
            options,
            ..Self::new(self.transport.clone(), self.request.clone(), self.read)
        }
    }

    /// Changes which page is asked for.
    pub(crate) fn set_page(&mut self, change: impl FnOnce(&mut PageRequest)) {
        if let Ok(request) = &mut self.request {
            change(&mut request.page);
        }
    }

    /// Until the call returns, waits and retries included, instead of the client's
    /// [`call_timeout`](crate::ToriiBuilder::call_timeout).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// Until the last byte of one attempt's reply, instead of the client's
    /// [`attempt_timeout`](crate::ToriiBuilder::attempt_timeout).
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.options.attempt_timeout = Some(limit);
        self
    }

    /// Makes one attempt only.
    pub fn without_retries(mut self) -> Self {
        self.options.once = true;
        self
    }

    /// Sends these bytes in place of the request's JSON body. For the Python package.
    #[doc(hidden)]
    pub fn with_body(mut self, json: Bytes) -> Self {
        if let Ok(request) = &mut self.request
            && request.body.is_some()
        {
            request.body = Some(json);
        }
        self
    }

    /// Adds a header, in place of any of ours of that name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.insert(name, value);
        self
    }
}

impl<T: Send + 'static> Call<Async, T> {
    /// Makes the call, and keeps what came with the value.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn with_reply(self) -> Result<Reply<T>, Error> {
        self.transport.call(self.request?, &self.options, self.read).await
    }
}

impl<T: Send + 'static> IntoFuture for Call<Async, T> {
    type Output = Result<T, Error>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.with_reply().await.map(Reply::into_value) })
    }
}

#[cfg(feature = "blocking")]
impl<T> Call<Blocking, T> {
    /// Makes the call on this thread.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send(self) -> Result<T, Error> {
        self.send_with_reply().map(Reply::into_value)
    }

    /// Makes the call on this thread, and keeps what came with the value.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send_with_reply(self) -> Result<Reply<T>, Error> {
        self.transport
            .call_blocking(self.request?, &self.options, self.read)
    }
}

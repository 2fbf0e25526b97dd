//! Lists: one page, or all of them one after the other. The only paging loop.

use std::collections::VecDeque;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use torii_backend_types::{Cursor, Page};

use crate::error::{Error, PagingError};
use crate::transport::{Async, Call, CallFuture, Mode, Reply, Request, Transport};

/// A list that has not been asked for yet.
///
/// Awaiting it (for a blocking client: `send`) brings one page. [`items`](List::items) and
/// [`pages`](List::pages) bring the whole list.
#[must_use = "a list is not asked for until it is awaited or sent"]
#[derive(Debug)]
pub struct List<M: Mode, T> {
    call: Call<M, Page<T>>,
}

impl<M: Mode, T: DeserializeOwned> List<M, T> {
    pub(crate) fn new(transport: &Arc<Transport<M>>, request: Result<Request, Error>) -> Self {
        Self {
            call: Call::json(transport, request),
        }
    }

    /// Reads each item as a type of your own: see [`Call::reply_as`].
    pub fn items_as<U: DeserializeOwned>(self) -> List<M, U> {
        List {
            call: self.call.reply_as(),
        }
    }

    /// Most items in a page. The service clamps it to 1–100; its default is 20.
    pub fn limit(mut self, limit: u32) -> Self {
        self.call.set_page(|page| page.limit = Some(limit));
        self
    }

    /// Starts where an earlier page ended: its [`next_cursor`](Page::next_cursor).
    pub fn cursor(mut self, cursor: impl Into<Cursor>) -> Self {
        let cursor = cursor.into();
        self.call.set_page(|page| page.cursor = Some(cursor));
        self
    }

    /// For each page: see [`Call::timeout`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.timeout(limit);
        self
    }

    /// For each page: see [`Call::attempt_timeout`].
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.attempt_timeout(limit);
        self
    }

    /// For each page: see [`Call::without_retries`].
    pub fn without_retries(mut self) -> Self {
        self.call = self.call.without_retries();
        self
    }

    /// See [`Call::with_body`].
    #[doc(hidden)]
    pub fn with_body(mut self, json: Bytes) -> Self {
        self.call = self.call.with_body(json);
        self
    }

    /// For each page: see [`Call::header`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.call = self.call.header(name, value);
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> List<Async, T> {
    /// Asks for one page, and keeps what came with it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn with_reply(self) -> Result<Reply<Page<T>>, Error> {
        self.call.with_reply().await
    }

    /// Every item, in the list's order; a page is asked for when the items of the last have been taken. After an error
    /// the stream ends.
    pub fn items(self) -> Items<T> {
        Items {
            pages: self.pages(),
            items: VecDeque::new(),
        }
    }

    /// Every page. A page's [`next_cursor`](Page::next_cursor) is where a later call can go on. After an error the
    /// stream ends.
    pub fn pages(self) -> Pages<T> {
        Pages {
            paginator: Paginator::new(self.call),
            coming: None,
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for List<Async, T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = CallFuture<Page<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.call.into_future()
    }
}

#[cfg(feature = "blocking")]
impl<T: DeserializeOwned> List<crate::transport::Blocking, T> {
    /// Asks for one page on this thread.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send(self) -> Result<Page<T>, Error> {
        self.call.send()
    }

    /// Asks for one page on this thread, and keeps what came with it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn send_with_reply(self) -> Result<Reply<Page<T>>, Error> {
        self.call.send_with_reply()
    }

    /// Every item, in the list's order; a page is asked for when the items of the last have been taken. After an error
    /// the iterator ends.
    pub fn items(self) -> impl Iterator<Item = Result<T, Error>> {
        self.pages().flat_map(|page| {
            let (items, error) = match page {
                Ok(page) => (page.items, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            items.into_iter().map(Ok).chain(error)
        })
    }

    /// Every page. After an error the iterator ends.
    pub fn pages(self) -> impl Iterator<Item = Result<Page<T>, Error>> {
        let mut paginator = Paginator::new(self.call);
        std::iter::from_fn(move || {
            let outcome = paginator.next_call()?.and_then(Call::send);
            Some(paginator.take_in(outcome))
        })
    }
}

/// Every item of a list. From [`List::items`].
#[must_use = "a stream does nothing until it is polled"]
#[derive(Debug)]
pub struct Items<T> {
    pages: Pages<T>,
    items: VecDeque<T>,
}

impl<T: DeserializeOwned + Send + Unpin + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                Some(Ok(page)) => self.items = page.items.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// Every page of a list. From [`List::pages`].
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<T> {
    paginator: Paginator<Async, T>,
    coming: Option<CallFuture<Page<T>>>,
}

impl<T: DeserializeOwned + Send + Unpin + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let coming = match &mut this.coming {
            Some(coming) => coming,
            None => match this.paginator.next_call() {
                Some(Ok(call)) => this.coming.insert(call.into_future()),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            },
        };
        let outcome = ready!(coming.as_mut().poll(cx));
        this.coming = None;
        Poll::Ready(Some(this.paginator.take_in(outcome)))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// Where in a list its reader is. Says what to ask for, and takes in what came; asks for nothing itself.
struct Paginator<M: Mode, T> {
    call: Call<M, Page<T>>,
    next: Next,
    cycle: Cycle,
}

enum Next {
    Ask,
    Fail(PagingError),
    End,
}

impl<M: Mode, T> Paginator<M, T> {
    fn new(call: Call<M, Page<T>>) -> Self {
        Self {
            call,
            next: Next::Ask,
            cycle: Cycle::default(),
        }
    }

    /// The next page's call, or the error that stands in its place. `None` at the end.
    fn next_call(&mut self) -> Option<Result<Call<M, Page<T>>, Error>> {
        match std::mem::replace(&mut self.next, Next::End) {
            Next::Ask => Some(Ok(self.call.again())),
            Next::Fail(error) => Some(Err(Error::Paging(error))),
            Next::End => None,
        }
    }

    /// Takes a page in. A page whose pointer is wrong is still a page: the error comes after it.
    fn take_in(&mut self, outcome: Result<Page<T>, Error>) -> Result<Page<T>, Error> {
        self.next = match &outcome {
            Err(_) => Next::End,
            Ok(page) => match &page.next_cursor {
                _ if !page.has_more => Next::End,
                None => Next::Fail(PagingError::MissingCursor),
                Some(cursor) if self.cycle.closes(cursor) => Next::Fail(PagingError::RepeatedCursor),
                Some(cursor) => {
                    self.call.set_page(|page| page.cursor = Some(cursor.clone()));
                    Next::Ask
                }
            },
        };
        outcome
    }
}

/// Notices that cursors repeat, remembering one of them ([Brent's algorithm](https://doi.org/10.1007/BF01933190)).
#[derive(Default)]
struct Cycle {
    remembered: Option<Cursor>,
    seen: u64,
}

impl Cycle {
    fn closes(&mut self, cursor: &Cursor) -> bool {
        self.seen += 1;
        let closes = self.remembered.as_ref() == Some(cursor);
        if self.seen.is_power_of_two() {
            self.remembered = Some(cursor.clone());
        }
        closes
    }
}

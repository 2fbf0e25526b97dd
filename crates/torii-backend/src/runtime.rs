//! The two background threads of a process: one performs HTTP exchanges, the other keeps deadlines.
//!
//! Callers need no runtime of their own, and a connection outlives the caller that opened it. Both threads start with
//! the first use. A fork's child starts its own ([`PerProcess`]).

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, Timeout};
use tracing::instrument::WithSubscriber;

use crate::process::PerProcess;

/// How often a blocking wait asks whether it is to end: soon enough for Ctrl-C to feel prompt.
pub const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

/// Name look-ups at one time, each on a thread: more would only pile up before a resolver that does not answer.
const MAX_LOOKUPS: usize = 16;

static EXCHANGES: PerProcess<Background> = PerProcess::new();
/// Apart from the exchanges, so that no deadline is late when an [`HttpClient`](crate::http_client::HttpClient) or the
/// operating system's certificate check blocks its thread.
static DEADLINES: PerProcess<Background> = PerProcess::new();

/// A runtime on a thread of its own.
struct Background {
    runtime: Handle,
    /// Dropped, it ends the thread: of two that start at the same moment, one is not kept.
    _alive: oneshot::Sender<()>,
}

impl Background {
    fn start(name: &str, builder: &mut Builder) -> io::Result<Self> {
        let runtime = builder.build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // It is an error by design: nothing is ever sent.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Self {
            runtime: handle,
            _alive: alive,
        })
    }
}

fn exchanges() -> io::Result<Handle> {
    let start = || {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().max_blocking_threads(MAX_LOOKUPS);
        Background::start("torii-http", &mut builder)
    };
    Ok(EXCHANGES.get_or_try_make(start)?.runtime.clone())
}

fn deadlines() -> io::Result<Handle> {
    let start = || Background::start("torii-deadlines", Builder::new_current_thread().enable_time());
    Ok(DEADLINES.get_or_try_make(start)?.runtime.clone())
}

/// Runs `future` on the process's thread for exchanges.
///
/// What it logs goes to the caller's subscriber.
///
/// # Errors
///
/// If the thread cannot be started.
pub fn spawn<F>(future: F) -> io::Result<Running<F::Output>>
where
    F: Future<Output: Send> + Send + 'static,
{
    let task = exchanges()?.spawn(future.with_current_subscriber());
    Ok(Running(task))
}

/// Runs `future` until `deadline`, which is kept as [`sleep_until`] keeps it.
///
/// # Errors
///
/// If the thread for deadlines cannot be started.
pub(crate) fn timeout_at<F: Future>(deadline: Instant, future: F) -> io::Result<Timeout<F>> {
    let runtime = deadlines()?;
    let _entered = runtime.enter();
    Ok(tokio::time::timeout_at(deadline.into(), future))
}

/// Ends at `deadline`. Any executor can poll it, and nothing that blocks a thread for exchanges delays it.
///
/// # Errors
///
/// If the thread for deadlines cannot be started.
pub(crate) fn sleep_until(deadline: Instant) -> io::Result<Sleep> {
    let runtime = deadlines()?;
    let _entered = runtime.enter();
    Ok(tokio::time::sleep_until(deadline.into()))
}

/// A future on the process's runtime. Any executor can wait for it; dropped, it is cancelled.
#[derive(Debug)]
#[must_use = "dropped, it is cancelled"]
pub struct Running<T>(JoinHandle<T>);

/// Why a [`Running`] future brought nothing: it panicked.
#[derive(Debug, thiserror::Error)]
#[error("a background task panicked")]
pub struct Panicked;

impl<T> Running<T> {
    /// Waits on this thread. `interrupted` is asked every [`INTERRUPT_INTERVAL`]; after `true` the future is cancelled,
    /// and there is no outcome.
    ///
    /// # Errors
    ///
    /// If the future panicked.
    pub fn wait(self, interrupted: impl Fn() -> bool) -> Result<Option<T>, Panicked> {
        poll_until(pin!(self), interrupted).transpose()
    }
}

/// Drives `future` on this thread, with the runtime for exchanges entered. `interrupted` is asked as by
/// [`Running::wait`]; after `true` there is no outcome, and the future can be driven on.
///
/// # Errors
///
/// If the thread for exchanges cannot be started.
#[cfg(feature = "blocking")]
pub(crate) fn block_on<F: Future>(
    future: Pin<&mut F>,
    interrupted: impl Fn() -> bool,
) -> io::Result<Option<F::Output>> {
    let runtime = exchanges()?;
    let _entered = runtime.enter();
    Ok(poll_until(future, interrupted))
}

fn poll_until<F: Future>(mut future: Pin<&mut F>, interrupted: impl Fn() -> bool) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut ask_at = Instant::now() + INTERRUPT_INTERVAL;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        thread::park_timeout(ask_at.saturating_duration_since(Instant::now()));
        if Instant::now() >= ask_at {
            if interrupted() {
                return None;
            }
            ask_at = Instant::now() + INTERRUPT_INTERVAL;
        }
    }
}

impl<T> Future for Running<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).map_err(|_| Panicked))
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

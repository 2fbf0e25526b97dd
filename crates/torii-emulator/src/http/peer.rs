//! A connection, as the requests on it see it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a request's head may take, from its first byte.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may lie idle between requests. Longer than clients keep theirs, so that it is the client
/// that closes and no request meets a connection that is just going.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// A client's connection, as the requests on it see it.
pub(super) struct Peer {
    address: SocketAddr,
    /// Told when the connection is to end.
    end: Notify,
    /// Whether that end is a reset.
    reset: AtomicBool,
    progress: Mutex<Progress>,
}

/// What the connection is waiting for.
#[derive(Clone, Copy)]
pub(super) enum Progress {
    /// Its first request, or the rest of the head of another.
    Head { since: Instant },
    /// The emulator.
    Reply,
    /// The next request.
    Idle { since: Instant },
    /// Nothing: it hangs.
    Nothing,
}

impl Peer {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            end: Notify::new(),
            reset: AtomicBool::new(false),
            progress: Mutex::new(Progress::Head {
                since: Instant::now(),
            }),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the connection with a TCP reset.
    pub(super) async fn reset(&self) -> Infallible {
        self.reset.store(true, Ordering::SeqCst);
        self.close().await
    }

    /// Ends the connection without another byte.
    pub(super) async fn close(&self) -> Infallible {
        self.end();
        std::future::pending().await
    }

    pub(super) fn end(&self) {
        self.end.notify_one();
    }

    /// Waits until the connection is to end.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }

    /// Leaves the connection open, and says nothing on it any more.
    pub(super) async fn hang(&self) -> Infallible {
        *self.progress() = Progress::Nothing;
        std::future::pending().await
    }

    pub(super) fn is_overdue(&self) -> bool {
        match *self.progress() {
            Progress::Head { since } => since.elapsed() > HEAD_TIMEOUT,
            Progress::Reply | Progress::Nothing => false,
            Progress::Idle { since } => since.elapsed() > IDLE_TIMEOUT,
        }
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        match *self.progress() {
            Progress::Idle { since } => Some(since),
            Progress::Head { .. } | Progress::Reply | Progress::Nothing => None,
        }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Carries a fetch out in the background, and wakes the callers that wait for it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fetch::Fetched;
use super::sync::{AtomicBool, Event, Listener, spawn, timeout_at};
use crate::http_client::HttpErrorKind;
use crate::verify::error::FetchError;

type Outcome = Result<Fetched, FetchError>;

/// A fetch that is this far beyond its limit is abandoned: what carries it out is blocked.
const OVERDUE_AFTER: Duration = Duration::from_secs(1);

/// A fetch under way.
#[derive(Debug)]
pub(super) struct Fetch {
    started: Instant,
    timeout: Duration,
    attempts: u32,
    ends_idleness: bool,
    has_ended: AtomicBool,
    ended: Event,
}

impl Fetch {
    pub(super) fn new(timeout: Duration, attempts: u32, ends_idleness: bool) -> Self {
        Self {
            started: Instant::now(),
            timeout,
            attempts,
            ends_idleness,
            has_ended: AtomicBool::new(false),
            ended: Event::new(),
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// How often the endpoint may be asked.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether callers whose key is at hand wait for it a short while, because the keys lay unused for long.
    pub(super) fn ends_idleness(&self) -> bool {
        self.ends_idleness
    }

    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Until the fetch is overdue.
    pub(super) fn time_left(&self) -> Duration {
        (self.timeout + OVERDUE_AFTER).saturating_sub(self.age())
    }

    pub(super) fn is_overdue(&self) -> bool {
        self.time_left().is_zero()
    }

    pub(super) fn waiters(&self) -> usize {
        self.ended.total_listeners()
    }

    /// Wakes the waiters.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.ended.notify(usize::MAX);
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Waits until the fetch has ended or `until` has come, on any executor.
    pub(super) async fn wait(&self, until: Instant) {
        let ended = self.ended.listen();
        if !self.has_ended() {
            // Without a thread for deadlines there is no wait.
            let _ = timeout_at(until, ended).await;
        }
    }

    /// [`wait`](Self::wait), for a thread.
    pub(super) fn wait_blocking(&self, until: Instant) {
        let ended = self.ended.listen();
        if !self.has_ended() {
            ended.wait_deadline(until);
        }
    }

    /// Runs `exchange` in the background, for no longer than the fetch may take, and hands its outcome to `done`.
    ///
    /// No caller's cancellation and no end of a caller's runtime stops it. `done` is called in any case, also when the
    /// thread cannot be started or the exchange panics.
    pub(super) fn carry_out(
        &self,
        exchange: impl Future<Output = Outcome> + Send + 'static,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let mut done = Done(Some(done));
        let deadline = self.started + self.timeout;
        let spawned = spawn(async move {
            done.call(match timeout_at(deadline, exchange).await {
                Ok(Some(outcome)) => outcome,
                Ok(None) => Err(FetchError::Http(HttpErrorKind::Timeout.into())),
                Err(_) => Err(FetchError::Aborted),
            });
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "the thread for fetching key sets cannot be started");
        }
    }
}

/// Is called once, at the latest when it is dropped.
struct Done<F: FnOnce(Outcome)>(Option<F>);

impl<F: FnOnce(Outcome)> Done<F> {
    fn call(&mut self, outcome: Outcome) {
        if let Some(done) = self.0.take() {
            done(outcome);
        }
    }
}

impl<F: FnOnce(Outcome)> Drop for Done<F> {
    fn drop(&mut self) {
        self.call(Err(FetchError::Aborted));
    }
}

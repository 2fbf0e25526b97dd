//! One fetch under way, and those who wait for it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sync::{AtomicBool, AtomicUsize, Event, Listener};

/// Longest flight, and so the longest wait for the first key set.
pub(crate) const FETCH_LIMIT: Duration = Duration::from_secs(5);
/// How often waiting callers look at their own deadline. The fetching thread sets the beat, so that a waiting task
/// needs no timer, and with it no particular runtime.
pub(crate) const BEAT: Duration = Duration::from_millis(50);
/// A flight that is this far beyond its limit will never land: its thread is gone.
const LOST_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Flight {
    id: u64,
    attempts: u32,
    ends_idleness: bool,
    started: Instant,
    landed: AtomicBool,
    waiters: AtomicUsize,
    beat: Event,
}

impl Flight {
    pub(crate) fn new(id: u64, attempts: u32, ends_idleness: bool) -> Self {
        Self {
            id,
            attempts,
            ends_idleness,
            started: Instant::now(),
            landed: AtomicBool::new(false),
            waiters: AtomicUsize::new(0),
            beat: Event::new(),
        }
    }

    /// Grows from flight to flight.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How often the endpoint may be asked.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether it is worth a short wait even to those whose key is at hand.
    pub(crate) fn ends_idleness(&self) -> bool {
        self.ends_idleness
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.age() > FETCH_LIMIT + LOST_AFTER
    }

    pub(crate) fn waiters(&self) -> usize {
        self.waiters.load(Ordering::Relaxed)
    }

    /// Wakes every waiter to look at its deadline.
    pub(crate) fn wake(&self) {
        self.beat.notify(usize::MAX);
    }

    /// Ends the flight: nobody waits for it any longer.
    pub(crate) fn land(&self) {
        self.landed.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn has_landed(&self) -> bool {
        self.landed.load(Ordering::Acquire)
    }

    /// Waits until the flight has landed or `until` has come.
    pub(crate) async fn wait(&self, until: Instant) {
        let _counted = Waiter::count(self);
        loop {
            let beat = self.beat.listen();
            if self.is_over(until) {
                return;
            }
            beat.await;
        }
    }

    /// [`wait`](Self::wait), for a thread.
    pub(crate) fn wait_blocking(&self, until: Instant) {
        let _counted = Waiter::count(self);
        loop {
            let beat = self.beat.listen();
            if self.is_over(until) {
                return;
            }
            beat.wait_deadline(until);
        }
    }

    /// Half a beat early rather than half a beat late.
    fn is_over(&self, until: Instant) -> bool {
        self.has_landed() || Instant::now() + BEAT / 2 >= until
    }
}

/// Counts a waiter for as long as it waits, cancelled ones too.
struct Waiter<'f>(&'f Flight);

impl<'f> Waiter<'f> {
    fn count(flight: &'f Flight) -> Self {
        flight.waiters.fetch_add(1, Ordering::Relaxed);
        Self(flight)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiters.fetch_sub(1, Ordering::Relaxed);
    }
}

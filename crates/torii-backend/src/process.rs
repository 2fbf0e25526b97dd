//! What a process does not inherit by a fork.
//!
//! A fork's child has one thread, and its parent's memory as it stood. A lock that another thread held stays held for
//! ever, a connection is the parent's too, and threads and runtimes are only remembered. What can be any of these lives
//! in a `PerProcess`; what is plain data, such as the keys of an issuer, serves the child as it served the parent.

use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

/// Grows with every fork on the way from the first process to this one.
static EPOCH: AtomicU64 = AtomicU64::new(0);

/// Tells this crate that the process is a fork's child. Call it there before anything else of this crate, from a
/// `pthread_atfork` handler for example: it is async-signal-safe.
///
/// What was made before the fork then works in the child: verifiers keep their keys, and verifiers and clients open
/// connections of their own. What the parent had opened is left alone and never freed. A child that only calls `exec`
/// needs none of this, and a process that has not forked comes to no harm. A [`Clock`](crate::clock::Clock) or an
/// [`HttpClient`](crate::http_client::HttpClient) of your own has to survive by itself.
pub fn forked() {
    EPOCH.fetch_add(1, Ordering::Release);
}

/// Which process this is, among those that forked from each other.
pub(crate) fn epoch() -> u64 {
    EPOCH.load(Ordering::Acquire)
}

/// A random number from 0 to 1. Children of one fork inherit one generator and still draw different numbers, so that
/// they do not all come back at the same moment.
#[cfg(feature = "http")]
pub(crate) fn chance() -> f64 {
    fastrand::Rng::with_seed(fastrand::u64(..) ^ u64::from(std::process::id())).f64()
}

/// A value that each process makes for itself. Not a part of the interface: the Python package keeps its runtime in one.
///
/// Getting it takes no lock, so that it can be had in the child of any fork. Threads that come at the same moment may
/// each make a value; all of them get the same one. A parent's value is leaked: dropping it could wait for a lock that
/// nobody will release, or write on the parent's connections.
#[doc(hidden)]
pub struct PerProcess<T>(ArcSwapOption<Made<T>>);

struct Made<T> {
    epoch: u64,
    value: Arc<T>,
}

impl<T> PerProcess<T> {
    /// One that nobody has made yet.
    #[expect(clippy::new_without_default, reason = "made in statics")]
    pub const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Looks at this process's value, if it has been made.
    pub fn look<R>(&self, look: impl FnOnce(&Arc<T>) -> R) -> Option<R> {
        let made = self.0.load();
        let own = made.as_ref().filter(|made| made.is_own())?;
        Some(look(&own.value))
    }

    /// This process's value, made if it has not been.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let Ok(value) = self.get_or_try_make(|| Ok::<_, Infallible>(make()));
        value
    }

    /// [`get_or_make`](Self::get_or_make), where making can fail.
    pub fn get_or_try_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(value) = self.look(Arc::clone) {
            return Ok(value);
        }
        let made = Arc::new(Made {
            epoch: epoch(),
            value: Arc::new(make()?),
        });
        let before = self.0.rcu(|current| {
            let first = current.as_ref().filter(|current| current.is_own());
            Some(first.unwrap_or(&made).clone())
        });
        Ok(match before {
            Some(first) if first.is_own() => first.value.clone(),
            inherited => {
                mem::forget(inherited);
                made.value.clone()
            }
        })
    }
}

impl<T> Made<T> {
    fn is_own(&self) -> bool {
        self.epoch == epoch()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.0.load().as_ref().is_some_and(|made| !made.is_own()) {
            mem::forget(self.0.swap(None));
        }
    }
}

/// Says nothing of the value, whose own `Debug` may take a lock.
impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").finish_non_exhaustive()
    }
}

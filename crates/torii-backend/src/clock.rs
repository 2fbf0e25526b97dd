//! Time as an argument. Everything that compares instants takes them from a [`Clock`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;

/// Where the time comes from. The default is [`SystemClock`]; tests use [`ManualClock`].
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;
}

impl<C: Clock> Clock for Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }
}

/// One moment as two clocks show it.
///
/// Wall time may jump; monotonic time stands still while a machine or a container is frozen. An age is therefore
/// the larger of the two differences: a key set never looks younger than it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// Time since the Unix epoch.
    pub wall: Duration,
    /// Time since an arbitrary start; never goes back.
    pub monotonic: Duration,
}

impl Moment {
    /// The moment at which the two clocks show these times.
    pub fn new(wall: Duration, monotonic: Duration) -> Self {
        Self { wall, monotonic }
    }

    /// Whole seconds since the Unix epoch: what the claims of a token are compared with.
    pub fn unix_seconds(&self) -> u64 {
        self.wall.as_secs()
    }

    /// How long ago `earlier` was: the larger of both clocks' answers, never negative.
    pub fn since(&self, earlier: Moment) -> Duration {
        let wall = self.wall.saturating_sub(earlier.wall);
        wall.max(self.monotonic.saturating_sub(earlier.monotonic))
    }
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // Before 1970 reads as 1970: such a clock is wrong, and every token is then refused as issued in the future.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment {
            wall,
            monotonic: start().elapsed(),
        }
    }
}

/// The start of monotonic time. Without a lock, and the same in the children of a fork, where ages count on.
fn start() -> Instant {
    static START: ArcSwapOption<Instant> = ArcSwapOption::const_empty();
    if let Some(start) = START.load().as_deref() {
        return *start;
    }
    let now = Arc::new(Instant::now());
    let first = START.rcu(|first| Some(first.clone().unwrap_or_else(|| now.clone())));
    *first.unwrap_or(now)
}

/// A clock that moves only when told to. Clones share the time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<ManualTime>);

#[derive(Debug)]
struct ManualTime {
    start_unix_seconds: u64,
    monotonic_millis: AtomicU64,
    wall_offset_millis: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `unix_seconds`.
    pub fn at(unix_seconds: u64) -> Self {
        Self(Arc::new(ManualTime {
            start_unix_seconds: unix_seconds,
            monotonic_millis: AtomicU64::new(0),
            wall_offset_millis: AtomicI64::new(0),
        }))
    }

    /// A clock that stands at the present time.
    pub fn now() -> Self {
        Self::at(SystemClock.now().unix_seconds())
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        self.0.monotonic_millis.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Makes the wall clock alone jump, forwards or back, as a time server's correction does.
    pub fn jump_wall_seconds(&self, by: i64) {
        self.0
            .wall_offset_millis
            .fetch_add(by.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        let monotonic = Duration::from_millis(self.0.monotonic_millis.load(Ordering::SeqCst));
        let offset = self.0.wall_offset_millis.load(Ordering::SeqCst);
        let jump = Duration::from_millis(offset.unsigned_abs());
        let unjumped = Duration::from_secs(self.0.start_unix_seconds) + monotonic;
        let wall = if offset < 0 {
            unjumped.saturating_sub(jump)
        } else {
            unjumped + jump
        };
        Moment { wall, monotonic }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

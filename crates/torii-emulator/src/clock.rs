//! The emulator's clock: the system's, moved by an offset that tests choose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use torii_backend_types::Timestamp;

use crate::error::Error;

/// The furthest that the clock can be moved, either way: a hundred years.
pub const MAX_CLOCK_OFFSET_SECONDS: i64 = 100 * 365 * 24 * 60 * 60;

/// Rules every timestamp that the emulator writes and every lifetime that it checks. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    offset_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in whole microseconds: what the store keeps and what travels.
    pub(crate) fn now(&self) -> Timestamp {
        let micros = Timestamp::now().as_microsecond();
        from_micros(micros.saturating_add(self.offset_seconds().saturating_mul(1_000_000)))
    }

    pub(crate) fn offset_seconds(&self) -> i64 {
        self.offset_seconds.load(Ordering::SeqCst)
    }

    pub(crate) fn set_offset_seconds(&self, seconds: i64) -> Result<(), Error> {
        check_offset(seconds)?;
        self.offset_seconds.store(seconds, Ordering::SeqCst);
        Ok(())
    }
}

/// Refuses an offset that is too far.
pub(crate) fn check_offset(seconds: i64) -> Result<(), Error> {
    if seconds.unsigned_abs() > MAX_CLOCK_OFFSET_SECONDS.unsigned_abs() {
        return Err(Error::invalid(format!(
            "offsetSeconds must be within ±{MAX_CLOCK_OFFSET_SECONDS}"
        )));
    }
    Ok(())
}

/// An instant from its microseconds since 1970, held inside the range that a timestamp can express.
pub(crate) fn from_micros(micros: i64) -> Timestamp {
    let clamped = micros.clamp(Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    Timestamp::from_microsecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH)
}

//! Ending a blocking call from outside, as Ctrl-C does.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long is waited before the application is asked: soon enough for Ctrl-C to feel prompt.
pub(crate) const BEAT: Duration = Duration::from_millis(50);

/// Whom to ask whether a call is to end. By default nobody, and waits are not cut into slices.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Option<Arc<Hook>>);

type Hook = dyn Fn() -> bool + Send + Sync;

impl Interrupt {
    pub(crate) fn new(hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// How much of a wait may pass before the next question, when `unasked` has passed since the last.
    pub(crate) fn slice(&self, left: Duration, unasked: Duration) -> Duration {
        match self.0 {
            Some(_) => left.min(BEAT.saturating_sub(unasked)),
            None => left,
        }
    }

    pub(crate) fn ask(&self) -> Result<(), Interrupted> {
        match &self.0 {
            Some(hook) if hook() => Err(Interrupted),
            _ => Ok(()),
        }
    }

    /// Sleeps, unless it is interrupted.
    pub(crate) fn sleep(&self, wait: Duration) -> Result<(), Interrupted> {
        let mut left = wait;
        while !left.is_zero() {
            let slice = self.slice(left, Duration::ZERO);
            thread::sleep(slice);
            left -= slice;
            self.ask()?;
        }
        Ok(())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.0.is_some()).finish()
    }
}

/// The application wants the call to end.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the application interrupted the call")
    }
}

impl StdError for Interrupted {}

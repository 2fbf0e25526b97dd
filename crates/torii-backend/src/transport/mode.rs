//! How calls are made: awaited, or waited for on the calling thread.

use std::fmt;
use std::sync::Arc;

/// How a client makes its calls: [`Async`] or, with the feature `blocking`, `Blocking`.
pub trait Mode: sealed::Mode {}

/// Calls are awaited.
#[derive(Clone, Copy, Debug)]
pub struct Async;

/// Calls wait on the calling thread.
#[cfg(feature = "blocking")]
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Mode for Async {}
#[cfg(feature = "blocking")]
impl Mode for Blocking {}

mod sealed {
    pub trait Mode: std::fmt::Debug + Copy + Send + Sync + 'static {}

    impl Mode for super::Async {}
    #[cfg(feature = "blocking")]
    impl Mode for super::Blocking {}
}

/// Whom a blocking call asks whether it is to end.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

#[cfg(feature = "blocking")]
impl Interrupt {
    pub(crate) fn new(hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    pub(super) fn ask(&self) -> bool {
        self.0.as_ref().is_some_and(|hook| hook())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.0.is_some()).finish()
    }
}

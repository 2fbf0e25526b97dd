//! What the key cache waits and locks with, and where it runs fetches. The model check (`--cfg torii_model_check`) puts
//! shuttle's in their place, which runs the threads in many different orders.

#[cfg(not(torii_model_check))]
mod primitives {
    pub(crate) use std::sync::atomic::AtomicBool;
    pub(crate) use std::sync::{Mutex, MutexGuard};

    pub(crate) use event_listener::{Event, Listener};

    pub(crate) use crate::runtime::{spawn_detached as spawn, timeout_at};
}

#[cfg(torii_model_check)]
mod primitives {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Instant;

    pub(crate) use shuttle::sync::atomic::AtomicBool;
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    use shuttle::sync::{Arc, Condvar};

    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        shuttle::thread::spawn(|| shuttle::future::block_on(future));
        Ok(())
    }

    pub(crate) async fn timeout_at<F: Future>(
        _deadline: Instant,
        future: F,
    ) -> io::Result<Option<F::Output>> {
        Ok(Some(future.await))
    }

    /// An `event_listener::Event`. Time stands still in a model, so that a wake-up that is lost is a deadlock.
    #[derive(Debug, Default)]
    pub(crate) struct Event(Arc<(Mutex<u64>, Condvar)>);

    impl Event {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn notify(&self, _everybody: usize) {
            let (count, changed) = &*self.0;
            *lock(count) += 1;
            changed.notify_all();
        }

        pub(crate) fn total_listeners(&self) -> usize {
            0
        }

        pub(crate) fn listen(&self) -> EventListener {
            let seen = *lock(&self.0.0);
            EventListener {
                event: self.0.clone(),
                seen,
            }
        }
    }

    pub(crate) struct EventListener {
        event: Arc<(Mutex<u64>, Condvar)>,
        seen: u64,
    }

    /// The trait that `event_listener` has its blocking waits on.
    pub(crate) trait Listener {
        fn wait_deadline(self, until: Instant);
    }

    impl Listener for EventListener {
        fn wait_deadline(self, _until: Instant) {
            let (count, changed) = &*self.event;
            let mut count = lock(count);
            while *count == self.seen {
                count = changed
                    .wait(count)
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
            }
        }
    }

    impl Future for EventListener {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if *lock(&self.event.0) != self.seen {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    fn lock(count: &Mutex<u64>) -> MutexGuard<'_, u64> {
        count.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

pub(crate) use primitives::*;

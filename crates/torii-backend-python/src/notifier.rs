//! The thread that hands results and log records to Python.
//!
//! Only this thread waits for the GIL: what holds the GIL for long delays no network I/O. It starts with the first result.

use std::iter::once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::{io, mem, thread};

use pyo3::prelude::*;
use torii_backend::process::PerProcess;

static NOTIFIER: PerProcess<Notifier> = PerProcess::new();

/// Whether the interpreter is shutting down.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What to do with the interpreter attached.
type Delivery = Box<dyn FnOnce(Python<'_>) + Send>;

/// The queue of a process's thread.
pub(crate) struct Notifier {
    queue: Sender<Delivery>,
    /// Held while the thread is attached to the interpreter.
    attached: Arc<RwLock<()>>,
}

impl Notifier {
    /// The notifier of this process. `None` while the interpreter is shutting down.
    pub(crate) fn get() -> io::Result<Option<Arc<Self>>> {
        if ENDING.load(Ordering::SeqCst) {
            return Ok(None);
        }
        NOTIFIER.get_or_try_make(Self::start).map(Some)
    }

    /// Whether it is the one of this process, and not of a parent that forked.
    pub(crate) fn is_own(self: &Arc<Self>) -> bool {
        NOTIFIER.look(|own| Arc::ptr_eq(own, self)) == Some(true)
    }

    /// Has `delivery` called on the thread. What is still in the queue at the end of the interpreter is not.
    pub(crate) fn deliver(&self, delivery: impl FnOnce(Python<'_>) + Send + 'static) {
        if let Err(unsent) = self.queue.send(Box::new(delivery)) {
            mem::forget(unsent);
        }
    }

    fn start() -> io::Result<Self> {
        let (queue, deliveries) = channel();
        let attached = Arc::new(RwLock::new(()));
        let lock = attached.clone();
        thread::Builder::new()
            .name("torii-notifier".to_owned())
            .spawn(move || run(deliveries, &lock))?;
        Ok(Self { queue, attached })
    }
}

/// Makes the deliveries as they come.
///
/// The thread stays known to Python while it waits: to register one takes a lock, which a fork may find taken, and up to
/// Python 3.11 the child then waits for ever. An interpreter that shuts down stops each thread where it asks for the GIL and
/// unwinds it, so the thread no longer asks once `ENDING` is set.
fn run(deliveries: Receiver<Delivery>, attached: &RwLock<()>) {
    let wait = move || {
        while let Ok(first) = deliveries.recv() {
            let _attached = attached.read().unwrap_or_else(PoisonError::into_inner);
            let ready = once(first).chain(deliveries.try_iter());
            if ENDING.load(Ordering::SeqCst) {
                // Python's objects can no longer be dropped.
                ready.for_each(mem::forget);
            } else {
                Python::try_attach(|py| ready.for_each(|deliver| deliver(py)));
            }
        }
    };
    Python::try_attach(|py| py.detach(wait));
}

/// Keeps the thread from the interpreter from now on. For `atexit`, whose handlers run before the interpreter shuts down.
#[pyfunction]
fn end(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    if let Some(notifier) = NOTIFIER.look(Arc::clone) {
        // Waits for a delivery under way.
        py.detach(|| drop(notifier.attached.write()));
    }
}

/// Has `end` called when the process ends.
pub(crate) fn watch_end(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let end = wrap_pyfunction!(end, module)?;
    module.py().import("atexit")?.call_method1("register", (end,))?;
    Ok(())
}

//! Futures that run beside an event loop.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use torii_backend::runtime::{self, Running};

use crate::notifier::Notifier;

/// A running future.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Task {
    notifier: Arc<Notifier>,
    running: Mutex<Option<Running<()>>>,
}

#[pymethods]
impl Task {
    /// Cancels the future where it waits. One that has ended stays as it is.
    fn cancel(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if !self.notifier.is_own() {
            // A parent's runtime has no threads here, and perhaps locks that nobody will release.
            mem::forget(running);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Runs `future` on the process's thread for I/O. `done(value, error)` is called from another thread, unless the task is
/// cancelled first.
///
/// # Errors
///
/// If the interpreter is shutting down, or a thread cannot be started.
pub(crate) fn start<F, T>(_: Python<'_>, done: Py<PyAny>, future: F) -> PyResult<Task>
where
    F: Future<Output = T> + Send + 'static,
    T: for<'py> IntoPyObject<'py> + Send + 'static,
{
    let notifier = Notifier::get()?.ok_or_else(|| {
        PyRuntimeError::new_err(
            "torii-backend answers no coroutine any more: the interpreter is shutting down",
        )
    })?;
    let done = Done {
        notifier: notifier.clone(),
        callable: Some(done),
    };
    let running = runtime::spawn(async move { done.call(Ok(future.await)) })?;
    Ok(Task {
        notifier,
        running: Mutex::new(Some(running)),
    })
}

/// The function that is called with the outcome. It is called, and dropped, by the notifier alone: the thread for I/O never
/// waits for the GIL, and PyO3 would keep what is dropped without it in a list under a lock that a fork may find taken.
struct Done {
    notifier: Arc<Notifier>,
    callable: Option<Py<PyAny>>,
}

impl Done {
    fn call<T>(mut self, outcome: PyResult<T>)
    where
        T: for<'py> IntoPyObject<'py> + Send + 'static,
    {
        let Some(done) = self.callable.take() else { return };
        self.notifier.deliver(move |py| {
            let called = match outcome.and_then(|value| value.into_py_any(py)) {
                Ok(value) => done.call1(py, (value, py.None())),
                Err(error) => done.call1(py, (py.None(), error.into_value(py))),
            };
            if let Err(error) = called {
                error.write_unraisable(py, Some(done.bind(py)));
            }
        });
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        let Some(callable) = self.callable.take() else {
            return;
        };
        if !thread::panicking() {
            self.notifier.deliver(move |_| drop(callable));
            return;
        }
        let done = Self {
            notifier: self.notifier.clone(),
            callable: Some(callable),
        };
        done.call(Err::<(), _>(PyRuntimeError::new_err(
            "torii-backend is broken: a task panicked",
        )));
    }
}

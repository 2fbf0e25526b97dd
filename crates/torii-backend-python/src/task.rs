//! Futures that run beside an event loop.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;
use std::thread;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;
use torii_backend::process::PerProcess;

/// The process's runtime. It has one thread: the work is in waiting.
static RUNTIME: PerProcess<Running> = PerProcess::new();

struct Running {
    runtime: Handle,
    /// Whether the interpreter is ending. Held for reading while the runtime's thread is attached to it.
    ending: RwLock<bool>,
}

impl Running {
    /// Works with the interpreter attached, unless it is ending.
    ///
    /// An interpreter that ends stops each thread where it asks for the GIL, in the midst of Python's code too, and unwinds
    /// what called that. So nobody may be there then.
    fn attached<R>(&self, work: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        let ending = self.ending.read().unwrap_or_else(PoisonError::into_inner);
        if *ending { None } else { Python::try_attach(work) }
    }
}

/// Keeps the runtime from Python's objects from now on. For `atexit`, whose handlers run before the interpreter ends.
#[pyfunction]
fn end(py: Python<'_>) {
    if let Some(running) = RUNTIME.look(Arc::clone) {
        py.detach(|| *running.ending.write().unwrap_or_else(PoisonError::into_inner) = true);
    }
}

/// Has `end` called when the process ends.
pub(crate) fn watch_end(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let end = wrap_pyfunction!(end, module)?;
    module.py().import("atexit")?.call_method1("register", (end,))?;
    Ok(())
}

/// A future under way.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Task {
    running: Arc<Running>,
    handle: AbortHandle,
}

#[pymethods]
impl Task {
    /// Ends the future where it waits. What has ended stays as it is.
    fn cancel(&self) {
        // A parent's runtime has no threads here, and perhaps locks that nobody will release.
        if RUNTIME.look(|own| Arc::ptr_eq(own, &self.running)) == Some(true) {
            self.handle.abort();
        }
    }
}

/// Runs `future` on the process's runtime, which starts with the first one. `done(value, error)` is called from there,
/// with the interpreter attached, unless the task is cancelled first.
pub(crate) fn start<F, T>(_: Python<'_>, done: Py<PyAny>, future: F) -> PyResult<Task>
where
    F: Future<Output = PyResult<T>> + Send + 'static,
    T: for<'py> IntoPyObject<'py> + Send + 'static,
{
    let running = runtime()?;
    let done = Done {
        running: running.clone(),
        callable: Some(done),
    };
    let task = running.runtime.spawn(async move {
        let outcome = finished(future).await;
        done.call(outcome);
    });
    let handle = task.abort_handle();
    Ok(Task { running, handle })
}

/// The outcome of a future, which is an error where it panics: whoever waits must hear of it.
async fn finished<T>(future: impl Future<Output = PyResult<T>>) -> PyResult<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            Poll::Ready(Err(PyRuntimeError::new_err(
                "torii-backend is broken: a task panicked",
            )))
        })
    })
    .await
}

fn runtime() -> io::Result<Arc<Running>> {
    RUNTIME.get_or_try_make(|| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("torii-backend".to_owned())
            .spawn(move || drive(&runtime))?;
        Ok(Running {
            runtime: handle,
            ending: RwLock::new(false),
        })
    })
}

/// Runs what is started. The thread stays known to Python between its visits: to register one takes a lock, which a fork may
/// find taken, and up to Python 3.11 the child then waits for ever.
fn drive(runtime: &Runtime) {
    Python::try_attach(|py| py.detach(|| runtime.block_on(pending::<()>())));
}

/// Who is to hear of an outcome. Dropped with the interpreter attached, wherever the future ends: PyO3 would keep what it
/// holds for later, in a list under a lock that a fork may find taken.
struct Done {
    running: Arc<Running>,
    callable: Option<Py<PyAny>>,
}

impl Done {
    fn call<T: for<'py> IntoPyObject<'py>>(mut self, outcome: PyResult<T>) {
        self.running.clone().attached(|py| {
            let Some(done) = self.callable.take() else { return };
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
        if self.callable.is_some() {
            self.running.attached(|_| self.callable = None);
        }
    }
}

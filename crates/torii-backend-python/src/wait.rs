//! Waiting for a verification: on the calling thread, or beside an event loop.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use torii_backend::{Auth, ToriiBuilder, VerifyError};

use crate::auth::ToriiAuth;
use crate::errors::verify_error;
use crate::task::{self, Task};

/// Drives `future` with the GIL released. Signals are looked at as often as during a call of the API, so that Ctrl-C ends
/// the wait.
pub(crate) fn block_on<F: Future + Send>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F::Output: Send,
{
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        let polled = py.detach(|| {
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                thread::park_timeout(ToriiBuilder::INTERRUPT_INTERVAL);
            }
            polled
        });
        match polled {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => py.check_signals()?,
        }
    }
}

/// A verification that a coroutine asks for. It keeps the token, so that no frame of Python needs to: what reports
/// exceptions shows the variables of frames.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Verification(Mutex<Option<Stage>>);

/// How far a verification has come.
pub(crate) enum Stage {
    Decided(PyResult<Verdict>),
    Open(Pin<Box<dyn Future<Output = Verdict> + Send>>),
}

impl From<PyResult<Stage>> for Verification {
    fn from(stage: PyResult<Stage>) -> Self {
        let stage = stage.unwrap_or_else(|error| Stage::Decided(Err(error)));
        Self(Mutex::new(Some(stage)))
    }
}

#[pymethods]
impl Verification {
    /// The answer if it needs no waiting, and otherwise the verification itself.
    fn answer<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let mut open = match slf.get().take()? {
            Stage::Decided(verdict) => return verdict?.into_pyobject(py),
            Stage::Open(open) => open,
        };
        // With the GIL released, because a signature may have to be checked.
        match py.detach(|| open.as_mut().poll(&mut Context::from_waker(Waker::noop()))) {
            Poll::Ready(verdict) => verdict.into_pyobject(py),
            Poll::Pending => {
                *slf.get().stage() = Some(Stage::Open(open));
                Ok(slf.clone().into_any())
            }
        }
    }

    /// Waits on the runtime, and calls `done(answer, error)` from there.
    fn start(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<Task> {
        match self.take()? {
            Stage::Decided(verdict) => task::start(py, done, async move { verdict }),
            Stage::Open(open) => task::start(py, done, async move { Ok(open.await) }),
        }
    }
}

impl Verification {
    fn take(&self) -> PyResult<Stage> {
        let stage = self.stage().take();
        stage.ok_or_else(|| PyRuntimeError::new_err("the verification was taken before"))
    }

    fn stage(&self) -> MutexGuard<'_, Option<Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came out; becomes a Python object where the GIL is held.
pub(crate) struct Verdict(pub(crate) Result<Option<Auth>, VerifyError>);

impl<'py> IntoPyObject<'py> for Verdict {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self.0 {
            Ok(Some(auth)) => Ok(Bound::new(py, ToriiAuth::from(auth))?.into_any()),
            Ok(None) => Ok(py.None().into_bound(py)),
            Err(error) => Err(verify_error(py, &error)),
        }
    }
}

/// Wakes a thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

//! Waiting for a verification or a call: on the calling thread, or beside an event loop.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use torii_backend::runtime::INTERRUPT_INTERVAL;
use torii_backend::{Auth, VerifyError};

use crate::auth::torii_auth;
use crate::call::Outcome;
use crate::errors::{caught, verify_error};
use crate::many::Verdicts;
use crate::operations::Answer;
use crate::task::{self, Task};

/// Waits for an answer with the GIL released. Signal handlers run every [`INTERRUPT_INTERVAL`], so that Ctrl-C ends the wait.
/// Under gevent and eventlet, other greenlets run meanwhile.
pub(crate) fn wait(py: Python<'_>, mut open: Open) -> PyResult<Bound<'_, PyAny>> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let poll = |open: &mut Open| open.as_mut().poll(&mut Context::from_waker(&waker));
    if let Poll::Ready(verdict) = py.detach(|| poll(&mut open)) {
        return verdict.into_pyobject(py);
    }
    if has_greenlets(py)? {
        let start = Verification::of(py, Ok(open))?.getattr("start")?;
        return py.import("torii_backend._bridge")?.call_method1("wait", (start,));
    }
    loop {
        let polled = py.detach(|| {
            let polled = poll(&mut open);
            if polled.is_pending() {
                thread::park_timeout(INTERRUPT_INTERVAL);
            }
            polled
        });
        match polled {
            Poll::Ready(verdict) => return verdict.into_pyobject(py),
            Poll::Pending => py.check_signals()?,
        }
    }
}

/// The answer of a stage, waited for if need be.
pub(crate) fn answer(py: Python<'_>, stage: Stage) -> PyResult<Bound<'_, PyAny>> {
    match stage {
        Stage::Decided(verdict) => verdict.into_pyobject(py),
        Stage::Open(open) => wait(py, open),
    }
}

/// Whether gevent or eventlet has replaced the module `socket`, so that waiting is to be left to its hub.
fn has_greenlets(py: Python<'_>) -> PyResult<bool> {
    let module = || -> PyResult<String> {
        let modules = py.import("sys")?.getattr("modules")?;
        let class = modules.get_item("socket")?.getattr("socket")?;
        class.getattr("__module__")?.extract()
    };
    let module = caught(py, module())?;
    Ok(module.is_some_and(|module| module.starts_with("gevent.") || module.starts_with("eventlet.")))
}

/// A verification: decided from memory, or still to be carried out.
pub(crate) enum Stage {
    Decided(Verdict),
    Open(Open),
}

pub(crate) type Open = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// Begins what a coroutine asks for. Brings a good answer that needs no waiting, and otherwise a `Verification`.
pub(crate) fn begin<'py>(py: Python<'py>, stage: PyResult<Stage>) -> PyResult<Bound<'py, PyAny>> {
    let answer = match stage {
        Ok(Stage::Decided(verdict)) => verdict.into_pyobject(py),
        // With the GIL released, because a signature may have to be checked.
        Ok(Stage::Open(mut open)) => match py.detach(|| poll_once(&mut open)) {
            Poll::Ready(verdict) => verdict.into_pyobject(py),
            Poll::Pending => return Verification::of(py, Ok(open)),
        },
        Err(error) => Err(error),
    };
    answer.or_else(|error| Verification::of(py, Err(error)))
}

fn poll_once(open: &mut Open) -> Poll<Verdict> {
    open.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// An answer that a coroutine has to wait for, or a bad one. It keeps the token, so that no frame of Python needs to: what
/// reports exceptions shows the variables of frames.
#[pyclass(frozen, module = "torii_backend._native")]
pub(crate) struct Verification(Mutex<Option<PyResult<Open>>>);

#[pymethods]
impl Verification {
    /// Raises the answer, if it is a bad one.
    fn raise_if_refused(&self) -> PyResult<()> {
        let open = self.take()??;
        *self.open() = Some(Ok(open));
        Ok(())
    }

    /// Waits beside the caller, and calls `done(answer, error)` from another thread.
    fn start(&self, py: Python<'_>, done: Py<PyAny>) -> PyResult<Task> {
        let open = self.take()??;
        task::start(py, done, open)
    }
}

impl Verification {
    fn of(py: Python<'_>, open: PyResult<Open>) -> PyResult<Bound<'_, PyAny>> {
        Ok(Bound::new(py, Self(Mutex::new(Some(open))))?.into_any())
    }

    fn take(&self) -> PyResult<PyResult<Open>> {
        let open = self.open().take();
        open.ok_or_else(|| PyRuntimeError::new_err("the verification was taken before"))
    }

    fn open(&self) -> MutexGuard<'_, Option<PyResult<Open>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came out; becomes a Python object where the GIL is held.
pub(crate) enum Verdict {
    Token(Result<Auth, VerifyError>),
    Tokens(PyResult<Verdicts>),
    Keys(Result<(), VerifyError>),
    Reply(Outcome<Answer>),
    Page(Outcome<Option<Vec<u8>>>),
}

impl<'py> IntoPyObject<'py> for Verdict {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self {
            Self::Token(Ok(auth)) => torii_auth(py, auth),
            Self::Tokens(verdicts) => verdicts?.into_pyobject(py).map(Bound::into_any),
            Self::Reply(outcome) => outcome.into_pyobject(py),
            Self::Page(outcome) => outcome.into_pyobject(py),
            Self::Keys(Ok(())) => Ok(py.None().into_bound(py)),
            Self::Token(Err(error)) | Self::Keys(Err(error)) => Err(verify_error(py, &error)),
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

//! A call of the API: waiting for it on a thread, and what comes of it.

use std::cell::Cell;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use torii_backend::Error;

use crate::errors::api_error;

/// What came of a call; becomes a Python object where the interpreter is attached.
pub(crate) struct Outcome<T> {
    pub(crate) operation: String,
    pub(crate) reply: Result<T, Error>,
}

impl<'py, T: IntoPyObject<'py>> IntoPyObject<'py> for Outcome<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self.reply {
            Ok(reply) => reply.into_bound_py_any(py),
            Err(error) => Err(api_error(py, &self.operation, &error)),
        }
    }
}

thread_local! {
    /// What a signal's handler raised while this thread waits.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Runs the handlers of the signals that came. Asked by the core while it waits; true ends the wait.
pub(crate) fn signal_came() -> bool {
    let raised = Python::try_attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(error) => {
            RAISED.set(Some(error));
            true
        }
    });
    // Where there is no interpreter any more, nobody waits for an answer.
    raised.unwrap_or(true)
}

/// Works with the GIL released. Also returns what a signal's handler raised meanwhile.
pub(crate) fn interruptible<T: Send>(py: Python<'_>, work: impl Send + FnOnce() -> T) -> (T, Option<PyErr>) {
    (py.detach(work), RAISED.take())
}

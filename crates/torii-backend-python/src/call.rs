//! What comes of a call of the API.

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

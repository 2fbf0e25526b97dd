//! From the core's errors to Python's exceptions, which are `torii_backend.errors`' own. The only place that knows both.

mod api;
mod verify;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes::registered;

pub(crate) use self::api::{api_error, request_error};
pub(crate) use self::verify::{
    config_error, config_error_in, denied_error, refusal, setting_error, verify_error,
};

/// An exception of a class of `torii_backend.errors`, made with keyword arguments. Python code makes it, which a signal's handler or
/// `RecursionError` can interrupt: that exception is then returned instead.
fn exception(
    py: Python<'_>,
    class: &str,
    message: &str,
    keywords: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    let made = || {
        let arguments = PyDict::new(py);
        keywords(&arguments)?;
        registered(&PyString::intern(py, class))?.call((message,), Some(&arguments))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

/// The value, or `None` for an `Exception`.
///
/// # Errors
///
/// For what is no `Exception`, such as Ctrl-C: it ends whatever is being done.
pub(crate) fn caught<T>(py: Python<'_>, result: PyResult<T>) -> PyResult<Option<T>> {
    match result {
        Err(error) if !error.is_instance_of::<PyException>(py) => Err(error),
        result => Ok(result.ok()),
    }
}

/// A refusal as a value, for a list of answers.
///
/// # Errors
///
/// For an exception of another class, which came while the refusal was made.
pub(crate) fn as_value<'py>(py: Python<'py>, refusal: PyErr) -> PyResult<Bound<'py, PyAny>> {
    let class = registered(intern!(py, "ToriiAuthError"))?;
    match refusal.matches(py, class)? {
        true => Ok(refusal.into_value(py).into_bound(py).into_any()),
        false => Err(refusal),
    }
}

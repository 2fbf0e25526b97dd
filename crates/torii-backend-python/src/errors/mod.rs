//! From the core's errors to Python's exceptions, which are `torii_backend.errors`' own. The only place that knows both.

mod api;
mod verify;

use std::error::Error as StdError;

use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) use self::api::{api_error, request_error};
pub(crate) use self::verify::{config_error, config_error_in, refusal, setting_error, verify_error};

/// The exceptions, found when one is first raised.
mod python {
    pyo3::import_exception!(torii_backend.errors, ToriiApiError);
    pyo3::import_exception!(torii_backend.errors, ToriiAuthError);
    pyo3::import_exception!(torii_backend.errors, ToriiConfigError);
    pyo3::import_exception!(torii_backend.errors, ToriiConflictError);
    pyo3::import_exception!(torii_backend.errors, ToriiKeysUnavailableError);
    pyo3::import_exception!(torii_backend.errors, ToriiNotFoundError);
    pyo3::import_exception!(torii_backend.errors, ToriiOutcomeUnknownError);
    pyo3::import_exception!(torii_backend.errors, ToriiReplyError);
    pyo3::import_exception!(torii_backend.errors, ToriiRequestError);
    pyo3::import_exception!(torii_backend.errors, ToriiTimeoutError);
    pyo3::import_exception!(torii_backend.errors, ToriiTokenExpiredError);
    pyo3::import_exception!(torii_backend.errors, ToriiTransportError);
}

/// Finds the exceptions of verification. The module does so when it is imported, so that no fork finds another thread at it.
pub(crate) fn load(py: Python<'_>) {
    python::ToriiAuthError::type_object(py);
    python::ToriiConfigError::type_object(py);
    python::ToriiKeysUnavailableError::type_object(py);
    python::ToriiTokenExpiredError::type_object(py);
}

/// An exception of the class `E`, made with keyword arguments.
fn exception<E: PyTypeInfo>(
    py: Python<'_>,
    message: &str,
    keywords: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    let made = || {
        let arguments = PyDict::new(py);
        keywords(&arguments)?;
        E::type_object(py).call((message,), Some(&arguments))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

/// An error's message, and those of its causes that it does not repeat.
fn with_causes(error: &dyn StdError) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

//! The errors of the API client.

use std::error::Error as StdError;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use torii_backend::http_client::HttpErrorKind;
use torii_backend::{ApiError, Chain, Error};

use super::{caught, config_error, exception};

/// The exception for an error of an operation.
pub(crate) fn api_error(py: Python<'_>, operation: &str, error: &Error) -> PyErr {
    let message = Chain(error).to_string();
    let failed = Failed { operation, error };
    match error {
        Error::Config(error) => config_error(py, error),
        Error::Api(_) if error.is_not_found() => failed.exception(py, "ToriiNotFoundError", &message),
        Error::Api(_) if error.is_conflict() => failed.exception(py, "ToriiConflictError", &message),
        Error::Api(_) => failed.exception(py, "ToriiApiError", &message),
        Error::Transport(error) if error.kind() == HttpErrorKind::Timeout => {
            failed.exception(py, "ToriiTimeoutError", &message)
        }
        Error::Transport(_) => failed.exception(py, "ToriiTransportError", &message),
        Error::OutcomeUnknown(unknown) => {
            let source = unknown.source().and_then(|source| source.downcast_ref::<Error>());
            let cause = source.map(|source| Chain(source).to_string()).unwrap_or_default();
            // The failure behind it names the operation once more.
            let cause = cause
                .strip_prefix(operation)
                .unwrap_or(&cause)
                .trim_start_matches([':', ' ']);
            let message = format!("{unknown}: {cause}");
            let exception = failed.exception(py, "ToriiOutcomeUnknownError", &message);
            // An attribute of an exception that has one: it does not fail, and would leave the hint in the message.
            let _ = exception.value(py).setattr("hint", unknown.hint());
            if let Some(source) = source {
                let cause = api_error(py, operation, source);
                if !cause.is_instance_of::<PyException>(py) {
                    return cause;
                }
                exception.set_cause(py, Some(cause));
            }
            exception
        }
        Error::Decode(_) => failed.exception(py, "ToriiReplyError", &message),
        Error::Paging(_) => failed.exception(py, "ToriiReplyError", &format!("{operation}: {message}")),
        // What is left was not sent, and does not name its operation.
        _ => request_error(py, operation, message),
    }
}

/// The exception for arguments that cannot be sent.
pub(crate) fn request_error(py: Python<'_>, operation: &str, problem: String) -> PyErr {
    exception(
        py,
        "ToriiRequestError",
        &format!("{operation}: {problem}"),
        |keywords| {
            keywords.set_item("status", 0)?;
            keywords.set_item("operation", operation)
        },
    )
}

struct Failed<'e> {
    operation: &'e str,
    error: &'e Error,
}

impl Failed<'_> {
    fn exception(&self, py: Python<'_>, class: &str, message: &str) -> PyErr {
        exception(py, class, message, |keywords| self.describe(keywords))
    }

    fn describe(&self, keywords: &Bound<'_, PyDict>) -> PyResult<()> {
        let Self { operation, error } = self;
        keywords.set_item("status", error.status().map_or(0, |status| status.as_u16()))?;
        keywords.set_item("body", body(keywords.py(), error)?)?;
        keywords.set_item("operation", operation)?;
        keywords.set_item("attempts", attempts(error))?;
        let wait = error.as_api().and_then(ApiError::retry_after);
        keywords.set_item("retry_after", wait.map(|wait| wait.as_secs_f64()))?;
        keywords.set_item("request_id", error.request_id())
    }
}

/// What the reply said: its JSON, or its text.
fn body<'py>(py: Python<'py>, error: &Error) -> PyResult<Option<Bound<'py, PyAny>>> {
    let text = match error {
        Error::Decode(error) => error.excerpt(),
        _ => match error.as_api() {
            Some(error) => error.body(),
            None => return Ok(None),
        },
    };
    // Python's parser refuses more than ours did, such as a number of 5,000 digits.
    let json = py.import("json")?.call_method1("loads", (text,));
    Ok(Some(match caught(py, json)? {
        Some(json) => json,
        None => text.into_pyobject(py)?.into_any(),
    }))
}

/// How many attempts were made, as far as the error tells.
fn attempts(error: &Error) -> u32 {
    match error {
        Error::Api(error) => error.attempts(),
        Error::Transport(error) => error.attempts(),
        Error::OutcomeUnknown(error) => error.attempts(),
        _ => 0,
    }
}

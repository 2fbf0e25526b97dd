//! Settings as Python gives them, in the core's types. What cannot be one raises a `ToriiConfigError`, which never
//! repeats it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use torii_backend::http_client::ReqwestClientBuilder;

use crate::errors::{caught, setting_error};

/// A `str`.
pub(crate) fn text(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => text
            .extract()
            // Python's error holds the text, which may be a secret.
            .map_err(|_| setting_error(value.py(), argument, "is not Unicode text")),
        Err(_) => Err(setting_error(value.py(), argument, "must be a str")),
    }
}

/// A `str`, or several.
pub(crate) fn text_or_texts(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    match value.is_instance_of::<PyString>() {
        true => Ok(vec![text(argument, value)?]),
        false => texts(argument, value),
    }
}

/// A list, tuple or set of `str`. One `str` is not meant as the list of its characters, and is refused.
pub(crate) fn texts(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let several = value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>();
    let problem = "must be a list of str";
    let unusable = |cause| unusable(value.py(), argument, problem, cause);
    if !several {
        return Err(setting_error(value.py(), argument, problem));
    }
    let texts = value.try_iter().map_err(unusable)?;
    texts
        .map(|each| text(argument, &each.map_err(unusable)?))
        .collect()
}

/// A number of seconds, `int` or `float`.
pub(crate) fn seconds(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let number = value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>();
    let seconds = match number && !value.is_instance_of::<PyBool>() {
        true => caught(value.py(), value.extract::<f64>())?,
        false => None,
    };
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| setting_error(value.py(), argument, "must be a number of seconds, 0 or more"))
}

/// An `int` that counts something.
pub(crate) fn count(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let count = match value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        true => value.extract().ok(),
        false => None,
    };
    count.ok_or_else(|| setting_error(value.py(), argument, "must be an int, 0 or more"))
}

/// A document: its text, its bytes, or the dict that is in it.
pub(crate) fn document(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let text = std::str::from_utf8(bytes.as_bytes());
        return text
            .map(str::to_owned)
            .map_err(|_| setting_error(py, argument, "is not UTF-8"));
    }
    if value.is_instance_of::<PyDict>() {
        let json = py.import("json")?.call_method1("dumps", (value,));
        return text(
            argument,
            &json.map_err(|cause| unusable(py, argument, "is not JSON", cause))?,
        );
    }
    match value.is_instance_of::<PyString>() {
        true => text(argument, value),
        false => Err(setting_error(py, argument, "must be a str, bytes or a dict")),
    }
}

/// The HTTP client with a proxy, none if the text is empty, and a file of the certificates that it trusts.
pub(crate) fn http_client(
    mut http: ReqwestClientBuilder,
    proxy: Option<&Bound<'_, PyAny>>,
    ca_file: Option<&Bound<'_, PyAny>>,
) -> PyResult<ReqwestClientBuilder> {
    if let Some(proxy) = proxy {
        let address = text("proxy", proxy)?;
        http = match address.is_empty() {
            true => http.no_proxy(),
            false => http.proxy(&address),
        };
    }
    if let Some(file) = ca_file {
        let pem = fs::read(path("ca_file", file)?);
        http = http.root_certificates(pem.map_err(|error| setting_error(file.py(), "ca_file", error))?);
    }
    Ok(http)
}

/// A path, `str` or `os.PathLike`.
pub(crate) fn path(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let path = value.extract();
    path.map_err(|cause| unusable(value.py(), argument, "must be a path", cause))
}

/// A `bool`.
pub(crate) fn flag(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let flag = value.extract();
    flag.map_err(|cause| unusable(value.py(), argument, "must be a bool", cause))
}

/// The error for an argument whose own code failed. What is no `Exception`, such as Ctrl-C, stays what it is.
pub(crate) fn unusable(py: Python<'_>, argument: &str, problem: &str, cause: PyErr) -> PyErr {
    if !cause.is_instance_of::<PyException>(py) {
        return cause;
    }
    let error = setting_error(py, argument, problem);
    if let Err(failure) = error.value(py).setattr("cause", cause.value(py)) {
        return failure;
    }
    error.set_cause(py, Some(cause));
    error
}

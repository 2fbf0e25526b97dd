//! The header that carries the token, in whatever a framework calls its headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::settings::unusable;

/// Most entries that are looked at; servers take far fewer.
const MOST_ENTRIES: usize = 10_000;

/// The fields called `name`, two of them if there are more.
///
/// `headers` is a mapping, or a list of pairs as in an ASGI scope. Names are compared without case. In a dict, which a
/// WSGI environ and Django's `META` are, `HTTP_AUTHORIZATION` is a name of `authorization`. A value is text or bytes, or
/// a list of them; what no header can hold is replaced by what no verifier takes.
///
/// # Errors
///
/// For what is no mapping: a mistake of the server's, and so not one that a client is told of.
pub(crate) fn collect(headers: &Bound<'_, PyAny>, name: &HeaderName) -> PyResult<HeaderMap> {
    let problem = "must be a mapping of header names to values, or a list of pairs of them";
    read(headers, name).map_err(|cause| unusable(headers.py(), "headers", problem, cause))
}

fn read(headers: &Bound<'_, PyAny>, name: &HeaderName) -> PyResult<HeaderMap> {
    let environ = headers.is_exact_instance_of::<PyDict>();
    let mut found = HeaderMap::new();
    for entry in entries(headers)?.try_iter()?.take(MOST_ENTRIES) {
        let entry = entry?;
        if !is_called(&entry.get_item(0)?, name.as_str(), environ) {
            continue;
        }
        for value in values(entry.get_item(1)?)? {
            found.append(name, value);
            // A second one is refused, whatever it says.
            if found.len() > 1 {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// What brings name and value of each field, of repeated ones too.
fn entries<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if headers.is_instance_of::<PyList>() || headers.is_instance_of::<PyTuple>() {
        return Ok(headers.clone());
    }
    // Where there are both, `items` joins repeated fields.
    for method in ["multi_items", "items"] {
        if let Some(items) = headers.getattr_opt(method)? {
            return items.call0();
        }
    }
    Err(PyTypeError::new_err("no items()"))
}

fn is_called(key: &Bound<'_, PyAny>, name: &str, environ: bool) -> bool {
    if let Ok(key) = key.cast::<PyBytes>() {
        return key.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    }
    let Ok(key) = key.cast::<PyString>() else {
        return false;
    };
    // The length tells most names apart, and costs no copy.
    let length = key.len().unwrap_or_default();
    if length != name.len() && length != name.len() + CGI.len() {
        return false;
    }
    let Ok(key) = PyBackedStr::try_from(key.clone()) else {
        return false;
    };
    key.eq_ignore_ascii_case(name) || environ && is_cgi_name(&key, name)
}

/// What a header is called as a variable of the environment
/// ([RFC 3875, section 4.1.18](https://www.rfc-editor.org/rfc/rfc3875#section-4.1.18)).
const CGI: &str = "HTTP_";

fn is_cgi_name(key: &str, name: &str) -> bool {
    let as_cgi = |byte: u8| match byte {
        b'-' => b'_',
        byte => byte.to_ascii_uppercase(),
    };
    key.strip_prefix(CGI)
        .is_some_and(|key| key.bytes().eq(name.bytes().map(as_cgi)))
}

/// The first two values of one entry. `None` stands for no value.
fn values(value: Bound<'_, PyAny>) -> PyResult<Vec<HeaderValue>> {
    let several = match (value.cast::<PyList>(), value.cast::<PyTuple>()) {
        (Ok(list), _) => list.clone(),
        (_, Ok(tuple)) => tuple.to_list(),
        _ => PyList::new(value.py(), [&value])?,
    };
    let present = several.iter().filter(|value| !value.is_none());
    Ok(present.take(2).map(|value| one(&value)).collect())
}

fn one(value: &Bound<'_, PyAny>) -> HeaderValue {
    let read = || {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return HeaderValue::from_bytes(bytes.as_bytes()).ok();
        }
        let text: PyBackedStr = value.extract().ok()?;
        HeaderValue::from_str(&text).ok()
    };
    read().unwrap_or(HeaderValue::from_static("?"))
}

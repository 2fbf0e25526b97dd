//! The headers that can carry the token, in whatever a framework calls its headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use torii_backend::Verifier;

use crate::settings::unusable;

/// Most entries that are looked at; servers take far fewer. More are refused as if the header came twice.
const MOST_ENTRIES: usize = 10_000;
/// What no verifier takes.
const NO_TOKEN: HeaderValue = HeaderValue::from_static("?");
/// Most values that are looked at: a second one is refused, whatever it says.
const MOST_VALUES: usize = 2;

/// The fields that `verifier` looks for a token in. A second one of a name that must come once is enough.
///
/// `headers` is a mapping, or a list of pairs as in an ASGI scope. Names are compared without case. In a dict, which a
/// WSGI environ and Django's `META` are, `HTTP_AUTHORIZATION` is a name of `authorization`. A value is text or bytes, or
/// a list of them; what no header can hold is replaced by what no verifier takes.
///
/// # Errors
///
/// For what is no mapping: a mistake of the server's, and so not one that a client is told of.
pub(crate) fn collect(headers: &Bound<'_, PyAny>, verifier: &Verifier) -> PyResult<HeaderMap> {
    let problem = "must be a mapping of header names to values, or a list of pairs of them";
    read(headers, verifier).map_err(|cause| unusable(headers.py(), "headers", problem, cause))
}

fn read(headers: &Bound<'_, PyAny>, verifier: &Verifier) -> PyResult<HeaderMap> {
    let environ = headers.is_exact_instance_of::<PyDict>();
    // One, unless cookies or subprotocols are looked at too, which may be spread over several fields.
    let only = verifier.credential_headers().count() == 1;
    let mut found = HeaderMap::new();
    for (place, entry) in entries(headers)?.try_iter()?.enumerate() {
        let entry = entry?;
        if place == MOST_ENTRIES {
            // The rest might hold another one, so this counts as if it did.
            for name in verifier.credential_headers().take(1) {
                found.append(name, NO_TOKEN);
                found.append(name, NO_TOKEN);
            }
            break;
        }
        let key = item(&entry, 0)?;
        for name in verifier.credential_headers() {
            if is_called(&key, name.as_str(), environ) {
                append(&mut found, name, &item(&entry, 1)?);
            }
        }
        if only && found.len() >= MOST_VALUES {
            break;
        }
    }
    Ok(found)
}

/// What brings name and value of each field, of repeated ones too.
fn entries<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if headers.is_instance_of::<PyList>() || headers.is_instance_of::<PyTuple>() {
        return Ok(headers.clone());
    }
    if let Ok(headers) = headers.cast_exact::<PyDict>() {
        return Ok(headers.items().into_any());
    }
    let py = headers.py();
    // Where there are both, `items` joins repeated fields.
    for method in [intern!(py, "multi_items"), intern!(py, "items")] {
        // Some mappings have an attribute for every name: a field of that name.
        let items = headers.getattr_opt(method)?.filter(|items| items.is_callable());
        if let Some(items) = items {
            return items.call0();
        }
    }
    Err(PyTypeError::new_err("no items()"))
}

/// A part of an entry, which usually is a tuple.
fn item<'py>(entry: &Bound<'py, PyAny>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    match entry.cast_exact::<PyTuple>() {
        Ok(pair) => pair.get_item(index),
        Err(_) => entry.get_item(index),
    }
}

fn is_called(key: &Bound<'_, PyAny>, name: &str, environ: bool) -> bool {
    if let Ok(key) = key.cast::<PyBytes>() {
        return key.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    }
    let Ok(key) = key.cast::<PyString>() else {
        return false;
    };
    // The length tells most names apart, and costs no copy. That of a subclass can run code.
    if key.is_exact_instance_of::<PyString>()
        && !matches!(key.len(), Ok(length) if [name.len(), name.len() + CGI.len()].contains(&length))
    {
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

/// Adds the values of one entry. `None` stands for no value.
fn append(found: &mut HeaderMap, name: &HeaderName, value: &Bound<'_, PyAny>) {
    let mut append = |value: &Bound<'_, PyAny>| {
        if found.len() < MOST_ENTRIES && !value.is_none() {
            found.append(name, one(value));
        }
    };
    match (value.cast::<PyList>(), value.cast::<PyTuple>()) {
        (Ok(list), _) => list.iter().for_each(|value| append(&value)),
        (_, Ok(tuple)) => tuple.iter().for_each(|value| append(&value)),
        _ => append(value),
    }
}

fn one(value: &Bound<'_, PyAny>) -> HeaderValue {
    let read = || {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return HeaderValue::from_bytes(bytes.as_bytes()).ok();
        }
        let text: PyBackedStr = value.extract().ok()?;
        HeaderValue::from_str(&text).ok()
    };
    read().unwrap_or(NO_TOKEN)
}

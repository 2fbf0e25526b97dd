//! A token as Python gives it.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use torii_backend::ErrorCode;

use crate::errors::refusal;

/// The text of a token, given as text or as bytes. `None` for anything else, and for what is not Unicode.
pub(crate) fn token_text<'t>(token: &'t Bound<'_, PyAny>) -> Option<Cow<'t, str>> {
    if let Ok(text) = token.cast::<PyString>() {
        return text.to_cow().ok();
    }
    let bytes = token.cast::<PyBytes>().ok()?;
    str::from_utf8(bytes.as_bytes()).ok().map(Cow::Borrowed)
}

/// The refusal of what [`token_text`] does not take.
pub(crate) fn not_text(py: Python<'_>) -> PyErr {
    refusal(
        py,
        ErrorCode::Malformed,
        "the token is neither a str nor bytes of UTF-8",
    )
}

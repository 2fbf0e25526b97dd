//! Many tokens at once.

use std::borrow::Cow;
use std::future::Future;
use std::thread;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use tokio::sync::oneshot;
use torii_backend::{Auth, Verifier, VerifyError};

use crate::auth::torii_auth;
use crate::errors::{as_value, verify_error};
use crate::token_arg::{not_text, token_text};

/// Tokens between two looks at whether anybody still waits. Enough to keep many cores busy.
const SLICE: usize = 4096;

/// Tokens as Python gave them.
pub(crate) struct Batch {
    texts: Vec<String>,
    /// For each that came, whether it is one of the texts.
    is_text: Vec<bool>,
}

/// What came out of a batch; becomes a list where the GIL is held.
pub(crate) struct Verdicts {
    of_texts: Vec<Result<Auth, VerifyError>>,
    is_text: Vec<bool>,
}

impl Batch {
    /// Reads all of an iterable.
    ///
    /// # Errors
    ///
    /// For what is none, and for a single token, which would be taken for its characters.
    pub(crate) fn collect(tokens: &Bound<'_, PyAny>) -> PyResult<Self> {
        if tokens.is_instance_of::<PyString>() || tokens.is_instance_of::<PyBytes>() {
            return Err(PyTypeError::new_err(
                "tokens must be an iterable of tokens, not one token",
            ));
        }
        let (mut texts, mut is_text) = (Vec::new(), Vec::new());
        for token in tokens.try_iter()? {
            let token = token?;
            let text = token_text(&token);
            is_text.push(text.is_some());
            texts.extend(text.map(Cow::into_owned));
        }
        Ok(Self { texts, is_text })
    }

    /// Verifies on threads of their own, so that whoever waits can be interrupted. They end soon after the future is dropped.
    pub(crate) fn verify(
        self,
        verifier: Verifier,
    ) -> impl Future<Output = PyResult<Verdicts>> + Send + 'static {
        let (done, verdicts) = oneshot::channel();
        let work = move || {
            let mut of_texts = Vec::with_capacity(self.texts.len());
            for slice in self.texts.chunks(SLICE) {
                if done.is_closed() {
                    return;
                }
                of_texts.extend(verifier.verify_many_blocking(slice));
            }
            let is_text = self.is_text;
            // Nobody waits any more, if it cannot be sent.
            let _ = done.send(Verdicts { of_texts, is_text });
        };
        let started = thread::Builder::new().name("torii-many".to_owned()).spawn(work);
        async move {
            started?;
            let broken = |_| PyRuntimeError::new_err("torii-backend is broken: a thread panicked");
            verdicts.await.map_err(broken)
        }
    }
}

impl<'py> IntoPyObject<'py> for Verdicts {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let list = PyList::empty(py);
        let mut of_texts = self.of_texts.into_iter();
        for is_text in self.is_text {
            match is_text.then(|| of_texts.next()).flatten() {
                Some(Ok(auth)) => list.append(torii_auth(py, auth)?)?,
                Some(Err(error)) => list.append(as_value(py, verify_error(py, &error))?)?,
                None => list.append(as_value(py, not_text(py))?)?,
            }
        }
        Ok(list)
    }
}

//! What tests need: a clock that stands still, and parts of verification for published test vectors.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use torii_backend::{clock, hazmat_for_test_vectors as hazmat};

use crate::errors::{refusal, setting_error};

/// A clock that moves only when told to, for a verifier's `_clock`.
#[pyclass(frozen, module = "torii_backend._testing")]
#[derive(Clone)]
pub(crate) struct ManualClock(pub(crate) clock::ManualClock);

#[pymethods]
impl ManualClock {
    #[new]
    fn new(unix_seconds: u64) -> Self {
        Self(clock::ManualClock::at(unix_seconds))
    }

    /// Lets seconds pass.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let by =
            Duration::try_from_secs_f64(seconds).map_err(|problem| setting_error(py, "seconds", problem))?;
        self.0.advance(by);
        Ok(())
    }

    /// Makes the wall clock alone jump by whole seconds, forwards or back.
    fn jump_wall_seconds(&self, seconds: i64) {
        self.0.jump_wall_seconds(seconds);
    }
}

/// Whether `signature` (R and S, 64 bytes) over `message` is that of the P-256 key with the coordinates `x` and `y`.
#[pyfunction]
pub(crate) fn verify_es256(x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> bool {
    hazmat::verify_es256(x, y, message, signature)
}

/// The payload of a compact JWS, verified with the keys of a key set's text. No claim is looked at.
#[pyfunction]
pub(crate) fn verify_jws<'py>(py: Python<'py>, token: &str, jwks: &str) -> PyResult<Bound<'py, PyBytes>> {
    let payload = hazmat::verify_jws(token, jwks);
    payload
        .map(|payload| PyBytes::new(py, &payload))
        .map_err(|code| refusal(py, code, "the JWS is refused"))
}

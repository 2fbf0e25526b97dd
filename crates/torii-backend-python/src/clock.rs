//! Time as Python tells it: `Verifier(clock=…)`, and libraries for tests that replace `time.time`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict};
use torii_backend::clock::{Clock, Moment, SystemClock};

use crate::errors::{caught, setting_error};
use crate::settings::unusable;

/// A clock whose wall time is set at the start of each call from Python, so that no other thread ever asks Python. Its
/// monotonic time is the system's.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToldClock(Arc<AtomicU64>);

impl ToldClock {
    /// Sets the time to Unix seconds, the result of calling `source`, or its method `time`.
    pub(crate) fn ask(&self, source: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = source.py();
        let told = match source.is_callable() {
            true => source.call0(),
            false => source.call_method0(intern!(py, "time")),
        };
        let problem = "must be callable, or have a method `time`, and raise nothing";
        let told = told.map_err(|cause| unusable(py, "clock", problem, cause))?;
        let wall = caught(py, told.extract::<f64>())?;
        let wall = wall.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let nanoseconds = wall.and_then(|wall| u64::try_from(wall.as_nanos()).ok());
        let problem = "must return Unix seconds, an int or a float";
        let nanoseconds = nanoseconds.ok_or_else(|| setting_error(py, "clock", problem))?;
        self.0.store(nanoseconds, Ordering::Relaxed);
        Ok(())
    }
}

impl Clock for ToldClock {
    fn now(&self) -> Moment {
        let wall = Duration::from_nanos(self.0.load(Ordering::Relaxed));
        Moment::new(wall, SystemClock.now().monotonic)
    }
}

/// The names of the module `time`, and `sys.modules`.
static MODULES: PyOnceLock<(Py<PyDict>, Py<PyDict>)> = PyOnceLock::new();

/// `time.time`, if a test has replaced it: with freezegun, a mock, or time-machine, which replaces what the function does.
pub(crate) fn replaced(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let (time, modules) = MODULES.get_or_try_init(py, || {
        let time = py.import(intern!(py, "time"))?.dict();
        let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
        Ok::<_, PyErr>((time.unbind(), modules.cast_into()?.unbind()))
    })?;
    let Some(time) = time.bind(py).get_item(intern!(py, "time"))? else {
        return Ok(None);
    };
    let replaced = match time.is_exact_instance_of::<PyCFunction>() {
        true => modules.bind(py).contains(intern!(py, "time_machine"))? && is_elsewhere(&time)?,
        false => true,
    };
    Ok(replaced.then_some(time))
}

/// Whether `time.time` is a second or more away from the system's time.
fn is_elsewhere(time: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (told, system) = (time.call0()?.extract::<f64>()?, SystemClock.now().wall);
    Ok((told - system.as_secs_f64()).abs() >= 1.0)
}

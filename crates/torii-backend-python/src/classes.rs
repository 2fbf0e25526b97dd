//! The classes of Python that this module makes instances of.

use pyo3::exceptions::{PyException, PyImportError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

/// The classes by name. A dict, because a thread that holds the GIL has it alone: no fork finds it locked or half changed.
static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The interpreter that imported the package first.
static INTERPRETER: PyOnceLock<i64> = PyOnceLock::new();

/// Names the classes to make instances of. `torii_backend` calls this whenever it is imported; the classes of the last
/// import count, so that an `except` of a package that was imported anew catches.
///
/// Raises `ImportError` in a second interpreter of the process: exceptions of one interpreter's classes would be raised in
/// the other, where no `except` catches them.
#[pyfunction]
#[pyo3(signature = (*classes))]
pub(crate) fn register(classes: &Bound<'_, PyTuple>) -> PyResult<()> {
    let py = classes.py();
    let current = interpreter();
    if *INTERPRETER.get_or_init(py, || current) != current {
        return Err(PyImportError::new_err(
            "torii_backend is already in use in another interpreter of this process, and works in one only: \
             run the application in the main interpreter (mod_wsgi: `WSGIApplicationGroup %{GLOBAL}`) or in a process \
             of its own",
        ));
    }
    let known = known(py);
    for class in classes {
        known.set_item(class.getattr("__name__")?, class)?;
    }
    Ok(())
}

/// The class that was registered under `name`.
pub(crate) fn registered<'py>(name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyType>> {
    let class = known(name.py()).get_item(name)?;
    let class =
        class.ok_or_else(|| PyRuntimeError::new_err(format!("torii_backend has not registered {name}")))?;
    Ok(class.cast_into()?)
}

/// The module of the classes that are loaded when an instance of one is first asked for.
pub(crate) fn types(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("torii_backend.types").map_err(|cause| {
        if !cause.is_instance_of::<PyException>(py) {
            return cause;
        }
        let error = PyRuntimeError::new_err(
            "torii_backend.types cannot be loaded: the interpreter may be shutting down",
        );
        error.set_cause(py, Some(cause));
        error
    })
}

fn known(py: Python<'_>) -> &Bound<'_, PyDict> {
    CLASSES.get_or_init(py, || PyDict::new(py).unbind()).bind(py)
}

#[expect(unsafe_code, reason = "PyO3 has no safe function for it")]
fn interpreter() -> i64 {
    // SAFETY: the caller is attached to an interpreter, which is the current one.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) }
}

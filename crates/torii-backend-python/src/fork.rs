//! A fork's child has one thread, and its parent's locks and sockets as they stood: nothing of that may be used.

use std::io;

use pyo3::prelude::*;

/// Has the core told of every fork of this process, those that C code makes too.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not hear of forks")]
pub(crate) fn watch() -> PyResult<()> {
    extern "C" fn in_child() {
        torii_backend::process::forked();
    }
    // SAFETY: the handler only adds to an atomic, which is allowed in a fork's child. It stays where it is, because Python
    // never unloads an extension module.
    match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code).into()),
    }
}

/// There is no fork here.
#[cfg(not(unix))]
pub(crate) fn watch() -> PyResult<()> {
    Ok(())
}

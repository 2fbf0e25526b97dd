//! The extension module `torii_backend._native`: the core, with Python's types at its edge.
//!
//! JSON crosses as bytes; the models are Python's (`torii_backend.models`), and so are the exceptions
//! (`torii_backend.errors`).

use pyo3::prelude::*;

mod auth;
mod call;
mod classes;
mod client;
mod clock;
mod errors;
mod fork;
mod guard;
mod headers;
mod logging;
mod many;
mod notifier;
mod operations;
mod pages;
mod settings;
mod shared;
mod task;
mod testing;
mod token_arg;
mod verifier;
mod wait;

// Free-threaded builds of Python run with the GIL while this module is loaded: some of its code relies on the GIL.
#[pymodule(gil_used = true)]
mod _native {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, Python, auth, fork, logging, notifier, shared};

    #[pymodule_export]
    use super::auth::{Field, NativeAuth};
    #[pymodule_export]
    use super::classes::register;
    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::guard::NativeRequirement;
    #[pymodule_export]
    use super::operations::Request;
    #[pymodule_export]
    use super::pages::Pages;
    #[pymodule_export]
    use super::shared::{authenticate_request, begin_verification, clear_jwks_cache_for_tests, verify_token};
    #[pymodule_export]
    use super::task::Task;
    #[pymodule_export]
    use super::testing::{ManualClock, verify_es256, verify_jws};
    #[pymodule_export]
    use super::verifier::Verifier;
    #[pymodule_export]
    use super::wait::Verification;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // PyO3 checks once that there is an interpreter. While it shuts down, that check fails.
        Python::attach(|_| ());
        shared::verifiers(module.py());
        auth::add_fields(module.py())?;
        notifier::watch_end(module)?;
        logging::forward();
        fork::watch()
    }
}

//! The extension module `torii_backend._native`: the core, with Python's types at its edge.
//!
//! JSON crosses as bytes; the models are Python's (`torii_backend.models`), and so are the exceptions
//! (`torii_backend.errors`).

use pyo3::prelude::*;

mod auth;
mod client;
mod errors;
mod fork;
mod headers;
mod many;
mod operations;
mod pages;
mod settings;
mod shared;
mod task;
mod testing;
mod verifier;
mod wait;

#[pymodule]
mod _native {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, errors, fork, shared, task};

    #[pymodule_export]
    use super::auth::ToriiAuth;
    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::operations::Request;
    #[pymodule_export]
    use super::pages::{AsyncPages, Pages};
    #[pymodule_export]
    use super::shared::{
        authenticate_request, begin_authenticate_request, begin_verify_token, clear_jwks_cache_for_tests,
        verify_token,
    };
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
        errors::load(module.py());
        shared::verifiers(module.py());
        task::watch_end(module)?;
        fork::watch()
    }
}

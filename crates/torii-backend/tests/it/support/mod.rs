//! What the tests run against, and the tokens that they send.
#![allow(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute; these are the functions tests call"
)]

pub(crate) mod blackhole;
pub(crate) mod faultd;
pub(crate) mod log;
pub(crate) mod tls;
pub(crate) mod tokens;

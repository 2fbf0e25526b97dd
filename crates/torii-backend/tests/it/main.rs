//! Front-door tests: public methods in, decisions and bytes on the wire out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod auth;
mod client;
mod contract;
mod credentials;
mod drift;
mod fault_table;
mod faults;
mod fork;
mod guards;
mod key_cache;
mod key_sources;
mod memory;
mod mutants;
mod operations;
mod paging;
mod refusals;
mod secrets;
mod support;
mod tokens;
mod vectors;
mod wire;

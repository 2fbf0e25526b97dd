//! Front-door tests: calls of a real client to a real server over loopback.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

mod calls;
mod refusals;
mod service;
mod support;

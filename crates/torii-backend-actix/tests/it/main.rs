//! Front-door tests: requests to servers over TCP, and what handlers and clients get.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

mod conformance;
mod extractors;
mod middleware;
mod support;

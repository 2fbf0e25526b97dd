//! Front-door tests: a request into the layer, and what the client or the inner service gets.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

mod admission;
mod composition;
mod conformance;
mod example;
mod guards;
mod held;
mod log;
mod readiness;
mod refusal;
mod support;

//! Front-door tests: requests into routers and servers, and what handlers and clients get.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests do so, but sees only the functions marked as one"
)]

mod conformance;
mod example;
mod extractors;
mod guards;
mod held;
mod layer_auth;
mod support;

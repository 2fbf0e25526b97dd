//! Runs the cases of `contract/adapters` against a web adapter's test application, over TCP.
//!
//! The application has the routes that `contract/adapters/README.md` lists, with the [verifiers and requirements](Settings)
//! of this crate. [`run`] sends every case's request as it is written, reads the answer strictly, and returns what is not as
//! expected. [`interleave`] and [`interleave_http2`] send the requests of many users at the same time, and count the answers that
//! are somebody else's. [`HeldFetch`] shows that a fetch of keys holds up only those who need them.
//!
//! Only tests use it.

#![expect(clippy::panic, reason = "whatever keeps it from running fails the test")]

mod contract;
mod held;
mod interleave;
mod runner;
mod settings;
mod websocket;
mod wire;

pub use contract::Contract;
pub use held::HeldFetch;
pub use interleave::{Mixups, interleave, interleave_http2};
pub use runner::{Adapter, Report, run};
pub use settings::{Settings, me};

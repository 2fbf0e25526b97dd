//! The request pipeline: a [`Request`] becomes bytes, the bytes travel, the reply becomes a type or an error.
//!
//! ```text
//! request   what is asked, with the settings of this one call
//! call      not made yet → driver: attempts and waits, on the client's transport
//! retry     decides whether to try again    problem   what a reply means to the caller
//! ```

mod call;
mod driver;
mod mode;
mod problem;
mod reply;
mod request;
mod retry;
#[expect(clippy::module_inception, reason = "named as the type in it")]
mod transport;

pub use call::{Call, CallFuture};
#[cfg(feature = "blocking")]
pub use mode::Blocking;
pub(crate) use mode::Interrupt;
pub use mode::{Async, Mode};
pub use reply::Reply;
pub(crate) use request::Request;
pub(crate) use transport::{Timeouts, Transport};

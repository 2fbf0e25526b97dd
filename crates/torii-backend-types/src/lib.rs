//! What travels between torii's backend API and its clients.
//!
//! Requests are strict: an unknown field does not deserialise. Replies are tolerant: a field that this version
//! does not know is kept in `extra`, an enum value that it does not know is kept in `Unknown`. Nothing here does
//! I/O, reads a clock or knows HTTP. The SDK is [`torii-backend`](https://docs.rs/torii-backend).
//!
//! The feature `api`, on by default, has the types of the API. Without it, only [`Actor`] and [`ActiveOrganization`] are
//! left: what a token says.

#[cfg(feature = "api")]
mod api;
mod claims;

#[cfg(feature = "api")]
pub use api::*;
pub use claims::{ActiveOrganization, Actor};

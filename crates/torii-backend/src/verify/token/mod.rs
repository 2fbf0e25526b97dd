//! A token's text and what it says. Pure: no key is looked up here, and nothing waits.
//!
//! jws (base64url, header, json) → signature → claims → auth. Nothing here knows where keys come from.

pub(super) mod auth;
pub(super) mod base64url;
pub(super) mod claims;
#[cfg(feature = "test-util")]
mod for_test;
pub(super) mod header;
pub(super) mod issuer;
pub(super) mod json;
pub(super) mod jws;
pub(super) mod signature;

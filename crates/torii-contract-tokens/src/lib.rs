//! The token corpus: literal tokens, key sets and header lines with the decision that a verifier must take.
//!
//! `cargo run -p torii-contract-tokens` writes it into [`folder`], and the tokens of the web adapters' cases into
//! [`adapters::folder`]; the README in each describes the format.
//! The same source gives the same bytes: keys come from fixed seeds and signatures follow RFC 6979.
#![expect(
    clippy::expect_used,
    reason = "every input is a constant of this crate, so a failure is a mistake in it and must stop the program"
)]

pub mod adapters;
mod base64url;
mod case;
mod family;
mod json;
mod key;
mod token;
mod traps;

use std::path::PathBuf;

pub use case::Family;
pub use family::all as families;

/// Where the corpus lives in the repository.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/tokens"))
}

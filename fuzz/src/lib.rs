//! What the fuzz targets share: keys and verifiers that never change, and ways from the fuzzer's bytes to a token, a key set
//! or the lines of a message.

mod compose;
mod fixture;
mod input;
mod lines;

pub use fixture::{Bench, benches, signer_jwk, token_for};
pub use input::{SIGNED, TEXT, document, token};
pub use lines::{header_map, lines};

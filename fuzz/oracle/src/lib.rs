//! What verification must decide, written a second time: from `contract/tokens/README.md` and the RFCs, without a line
//! or a parser of the SDK. It is slow and plain, so that a reader can hold it against the documents.
//!
//! Fuzz targets ask both and stop where the answers differ. The test `corpus` holds this one against `contract/tokens`.

mod base64url;
mod cache_control;
mod http_date;
pub mod json;
mod key_set;
mod policy;
mod request;
mod retry_after;
mod token;

pub use cache_control::{Freshness, freshness};
pub use key_set::{Found, KeySet};
pub use policy::Policy;
pub use request::authenticate;
pub use retry_after::{Wait, retry_after};
pub use token::{Decision, Facts, Organization, verify};

pub use base64url::decode as base64url;

/// Field lines of a message in the order in which they came: name and value.
pub type Lines = [(String, Vec<u8>)];

/// The values of a field, whose name is compared in any case.
fn values<'l>(lines: &'l Lines, name: &'l str) -> impl Iterator<Item = &'l [u8]> {
    lines
        .iter()
        .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// A value without the white space that HTTP allows around it: spaces and tabs.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// RFC 9111, section 1.2.2: digits and nothing else. What does not fit is as long as can be written.
fn delta_seconds(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(text.iter().fold(0, append))
}

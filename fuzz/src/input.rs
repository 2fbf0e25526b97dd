//! From the fuzzer's bytes to a token or a key set. The first byte says how, and which policy judges the token.

use arbitrary::Unstructured;

use crate::compose::{composed_set, composed_token};
use crate::fixture::{encode, sign};
use crate::{Bench, benches};

/// The rest is the token or the key set.
pub const TEXT: u8 = 0;
/// The rest is a header and a payload, at the first FF byte apart (which UTF-8 never has), and is signed as it stands.
pub const SIGNED: u8 = 1;

/// A policy and a token.
pub fn token(data: &[u8]) -> Option<(&'static Bench, String)> {
    let (first, rest) = data.split_first()?;
    let bench = &benches()[usize::from(first >> 4) % benches().len()];
    let token = match first & 0x0f {
        TEXT => String::from_utf8_lossy(rest).into_owned(),
        SIGNED => {
            let mut parts = rest.splitn(2, |byte| *byte == 0xff).map(encode);
            sign(&parts.next()?, &parts.next()?)
        }
        _ => composed_token(&mut Unstructured::new(rest)).ok()?,
    };
    Some((bench, token))
}

/// A key set's document.
pub fn document(data: &[u8]) -> Option<String> {
    let (first, rest) = data.split_first()?;
    match first & 0x0f {
        TEXT => Some(String::from_utf8_lossy(rest).into_owned()),
        _ => composed_set(&mut Unstructured::new(rest)).ok(),
    }
}

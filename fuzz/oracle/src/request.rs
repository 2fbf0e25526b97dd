//! RFC 6750, section 2.1: from the field lines of a request to its token.

use crate::{Decision, KeySet, Lines, Policy, trimmed, values, verify};

const MAX_VALUE: usize = 16_448;

/// What becomes of a request. `keys` is `None` while the issuer's key set cannot be had.
pub fn authenticate(lines: &Lines, keys: Option<&KeySet>, policy: &Policy, now: u64) -> Decision {
    verify(token(lines, &policy.header)?, keys, policy, now)
}

fn token<'l>(lines: &'l Lines, header: &'l str) -> Result<&'l [u8], String> {
    let found: Vec<&[u8]> = values(lines, header).collect();
    let [value] = found[..] else {
        return Err(match found.len() {
            0 => "header_missing".to_owned(),
            _ => "header_ambiguous".to_owned(),
        });
    };
    if value.len() > MAX_VALUE {
        return Err("too_large".to_owned());
    }
    let value = trimmed(value);
    if value.is_empty() {
        return Err("header_missing".to_owned());
    }
    // Visible ASCII and spaces; "Bearer", spaces, and the rest. A header of one's own may hold the token alone.
    let malformed = || "header_malformed".to_owned();
    if !value.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Err(malformed());
    }
    let Some(space) = value.iter().position(|byte| *byte == b' ') else {
        let has_no_scheme = !header.eq_ignore_ascii_case("authorization");
        let is_scheme = value.eq_ignore_ascii_case(b"bearer");
        return if has_no_scheme && !is_scheme {
            Ok(value)
        } else {
            Err(malformed())
        };
    };
    let (scheme, rest) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(malformed());
    }
    Ok(trimmed(rest))
}

//! Size, alphabet and the number of segments: what is decided before anything is decoded.

use crate::case::{Case, Family};
use crate::key::default_key_set;
use crate::token::{MAX_TOKEN, Token, token_of_length};

const COMPACT: &str = "RFC 7515 7.1";

pub(super) fn family() -> Family {
    let mut family = Family::new("structure");
    family.key_set("default", default_key_set());
    family.add(
        Case::new(
            "valid",
            COMPACT,
            "Three good segments, a known key, claims in order.",
        )
        .token(Token::valid()),
    );
    segments(&mut family);
    alphabet(&mut family);
    sizes(&mut family);
    family
}

fn segments(family: &mut Family) {
    let valid = Token::valid().text();
    let (header, payload) = Token::valid().segments();
    let signature = valid.rsplit('.').next().unwrap_or_default();
    let rows = [
        ("empty", "An empty text is no token.", String::new()),
        ("one-dot", "Two empty segments are no token.", ".".to_owned()),
        ("two-dots", "Three empty segments are no token.", "..".to_owned()),
        ("one-segment", "A token has three segments.", header.clone()),
        (
            "two-segments",
            "An unsecured or cut token has no signature segment.",
            format!("{header}.{payload}"),
        ),
        (
            "four-segments",
            "A fourth segment could hide what was verified.",
            format!("{valid}.{signature}"),
        ),
        (
            "five-segments",
            "Five segments are an encrypted token.",
            format!("{valid}.{signature}.{signature}"),
        ),
        (
            "leading-dot",
            "An empty first segment makes four.",
            format!(".{valid}"),
        ),
        (
            "trailing-dot",
            "An empty last segment makes four.",
            format!("{valid}."),
        ),
        (
            "double-dot",
            "An empty segment in the middle makes four.",
            format!("{header}..{payload}.{signature}"),
        ),
        (
            "empty-header",
            "The header segment is empty.",
            format!(".{payload}.{signature}"),
        ),
        (
            "empty-payload",
            "A detached payload is not part of this protocol.",
            format!("{header}..{signature}"),
        ),
        (
            "empty-signature",
            "A token without a signature is unsecured.",
            format!("{header}.{payload}."),
        ),
        (
            "many-dots",
            "Segments are counted, not collected.",
            ".".repeat(MAX_TOKEN),
        ),
    ];
    for (name, reason, token) in rows {
        family.add(Case::new(name, COMPACT, reason).token(token).refused("malformed"));
    }
}

fn alphabet(family: &mut Family) {
    let valid = Token::valid().text();
    let (header, payload) = Token::valid().segments();
    let signature = valid.rsplit('.').next().unwrap_or_default();
    let json = format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    let rows = [
        (
            "leading-space",
            "Spaces belong to the header line, not to the token.",
            format!(" {valid}"),
        ),
        (
            "trailing-space",
            "Spaces belong to the header line, not to the token.",
            format!("{valid} "),
        ),
        (
            "trailing-newline",
            "A token read from a file must be trimmed by the reader.",
            format!("{valid}\n"),
        ),
        (
            "trailing-crlf",
            "A line end could split a header.",
            format!("{valid}\r\n"),
        ),
        (
            "trailing-nul",
            "A C string would end before the NUL.",
            format!("{valid}\0"),
        ),
        (
            "tab-inside",
            "A tab is not in the alphabet.",
            format!("{header}\t.{payload}.{signature}"),
        ),
        (
            "space-around-dot",
            "A space is not in the alphabet.",
            format!("{header} . {payload} . {signature}"),
        ),
        (
            "in-quotes",
            "Quotes are not in the alphabet.",
            format!("\"{valid}\""),
        ),
        (
            "in-angle-brackets",
            "Angle brackets are not in the alphabet.",
            format!("<{valid}>"),
        ),
        (
            "with-scheme",
            "The scheme belongs to the header line, not to the token.",
            format!("Bearer {valid}"),
        ),
        (
            "two-tokens-with-comma",
            "A comma joins two header values, not two tokens.",
            format!("{valid},{valid}"),
        ),
        (
            "percent-encoded-dots",
            "The token is not a URL component.",
            valid.replace('.', "%2E"),
        ),
        (
            "full-width-dots",
            "U+FF0E looks like a dot and is none.",
            valid.replace('.', "\u{ff0e}"),
        ),
        (
            "colons-for-dots",
            "Segments are separated by dots only.",
            valid.replace('.', ":"),
        ),
        (
            "byte-order-mark",
            "An invisible character is not in the alphabet.",
            format!("\u{feff}{valid}"),
        ),
        (
            "zero-width-space",
            "An invisible character is not in the alphabet.",
            format!("{valid}\u{200b}"),
        ),
        (
            "cyrillic-letter",
            "A letter that only looks Latin is not in the alphabet.",
            valid.replacen('e', "\u{435}", 1),
        ),
        (
            "full-width-letter",
            "Compatibility forms are not folded.",
            valid.replacen('e', "\u{ff45}", 1),
        ),
        (
            "tilde-suffix",
            "A tilde would start the disclosures of another token format.",
            format!("{valid}~"),
        ),
        ("json-serialization", "Only the compact form is a JWT.", json),
    ];
    for (name, reason, token) in rows {
        family.add(Case::new(name, COMPACT, reason).token(token).refused("malformed"));
    }
}

fn sizes(family: &mut Family) {
    let policy = |name, reason| Case::new(name, "policy", reason);
    family.add(policy("largest-token", "The size limit itself is fine.").token(token_of_length(MAX_TOKEN)));
    family.add(
        policy(
            "token-one-byte-too-large",
            "One byte beyond the limit, valid otherwise.",
        )
        .token(token_of_length(MAX_TOKEN + 1))
        .refused("too_large"),
    );
    family.add(
        Case::new(
            "dots-beyond-the-limit",
            "CVE-2025-30204",
            "Size is checked before anything is split.",
        )
        .token(".".repeat(MAX_TOKEN + 1))
        .refused("too_large"),
    );
    family.add(
        policy(
            "garbage-beyond-the-limit",
            "Size is checked before the alphabet, and in bytes: these are two each.",
        )
        .token("\u{e9}".repeat(MAX_TOKEN / 2 + 1))
        .refused("too_large"),
    );
    family.add(
        policy(
            "garbage-at-the-limit",
            "As many bytes as the limit allows, so the alphabet decides.",
        )
        .token("\u{e9}".repeat(MAX_TOKEN / 2))
        .refused("malformed"),
    );
}

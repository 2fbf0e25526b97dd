//! Each segment has exactly one spelling. The signatures cover the spoiled text, so that nothing else is wrong.

use crate::base64url::base64url;
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::default_key_set;
use crate::token::{Token, sign_segments};

const ALPHABET: &str = "RFC 4648 5";
const CANONICAL: &str = "RFC 4648 3.5";
const NO_PADDING: &str = "RFC 7515 2";

/// What a spoiled segment is called, and how it is spoiled.
type Spoiler = (&'static str, &'static str, &'static str, fn(&str) -> String);

pub(super) fn family() -> Family {
    let mut family = Family::new("base64url");
    family.key_set("default", default_key_set());
    remainders(&mut family);
    spoiled(&mut family);
    trailing_bits(&mut family);
    encoded_otherwise(&mut family);
    family
}

/// Texts of 3n, 3n+1 and 3n+2 bytes encode to 4n, 4n+2 and 4n+3 characters; no character is padding.
fn remainders(family: &mut Family) {
    for segment in ["header", "payload"] {
        for remainder in [0, 2, 3] {
            let name = format!("{segment}-of-4n-plus-{remainder}-characters");
            let reason = "A segment of this length needs no padding and has none.";
            family.add(Case::new(name, NO_PADDING, reason).token(with_remainder(segment, remainder)));
        }
    }
}

/// Segments of 4n+2 characters, spoiled.
fn spoiled(family: &mut Family) {
    let spoilers: [Spoiler; 7] = [
        (
            "padded",
            NO_PADDING,
            "Padding is a second spelling of the same bytes.",
            |text| format!("{text}=="),
        ),
        (
            "padding-percent-encoded",
            NO_PADDING,
            "Padding stays padding behind a percent escape.",
            |text| format!("{text}%3D"),
        ),
        (
            "dangling-character",
            ALPHABET,
            "The last character of 4n+1 holds six bits, which are no byte.",
            |text| format!("{text}AAA"),
        ),
        (
            "plus-and-slash",
            ALPHABET,
            "The alphabet with + and / is another encoding.",
            |text| format!("{}+/", &text[..text.len() - 2]),
        ),
        (
            "space-inside",
            "RFC 4648 3.3",
            "Characters outside the alphabet are refused, not skipped.",
            |text| format!("{} {}", &text[..4], &text[4..]),
        ),
        (
            "line-break-inside",
            "RFC 4648 3.1",
            "The encoding of mail breaks lines, this one does not.",
            |text| format!("{}\r\n{}", &text[..4], &text[4..]),
        ),
        (
            "exclamation-mark-inside",
            "RFC 4648 3.3",
            "Characters outside the alphabet are refused, not skipped.",
            |text| format!("{}!{}", &text[..4], &text[4..]),
        ),
    ];
    for segment in ["header", "payload", "signature"] {
        for (fault, source, reason, spoil) in &spoilers {
            let case = Case::new(format!("{segment}-{fault}"), *source, *reason);
            family.add(
                case.token(respelled(with_remainder(segment, 2), segment, spoil))
                    .refused("malformed"),
            );
        }
    }
}

/// The last character of a segment of 4n+2 or 4n+3 characters holds four or two bits that belong to no byte.
fn trailing_bits(family: &mut Family) {
    let reason = "The unused bits of the last character are zero, or one text would have several spellings.";
    for segment in ["header", "payload"] {
        for remainder in [2, 3] {
            let token = with_remainder(segment, remainder);
            let name = format!("{segment}-of-4n-plus-{remainder}-with-trailing-bits");
            family.add(
                Case::new(name, CANONICAL, reason)
                    .token(respelled(token, segment, &next_last_character))
                    .refused("malformed"),
            );
        }
    }
    for bits in [1, 2, 4, 8, 15] {
        let token = respelled(Token::valid(), "signature", &|text| {
            (0..bits).fold(text.to_owned(), |text, _| next_last_character(&text))
        });
        let name = format!("signature-with-trailing-bits-{bits:04b}");
        family.add(
            Case::new(name, CANONICAL, reason)
                .token(token)
                .refused("malformed"),
        );
    }
}

fn encoded_otherwise(family: &mut Family) {
    let (header, payload) = Token::valid().segments();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let header_json = Token::valid().header_object().to_string();
    let payload_json = Token::valid().payload_object().to_string();
    let rows = [
        (
            "header-encoded-twice",
            sign_segments(&base64url(&header), &payload),
            "Decoding once gives text that is not JSON.",
        ),
        (
            "payload-encoded-twice",
            sign_segments(&header, &base64url(&payload)),
            "Decoding once gives text that is not JSON.",
        ),
        (
            "header-in-hexadecimal",
            sign_segments(&hex(&header_json), &payload),
            "Hexadecimal is in the alphabet but decodes to noise.",
        ),
        (
            "payload-in-hexadecimal",
            sign_segments(&header, &hex(&payload_json)),
            "Hexadecimal is in the alphabet but decodes to noise.",
        ),
        (
            "header-not-encoded",
            sign_segments(&header_json, &payload),
            "JSON itself is not in the alphabet.",
        ),
        (
            "payload-not-encoded",
            sign_segments(&header, &payload_json),
            "The unencoded payload option is not part of this protocol.",
        ),
    ];
    for (name, token, reason) in rows {
        family.add(
            Case::new(name, "RFC 7515 7.1", reason)
                .token(token)
                .refused("malformed"),
        );
    }
    let upper = sign_segments(&header.to_uppercase(), &payload);
    let reason = "Base64 is case-sensitive, so this header decodes to noise.";
    family.add(
        Case::new("header-in-upper-case", ALPHABET, reason)
            .token(upper)
            .refused("malformed"),
    );
}

/// A valid token whose named segment has 4n plus this many characters. A signature has always 4n+2.
fn with_remainder(segment: &str, remainder: usize) -> Token {
    let padded = |length: usize| {
        let padding = quoted(&"p".repeat(length));
        match segment {
            "header" => Token::valid().header("pad", padding),
            _ => Token::valid().claim("pad", padding),
        }
    };
    let fits = |token: &Token| {
        let (header, payload) = token.segments();
        let text = if segment == "header" { header } else { payload };
        segment == "signature" || text.len() % 4 == remainder
    };
    (0..3)
        .map(padded)
        .find(fits)
        .expect("three lengths in a row have three remainders")
}

/// The token with one segment spelled otherwise, signed over the new spelling.
fn respelled(token: Token, segment: &str, spell: &dyn Fn(&str) -> String) -> String {
    let (header, payload) = token.segments();
    match segment {
        "header" => sign_segments(&spell(&header), &payload),
        "payload" => sign_segments(&header, &spell(&payload)),
        _ => format!("{header}.{payload}.{}", spell(&base64url(token.signature()))),
    }
}

/// The text with the character after its last one in the alphabet: one more in the lowest bit.
fn next_last_character(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let place = ALPHABET.iter().position(|&c| last.as_bytes() == [c]);
    let next = ALPHABET[place.expect("a character of the alphabet") + 1];
    format!("{rest}{}", char::from(next))
}

//! Lines that hold no token, and lines whose token is none.

use super::{FIELD, SCHEME, line};
use crate::case::Family;

pub(super) fn malformed_lines(family: &mut Family, token: &str) {
    let no_token = "A scheme without a token is no credential.";
    let other = "The scheme is `Bearer`; a token under another scheme is not downgraded to it.";
    let space = "A space ends the scheme, and only a space.";
    let control = "Control characters could end the line in another layer.";
    let rows = [
        ("scheme-alone", "RFC 6750 2.1", no_token, "Bearer".to_owned()),
        ("scheme-and-space", "RFC 6750 2.1", no_token, "Bearer ".to_owned()),
        (
            "scheme-and-spaces",
            "RFC 6750 2.1",
            no_token,
            "Bearer    ".to_owned(),
        ),
        (
            "token-alone",
            "RFC 6750 2.1",
            "A token without a scheme is no credential.",
            token.to_owned(),
        ),
        (
            "scheme-after-token",
            "RFC 6750 2.1",
            "The scheme comes first.",
            format!("{token} Bearer"),
        ),
        ("basic", SCHEME, other, "Basic dXNlcjpwYXNz".to_owned()),
        ("basic-with-token", SCHEME, other, format!("Basic {token}")),
        ("dpop", "RFC 9449 7.1", other, format!("DPoP {token}")),
        ("negotiate", SCHEME, other, format!("Negotiate {token}")),
        ("token-scheme", SCHEME, other, format!("Token {token}")),
        ("jwt-scheme", SCHEME, other, format!("JWT {token}")),
        (
            "basic-then-bearer",
            "RFC 9110 11.6.2",
            other,
            format!("Basic dTpw, Bearer {token}"),
        ),
        (
            "leading-comma",
            "RFC 9110 11.6.2",
            other,
            format!(", Bearer {token}"),
        ),
        ("scheme-with-colon", SCHEME, other, format!("Bearer: {token}")),
        ("scheme-with-equals", SCHEME, other, format!("Bearer={token}")),
        ("scheme-with-comma", SCHEME, other, format!("Bearer,{token}")),
        ("scheme-in-quotes", SCHEME, other, format!("\"Bearer\" {token}")),
        ("scheme-longer", SCHEME, other, format!("Bearers {token}")),
        ("scheme-shorter", SCHEME, other, format!("Beare {token}")),
        ("no-space", SCHEME, space, format!("Bearer{token}")),
        ("tab-for-space", SCHEME, space, format!("Bearer\t{token}")),
        ("space-and-tab", SCHEME, space, format!("Bearer \t{token}")),
        ("newline-for-space", SCHEME, space, format!("Bearer\n{token}")),
        ("trailing-crlf", FIELD, control, format!("Bearer {token}\r\n")),
        ("trailing-newline", FIELD, control, format!("Bearer {token}\n")),
        ("leading-newline", FIELD, control, format!("\nBearer {token}")),
        (
            "injected-line",
            FIELD,
            control,
            format!("Bearer {token}\r\nX-Admin: true"),
        ),
        (
            "folded-line",
            "RFC 9112 5.2",
            control,
            format!("Bearer\r\n {token}"),
        ),
        ("carriage-return", FIELD, control, format!("Bearer {token}\rx")),
        ("nul-at-the-end", FIELD, control, format!("Bearer {token}\0")),
        ("nul-in-scheme", FIELD, control, format!("Bea\0rer {token}")),
        ("vertical-tab", FIELD, control, format!("Bearer \u{b}{token}")),
        ("form-feed-around", FIELD, control, format!("\u{c}Bearer {token}")),
        ("escape", FIELD, control, format!("Bearer \u{1b}[0m{token}")),
        ("delete", FIELD, control, format!("Bearer {token}\u{7f}")),
    ];
    for (name, source, reason, value) in rows {
        family.add(line(name, source, reason, value).refused("header_malformed"));
    }
}

/// Values beyond ASCII, one character for each byte.
pub(super) fn bytes(family: &mut Family, token: &str) {
    let utf8 = |text: &str| text.bytes().map(char::from).collect::<String>();
    let rows = [
        ("no-break-space-byte", format!("Bearer\u{a0}{token}")),
        ("no-break-space-in-utf-8", utf8(&format!("Bearer\u{a0}{token}"))),
        ("no-break-space-at-the-end", format!("Bearer {token}\u{a0}")),
        ("em-space", utf8(&format!("Bearer\u{2003}{token}"))),
        ("ideographic-space", utf8(&format!("Bearer \u{3000}{token}"))),
        ("next-line-byte", format!("Bearer {token}\u{85}")),
        ("accented-letter", format!("Bearer {token}\u{e9}")),
        ("byte-80", format!("Bearer \u{80}{token}")),
        ("byte-ff", format!("\u{ff}Bearer {token}")),
        ("byte-order-mark", utf8(&format!("\u{feff}Bearer {token}"))),
        (
            "cyrillic-letter-in-scheme",
            utf8(&format!("B\u{435}arer {token}")),
        ),
        ("long-s-in-token", utf8(&format!("Bearer {token}\u{17f}"))),
    ];
    for (name, value) in rows {
        let reason = "A token is ASCII, so a byte from 0x80 on cannot belong to one.";
        family.add(
            line(name, FIELD, reason, value)
                .latin1()
                .refused("header_malformed"),
        );
    }
}

pub(super) fn malformed_tokens(family: &mut Family, token: &str) {
    let rows = [
        (
            "text-after-token",
            "Nothing may follow the token.",
            format!("Bearer {token} x"),
        ),
        (
            "token-twice",
            "Nothing may follow the token.",
            format!("Bearer {token} {token}"),
        ),
        (
            "joined-lines",
            "A gateway joined two lines with a comma.",
            format!("Bearer {token}, Bearer {token}"),
        ),
        (
            "comma-after-token",
            "A comma is not in the alphabet.",
            format!("Bearer {token},"),
        ),
        (
            "semicolon-after-token",
            "Parameters are not part of this scheme.",
            format!("Bearer {token}; x=y"),
        ),
        (
            "token-in-quotes",
            "Quotes are not in the alphabet.",
            format!("Bearer \"{token}\""),
        ),
        (
            "token-as-parameter",
            "Parameters are not part of this scheme.",
            format!("Bearer token={token}"),
        ),
        (
            "scheme-twice",
            "The second scheme is taken for the token.",
            format!("Bearer Bearer {token}"),
        ),
        (
            "token-null",
            "A script wrote a missing value.",
            "Bearer null".to_owned(),
        ),
        (
            "token-undefined",
            "A script wrote a missing value.",
            "Bearer undefined".to_owned(),
        ),
        (
            "opaque-token",
            "A secret key is not a token.",
            "Bearer sk_test_0000000000000000".to_owned(),
        ),
        (
            "dots",
            "Three empty segments are no token.",
            "Bearer ..".to_owned(),
        ),
    ];
    for (name, reason, value) in rows {
        family.add(line(name, "RFC 6750 2.1", reason, value).refused("malformed"));
    }
}

//! Texts that a lenient parser takes for a JSON object. They are wrapped around the members of a valid header or
//! payload and sit in a member that nobody reads, so that the trap is the only fault.

mod document;
mod value;

use crate::json::Object;

/// How many objects and arrays may be nested, the outermost included.
const MAX_DEPTH: usize = 64;

/// A JSON text with the reason for its fate.
pub(crate) struct Trap {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Texts that must be refused as `malformed`.
pub(crate) fn refused(valid: &Object) -> Vec<Trap> {
    let mut traps = document::encodings(valid);
    traps.extend(document::documents(valid));
    traps.extend(document::syntax(valid));
    traps.extend(value::duplicates(valid));
    traps.extend(value::strings(valid));
    traps.extend(value::numbers(valid));
    traps.extend(value::nesting(valid, MAX_DEPTH + 1));
    traps
}

/// Unusual texts that are one well-formed object all the same.
pub(crate) fn accepted(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let with = |member: &str| format!("{{{members},{member}}}");
    let mut texts = vec![
        (
            "whitespace-around-the-object",
            "RFC 8259 2",
            "The four JSON whitespace characters may surround the object.",
            format!(" \t\r\n{{{members}}}\n\r\t "),
        ),
        (
            "whitespace-between-members",
            "RFC 8259 2",
            "Whitespace around structural characters means nothing.",
            format!("{{ {}\n}}", members.replace(',', " ,\n ")),
        ),
        (
            "surrogate-pair-escape",
            "RFC 8259 7",
            "A high surrogate followed by a low one is one character.",
            with(r#""x":"\ud83d\ude00""#),
        ),
        (
            "nul-escape",
            "RFC 8259 7",
            "An escaped NUL is a character like any other.",
            with(r#""x":"a\u0000b""#),
        ),
        (
            "noncharacter",
            "RFC 8259 8.2",
            "U+FFFF is a Unicode scalar value, so the text is valid UTF-8.",
            with("\"x\":\"\u{ffff}\""),
        ),
        (
            "escaped-member-name",
            "RFC 8259 8.3",
            "A name may be written with escapes.",
            with(r#""\u0078":1"#),
        ),
        (
            "empty-member-name",
            "RFC 8259 4",
            "The empty string is a member name.",
            with(r#""":1"#),
        ),
        (
            "names-that-differ-in-case",
            "RFC 7515 4",
            "Names are case-sensitive, so these are two members and neither is read.",
            with(r#""X":1,"x":2,"ALG":"none","SUB":"mallory""#),
        ),
        (
            "same-name-in-two-objects",
            "RFC 8259 4",
            "A name must be unique in its own object only.",
            with(r#""x":{"a":1},"y":{"a":1},"z":[{"a":1},{"a":1}]"#),
        ),
        (
            "same-name-nested-in-itself",
            "RFC 8259 4",
            "A nested member may carry its parent's name.",
            with(r#""x":{"x":{"x":1}}"#),
        ),
        (
            "integer-beyond-64-bits",
            "RFC 8259 6",
            "A number that a double can hold approximately is a number.",
            with(r#""x":123456789012345678901234567890"#),
        ),
        (
            "largest-double",
            "RFC 8259 6",
            "The number is within the range of a double.",
            with(r#""x":1.7976931348623157e308"#),
        ),
        (
            "minus-zero",
            "RFC 8259 6",
            "The grammar allows a minus sign before zero.",
            with(r#""x":-0"#),
        ),
        (
            "exponent-forms",
            "RFC 8259 6",
            "An exponent may have a sign, leading zeros and either case.",
            with(r#""x":[1e5,1E+05,1.5e-3]"#),
        ),
    ];
    texts.push((
        "nesting-of-64",
        "policy",
        "Depth counts objects and arrays with the outermost as one; the limit itself is fine.",
        nested(&members, MAX_DEPTH, '[', ']'),
    ));
    texts.into_iter().map(Trap::from).collect()
}

/// An object with these members and one more, nested so that the whole is this deep.
fn nested(members: &str, depth: usize, open: char, close: char) -> String {
    let inner = depth - 1;
    let open = open.to_string().repeat(inner);
    let close = close.to_string().repeat(inner);
    format!("{{{members},\"x\":{open}{close}}}")
}

impl From<(&'static str, &'static str, &'static str, String)> for Trap {
    fn from((name, source, reason, text): (&'static str, &'static str, &'static str, String)) -> Self {
        Self {
            name,
            source,
            reason,
            bytes: text.into_bytes(),
        }
    }
}

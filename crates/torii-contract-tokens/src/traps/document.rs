//! Faults of the text as a whole: its encoding, its one value, its punctuation.

use super::Trap;
use crate::json::{Object, quoted};

pub(super) fn encodings(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let whole = valid.to_string();
    let with_bytes = |bytes: &[u8]| {
        let start = format!("{{{members},\"x\":\"").into_bytes();
        [start.as_slice(), bytes, b"\"}"].concat()
    };
    let utf16 = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [
        (
            "byte-order-mark",
            "RFC 8259 8.1",
            "A text that travels must not start with a byte order mark.",
            format!("\u{feff}{whole}").into_bytes(),
        ),
        ("utf-16", "RFC 8725 3.7", "The text must be UTF-8.", utf16),
        (
            "utf-8-lone-byte",
            "RFC 8725 3.7",
            "A Latin-1 byte is not UTF-8.",
            with_bytes(b"caf\xe9"),
        ),
        (
            "utf-8-byte-ff",
            "RFC 3629 3",
            "The byte FF never occurs in UTF-8.",
            with_bytes(b"\xff"),
        ),
        (
            "utf-8-overlong",
            "RFC 3629 3",
            "An overlong form of a quote would end the string in one parser only.",
            with_bytes(b"\xc0\xa2"),
        ),
        (
            "utf-8-surrogate",
            "RFC 3629 3",
            "UTF-8 does not encode surrogates.",
            with_bytes(b"\xed\xa0\x80"),
        ),
        (
            "utf-8-beyond-unicode",
            "RFC 3629 3",
            "U+110000 is no code point.",
            with_bytes(b"\xf4\x90\x80\x80"),
        ),
        (
            "utf-8-cut-short",
            "RFC 3629 3",
            "The sequence lacks its last byte.",
            with_bytes(b"\xe2\x82"),
        ),
    ]
    .into_iter()
    .map(|(name, source, reason, bytes)| Trap {
        name,
        source,
        reason,
        bytes,
    })
    .collect()
}

pub(super) fn documents(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let whole = valid.to_string();
    const ONE: &str = "RFC 7519 7.2";
    [
        (
            "array",
            ONE,
            "The text must be an object; wrapping it in an array is another document.",
            format!("[{whole}]"),
        ),
        (
            "string",
            ONE,
            "An object inside a string is a string.",
            quoted(&whole),
        ),
        ("number", ONE, "A number is not an object.", "1".to_owned()),
        ("true", ONE, "A boolean is not an object.", "true".to_owned()),
        ("null", ONE, "Null is not an object.", "null".to_owned()),
        ("blank", ONE, "Whitespace alone is no JSON text.", " ".to_owned()),
        (
            "plain-text",
            ONE,
            "Text that is not JSON at all.",
            "ES256".to_owned(),
        ),
        (
            "second-object",
            "RFC 8259 2",
            "A text holds one value; what follows could be read instead.",
            format!("{whole}{{}}"),
        ),
        (
            "second-object-on-a-new-line",
            "RFC 8259 2",
            "JSON lines are several texts.",
            format!("{whole}\n{whole}"),
        ),
        (
            "trailing-word",
            "RFC 8259 2",
            "Nothing but whitespace may follow the object.",
            format!("{whole} x"),
        ),
        (
            "trailing-comma-after-object",
            "RFC 8259 2",
            "Nothing but whitespace may follow the object.",
            format!("{whole},"),
        ),
        (
            "trailing-brace",
            "RFC 8259 2",
            "The extra brace closes nothing.",
            format!("{whole}}}"),
        ),
        (
            "trailing-nul",
            "RFC 8259 2",
            "NUL is not whitespace; a C string would end before it.",
            format!("{whole}\0"),
        ),
        (
            "leading-word",
            "RFC 8259 2",
            "Script prefixes are not JSON.",
            format!(")]}}',\n{whole}"),
        ),
        (
            "form-feed",
            "RFC 8259 2",
            "A form feed is not JSON whitespace.",
            format!("\u{c}{whole}"),
        ),
        (
            "no-break-space",
            "RFC 8259 2",
            "A no-break space is not JSON whitespace.",
            format!("{whole}\u{a0}"),
        ),
        (
            "unclosed-object",
            "RFC 8259 4",
            "The closing brace is missing.",
            format!("{{{members}"),
        ),
        (
            "unclosed-string",
            "RFC 8259 7",
            "The last string does not end.",
            format!("{{{members},\"x\":\"y"),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

pub(super) fn syntax(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let with = |member: &str| format!("{{{members},{member}}}");
    [
        (
            "trailing-comma",
            "RFC 8259 4",
            "JavaScript allows a comma after the last member, JSON does not.",
            with(""),
        ),
        (
            "leading-comma",
            "RFC 8259 4",
            "A member must come before a comma.",
            format!("{{,{members}}}"),
        ),
        (
            "missing-comma",
            "RFC 8259 4",
            "Members are separated by commas.",
            format!("{{{members} \"x\":1}}"),
        ),
        (
            "missing-colon",
            "RFC 8259 4",
            "A name is followed by a colon.",
            with(r#""x" 1"#),
        ),
        (
            "missing-value",
            "RFC 8259 4",
            "A member has a value.",
            with(r#""x":"#),
        ),
        (
            "bare-name",
            "RFC 8259 4",
            "A name is a string in quotes.",
            with("x:1"),
        ),
        ("number-as-name", "RFC 8259 4", "A name is a string.", with("1:1")),
        (
            "single-quotes",
            "RFC 8259 7",
            "Strings are in double quotes.",
            with("'x':'y'"),
        ),
        (
            "block-comment",
            "RFC 8259 2",
            "JSON has no comments.",
            with("/* x */\"x\":1"),
        ),
        (
            "line-comment",
            "RFC 8259 2",
            "JSON has no comments.",
            format!("// x\n{{{members}}}"),
        ),
        (
            "python-literal",
            "RFC 8259 3",
            "Literals are lower case.",
            with(r#""x":True"#),
        ),
        (
            "undefined-literal",
            "RFC 8259 3",
            "JSON has three literals and this is none.",
            with(r#""x":undefined"#),
        ),
        (
            "cut-literal",
            "RFC 8259 3",
            "A literal is written out.",
            with(r#""x":nul"#),
        ),
        (
            "array-with-trailing-comma",
            "RFC 8259 5",
            "An element must follow a comma.",
            with(r#""x":[1,]"#),
        ),
        (
            "mismatched-brackets",
            "RFC 8259 5",
            "An array ends with its own bracket.",
            with(r#""x":[1}"#),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

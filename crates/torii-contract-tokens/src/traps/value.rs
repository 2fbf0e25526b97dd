//! Faults of a name or a value inside an object that is well formed otherwise.

use super::{Trap, nested};
use crate::json::Object;

pub(super) fn duplicates(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let with = |member: &str| format!("{{{members},{member}}}");
    const UNIQUE: &str = "RFC 7515 4";
    [
        (
            "duplicate-name",
            UNIQUE,
            "Two parsers may take different values of a repeated name, also of one that nobody reads.",
            with(r#""x":1,"x":2"#),
        ),
        (
            "duplicate-name-same-value",
            UNIQUE,
            "A repeated name is refused even when both values agree.",
            with(r#""x":1,"x":1"#),
        ),
        (
            "duplicate-name-escaped",
            UNIQUE,
            "An escape spells the same name.",
            with(r#""x":1,"\u0078":2"#),
        ),
        (
            "duplicate-name-in-object",
            "RFC 7493 2.3",
            "The rule holds at every depth.",
            with(r#""x":{"a":1,"a":2}"#),
        ),
        (
            "duplicate-name-in-array",
            "RFC 7493 2.3",
            "The rule holds inside arrays too.",
            with(r#""x":[1,[{"a":1,"b":2,"a":3}]]"#),
        ),
        (
            "duplicate-empty-name",
            "RFC 7493 2.3",
            "The empty name counts like any other.",
            with(r#""":1,"":2"#),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

pub(super) fn strings(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let with = |member: &str| format!("{{{members},{member}}}");
    const SURROGATE: &str = "RFC 7493 2.1";
    [
        (
            "lone-high-surrogate",
            SURROGATE,
            "Half a character cannot be written as UTF-8 again.",
            with(r#""x":"\ud800""#),
        ),
        (
            "lone-low-surrogate",
            SURROGATE,
            "Half a character cannot be written as UTF-8 again.",
            with(r#""x":"\udc00""#),
        ),
        (
            "reversed-surrogates",
            SURROGATE,
            "The high half must come first.",
            with(r#""x":"\udc00\ud800""#),
        ),
        (
            "high-surrogate-before-letter",
            SURROGATE,
            "A high surrogate must be followed by a low one.",
            with(r#""x":"\ud83dA""#),
        ),
        (
            "two-high-surrogates",
            SURROGATE,
            "A high surrogate must be followed by a low one.",
            with(r#""x":"\ud83d\ud83d""#),
        ),
        (
            "surrogate-in-name",
            SURROGATE,
            "The rule holds for names.",
            with(r#""\ud800":1"#),
        ),
        (
            "surrogate-in-depth",
            SURROGATE,
            "The rule holds at every depth.",
            with(r#""x":[{"y":"\udfff"}]"#),
        ),
        (
            "hex-escape",
            "RFC 8259 7",
            "This escape is JavaScript's.",
            with(r#""x":"\x41""#),
        ),
        (
            "quote-escape",
            "RFC 8259 7",
            "A single quote has no escape.",
            with(r#""x":"\'""#),
        ),
        (
            "short-unicode-escape",
            "RFC 8259 7",
            "A Unicode escape has four digits.",
            with(r#""x":"\u041""#),
        ),
        (
            "unicode-escape-with-sign",
            "RFC 8259 7",
            "A Unicode escape has hexadecimal digits only.",
            with(r#""x":"\u+041""#),
        ),
        (
            "raw-newline",
            "RFC 8259 7",
            "Control characters in strings must be escaped.",
            with("\"x\":\"a\nb\""),
        ),
        (
            "raw-tab",
            "RFC 8259 7",
            "Control characters in strings must be escaped.",
            with("\"x\":\"a\tb\""),
        ),
        (
            "raw-nul",
            "RFC 8259 7",
            "Control characters in strings must be escaped.",
            with("\"x\":\"a\0b\""),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

pub(super) fn numbers(valid: &Object) -> Vec<Trap> {
    let members = valid.members();
    let with = |number: &str| format!("{{{members},\"x\":{number}}}");
    const NUMBER: &str = "RFC 8259 6";
    [
        (
            "nan",
            NUMBER,
            "JSON has no NaN; Python's parser takes it.",
            with("NaN"),
        ),
        (
            "infinity",
            NUMBER,
            "JSON has no infinity; Python's parser takes it.",
            with("Infinity"),
        ),
        (
            "minus-infinity",
            NUMBER,
            "JSON has no infinity; Python's parser takes it.",
            with("-Infinity"),
        ),
        (
            "number-beyond-double",
            "RFC 7493 2.2",
            "Read as a double this would be infinite.",
            with("1e400"),
        ),
        (
            "negative-number-beyond-double",
            "RFC 7493 2.2",
            "Read as a double this would be infinite.",
            with("-1e400"),
        ),
        (
            "integer-beyond-double",
            "RFC 7493 2.2",
            "400 digits are out of range as much as an exponent is.",
            with(&"9".repeat(400)),
        ),
        (
            "leading-zero",
            NUMBER,
            "A leading zero is octal to some parsers.",
            with("01"),
        ),
        ("plus-sign", NUMBER, "A number has no plus sign.", with("+1")),
        (
            "no-integer-part",
            NUMBER,
            "Digits must come before the point.",
            with(".5"),
        ),
        ("no-fraction", NUMBER, "Digits must follow the point.", with("1.")),
        (
            "no-exponent",
            NUMBER,
            "Digits must follow the exponent's letter.",
            with("1e"),
        ),
        ("minus-alone", NUMBER, "A sign is not a number.", with("-")),
        ("hexadecimal", NUMBER, "JSON numbers are decimal.", with("0x10")),
        (
            "digit-separator",
            NUMBER,
            "Python and Rust allow separators, JSON does not.",
            with("1_000"),
        ),
        (
            "full-width-digit",
            NUMBER,
            "Only ASCII digits are digits.",
            with("\u{ff11}"),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

pub(super) fn nesting(valid: &Object, depth: usize) -> Vec<Trap> {
    let members = valid.members();
    let deep_objects = format!(
        "{{{members},\"x\":{}1{}}}",
        r#"{"x":"#.repeat(depth - 1),
        "}".repeat(depth - 1)
    );
    [
        (
            "nested-arrays-of-65",
            "RFC 8259 9",
            "Depth counts objects and arrays with the outermost as one; more than 64 are refused.",
            nested(&members, depth, '[', ']'),
        ),
        (
            "nested-objects-of-65",
            "RFC 8259 9",
            "The limit holds for objects as for arrays.",
            deep_objects,
        ),
        (
            "nested-arrays-of-1000",
            "RFC 8259 9",
            "A recursive parser must not run out of stack.",
            nested(&members, 1000, '[', ']'),
        ),
        (
            "unclosed-arrays",
            "RFC 8259 9",
            "Openings alone cost the attacker one byte each.",
            format!("{{{members},\"x\":{}", "[".repeat(1000)),
        ),
    ]
    .into_iter()
    .map(Trap::from)
    .collect()
}

//! The protected header: its JSON, the algorithm, extensions, the type and the key's name.

mod algorithm;
mod extension;
mod key_id;
mod kind;

use crate::base64url::base64url;
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::default_key_set;
use crate::token::{Token, seal};
use crate::traps;

/// The longest decoded header, in bytes.
const MAX_HEADER: usize = 4096;
/// The longest kid, in bytes.
const MAX_KID: usize = 256;

/// Every JSON type as a value that is not a usable string.
const NOT_A_TEXT: [(&str, &str); 5] = [
    ("null", "null"),
    ("number", "256"),
    ("boolean", "true"),
    ("array", r#"["ES256"]"#),
    ("object", r#"{"name":"ES256"}"#),
];

pub(super) fn family() -> Family {
    let mut family = Family::new("header");
    family.key_set("default", default_key_set());
    family.key_set("unusual-kids", key_id::unusual_kids());
    json(&mut family);
    algorithm::algorithm(&mut family);
    algorithm::confusion(&mut family);
    extension::extensions(&mut family);
    kind::kinds(&mut family);
    kind::configured_kinds(&mut family);
    key_id::key_ids(&mut family);
    key_id::long_key_ids(&mut family);
    key_id::embedded_keys(&mut family);
    precedence(&mut family);
    family
}

fn json(family: &mut Family) {
    let valid = Token::valid();
    let payload = valid.payload_object().to_string();
    for trap in traps::accepted(valid.header_object()) {
        let case = Case::new(format!("json-{}", trap.name), trap.source, trap.reason);
        family.add(case.token(seal(&trap.bytes, &payload)));
    }
    for trap in traps::refused(valid.header_object()) {
        let case = Case::new(format!("json-{}", trap.name), trap.source, trap.reason);
        family.add(case.token(seal(&trap.bytes, &payload)).refused("malformed"));
    }
    let unique = "RFC 7515 4";
    let rows = [
        (
            "json-alg-twice-none-first",
            r#"{"alg":"none","alg":"ES256","kid":"key-1"}"#,
            "A parser that keeps the first value would read `none`.",
        ),
        (
            "json-alg-twice-none-last",
            r#"{"alg":"ES256","kid":"key-1","alg":"none"}"#,
            "A parser that keeps the last value would read `none`.",
        ),
        (
            "json-alg-twice-with-escape",
            r#"{"alg":"ES256","\u0061lg":"none","kid":"key-1"}"#,
            "Names are compared after their escapes are resolved.",
        ),
        (
            "json-kid-twice",
            r#"{"alg":"ES256","kid":"key-2","kid":"key-1"}"#,
            "Two parsers could look up two keys.",
        ),
        (
            "json-crit-twice",
            r#"{"alg":"ES256","kid":"key-1","crit":[],"crit":["exp"]}"#,
            "A repeated name is found before any member is read.",
        ),
    ];
    for (name, header, reason) in rows {
        family.add(
            Case::new(name, unique, reason)
                .token(seal(header, &payload))
                .refused("malformed"),
        );
    }
    let escaped = r#"{"\u0061lg":"\u0045S256","k\u0069d":"key\u002d1"}"#;
    let reason = "Names and values may be written with escapes; what counts is what they spell.";
    family.add(Case::new("json-alg-and-kid-escaped", "RFC 8259 8.3", reason).token(seal(escaped, &payload)));
    family.add(
        Case::new(
            "json-empty-object",
            "RFC 7515 4.1.1",
            "A well-formed header without an algorithm.",
        )
        .token(seal("{}", &payload))
        .refused("alg_not_allowed"),
    );
    let reason = "Members that nobody knows are ignored unless `crit` lists them.";
    let unknown = valid
        .header("cty", quoted("JWT"))
        .header("https://example.com/x", "[1]");
    family.add(Case::new("unknown-members", "RFC 7515 4", reason).token(unknown));
}

/// Two faults in one token: the earlier check decides.
fn precedence(family: &mut Family) {
    let none = || Token::valid().header("alg", quoted("none"));
    let critical = || Token::valid().header("crit", "[]");
    let untyped = || Token::valid().header("typ", quoted("logout+jwt"));
    let broken_payload =
        |token: Token| format!("{}.{}.{}", token.segments().0, base64url("{"), base64url([0; 64]));
    let rows = [
        (
            "algorithm-before-crit",
            none().header("crit", "[]").text(),
            "alg_not_allowed",
        ),
        (
            "crit-before-type",
            critical().header("typ", "7").text(),
            "crit_unsupported",
        ),
        (
            "type-before-kid",
            untyped().without_header("kid").text(),
            "typ_not_allowed",
        ),
        (
            "kid-before-payload",
            broken_payload(Token::valid().without_header("kid")),
            "kid_missing",
        ),
        (
            "payload-before-key",
            broken_payload(Token::valid().kid("key-3")),
            "malformed",
        ),
        (
            "payload-before-signature",
            broken_payload(Token::valid()),
            "malformed",
        ),
        (
            "signature-length-before-key",
            Token::valid().kid("key-3").with_signature([1; 63]),
            "bad_signature",
        ),
        (
            "encoding-before-header",
            format!("{}.A.AA", base64url("{}")),
            "malformed",
        ),
        (
            "type-before-long-kid",
            untyped().kid(&"k".repeat(MAX_KID + 1)).text(),
            "typ_not_allowed",
        ),
    ];
    for (name, token, code) in rows {
        let reason = "Two faults in one token: the check that comes first decides.";
        family.add(
            Case::new(format!("order-{name}"), "policy", reason)
                .token(token)
                .refused(code),
        );
    }
}

//! What a key says it is for, and keys that say too much.

use super::{entry, jwk, unusable};
use crate::case::Family;
use crate::json::quoted;
use crate::key::Key;
use crate::token::base64url;

pub(super) fn purposes(family: &mut Family) {
    let alg = |value: &str| jwk().set("alg", value);
    unusable(
        family,
        "RFC 7517 4.4",
        "A key that names an algorithm is for that one, and the name is `ES256`.",
        [
            ("alg-es384", alg(r#""ES384""#)),
            ("alg-ecdh", alg(r#""ECDH-ES""#)),
            ("alg-lower-case", alg(r#""es256""#)),
            ("alg-none", alg(r#""none""#)),
            ("alg-empty", alg(r#""""#)),
            ("alg-null", alg("null")),
            ("alg-number", alg("256")),
            ("alg-array", alg(r#"["ES256"]"#)),
        ],
    );
    let usage = |value: &str| jwk().set("use", value);
    unusable(
        family,
        "RFC 7517 4.2",
        "A key that names a use is for that one, and the name is `sig`.",
        [
            ("use-enc", usage(r#""enc""#)),
            ("use-upper-case", usage(r#""SIG""#)),
            ("use-empty", usage(r#""""#)),
            ("use-null", usage("null")),
            ("use-number", usage("1")),
            ("use-array", usage(r#"["sig"]"#)),
        ],
    );
    let operations = |value: &str| jwk().set("key_ops", value);
    unusable(
        family,
        "RFC 7517 4.3",
        "A list of operations has `verify` among its strings, and none twice.",
        [
            ("key-ops-empty", operations("[]")),
            ("key-ops-sign", operations(r#"["sign"]"#)),
            ("key-ops-derive", operations(r#"["deriveKey","deriveBits"]"#)),
            ("key-ops-upper-case", operations(r#"["VERIFY"]"#)),
            ("key-ops-verify-twice", operations(r#"["verify","verify"]"#)),
            ("key-ops-other-twice", operations(r#"["verify","sign","sign"]"#)),
            ("key-ops-with-number", operations(r#"["verify",7]"#)),
            ("key-ops-string", operations(r#""verify""#)),
            ("key-ops-object", operations(r#"{"verify":true}"#)),
            ("key-ops-null", operations("null")),
        ],
    );
}

pub(super) fn secrets_and_duplicates(family: &mut Family) {
    let private = quoted(&base64url(Key::signer().private()));
    unusable(
        family,
        "RFC 7518 6.2.2",
        "A published private key is everybody's key, so nothing it signs counts.",
        [
            ("private-key", jwk().set("d", private)),
            ("private-key-empty", jwk().set("d", r#""""#)),
            ("private-key-null", jwk().set("d", "null")),
        ],
    );
    let members = jwk().members();
    let stranger = quoted(&base64url(Key::stranger().x()));
    let rows = [
        ("duplicate-x", format!(r#"{{"x":{stranger},{members}}}"#)),
        ("duplicate-alg", format!(r#"{{"alg":"RS256",{members}}}"#)),
        ("duplicate-kty-same-value", format!(r#"{{{members},"kty":"EC"}}"#)),
        (
            "duplicate-use-escaped",
            format!(r#"{{{members},"u\u0073e":"enc"}}"#),
        ),
        (
            "duplicate-unknown-member",
            format!(r#"{{{members},"a":1,"a":2}}"#),
        ),
    ];
    for (name, text) in rows {
        let reason = "Two readers of one key must not see two keys.";
        let case = entry(family, name, "RFC 7517 4", reason, text);
        family.add(case.refused("key_unusable"));
    }
}

//! What a key says it is for, and keys that say too much.

use super::{entry, jwk, set, spare, unusable};
use crate::base64url::base64url;
use crate::case::Family;
use crate::json::quoted;
use crate::key::{Key, SECOND_KID, SIGNER_KID};
use crate::token::Token;

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
    unusable(
        family,
        "RFC 7517 4.3",
        "A key for signatures is for nothing else: unrelated operations open one to attacks by the other.",
        [
            (
                "key-ops-verify-and-derive",
                operations(r#"["verify","deriveKey"]"#),
            ),
            (
                "key-ops-encrypt-and-verify",
                operations(r#"["encrypt","verify"]"#),
            ),
            ("key-ops-verify-and-unknown", operations(r#"["verify","x"]"#)),
            (
                "key-ops-verify-and-derive-without-use",
                operations(r#"["verify","deriveBits"]"#).without("use"),
            ),
        ],
    );
}

/// The private key may stand in another entry than the one that a token names.
pub(super) fn exposed_keys(family: &mut Family) {
    let private = |kid: &str| {
        let secret = quoted(&base64url(Key::signer().private()));
        Key::signer().jwk(kid).set("d", secret)
    };
    let public = || jwk().to_string();
    let rows = [
        ("first", vec![private("leaked").to_string(), public()]),
        ("last", vec![public(), private("leaked").to_string()]),
        (
            "of-the-same-name",
            vec![private(SIGNER_KID).to_string(), public()],
        ),
        ("without-a-name", vec![private("").to_string(), public()]),
        (
            "for-another-use",
            vec![private("leaked").set("use", quoted("enc")).to_string(), public()],
        ),
        (
            "of-another-type",
            vec![private("leaked").set("kty", quoted("oct")).to_string(), public()],
        ),
    ];
    for (name, mut entries) in rows {
        entries.push(spare());
        let reason =
            "A published private key is everybody's key, under whatever name its public half stands.";
        let case = set(
            family,
            &format!("exposed-{name}"),
            "RFC 7518 6.2.2",
            reason,
            entries,
        );
        family.add(case.refused("key_unusable"));
    }
    let beside = [private("leaked").to_string(), spare()];
    let reason = "What one key has given away says nothing of another.";
    let case = set(family, "exposed-elsewhere", "RFC 7518 6.2.2", reason, beside);
    let by_second = Token::valid()
        .header("kid", quoted(SECOND_KID))
        .signed_by(Key::second());
    family.add(case.token(by_second));
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
    let rows = [
        ("unreadable-surrogate", r#""\ud800""#.to_owned()),
        ("unreadable-number", "1e400".to_owned()),
        (
            "unreadable-depth",
            format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)),
        ),
    ];
    for (name, value) in rows {
        let reason = "The key is there, and no strict reader can read it.";
        let text = format!(r#"{{"a":{value},{members}}}"#);
        let case = entry(family, name, "RFC 8259", reason, text);
        family.add(case.refused("key_unusable"));
    }
}

//! `crit`, `b64`, `zip` and `enc`: whatever would change how the token is read.

use crate::case::{Case, Family};
use crate::token::Token;

pub(super) fn extensions(family: &mut Family) {
    let reason = "No extension is understood, so a critical one must be refused, and so must a wrong `crit`.";
    let values = [
        ("exp", r#"["exp"]"#),
        ("b64", r#"["b64"]"#),
        ("alg", r#"["alg"]"#),
        ("unknown", r#"["https://example.com/x"]"#),
        ("empty-array", "[]"),
        ("empty-name", r#"[""]"#),
        ("null", "null"),
        ("string", r#""exp""#),
        ("boolean", "false"),
        ("object", "{}"),
    ];
    for (kind, value) in values {
        let token = Token::valid().header("crit", value);
        let case = Case::new(format!("crit-{kind}"), "RFC 7515 4.1.11", reason);
        family.add(case.token(token).refused("crit_unsupported"));
    }
    let listed = Token::valid().header("crit", r#"["x"]"#).header("x", "1");
    let reason = "A critical extension that is present is as unknown as one that is not.";
    family.add(
        Case::new("crit-with-its-member", "CVE-2025-59420", reason)
            .token(listed)
            .refused("crit_unsupported"),
    );
    let rows = [
        (
            "b64-false",
            "RFC 7797 6",
            "b64",
            "false",
            "The payload would be signed unencoded.",
        ),
        (
            "b64-true",
            "RFC 7797 6",
            "b64",
            "true",
            "The option is refused also where it changes nothing.",
        ),
        (
            "b64-null",
            "RFC 7797 6",
            "b64",
            "null",
            "The option's presence counts, not its value.",
        ),
        (
            "zip-deflate",
            "RFC 8725 3.6",
            "zip",
            r#""DEF""#,
            "Compressed content is never inflated.",
        ),
        (
            "zip-null",
            "RFC 8725 3.6",
            "zip",
            "null",
            "The member's presence counts, not its value.",
        ),
        (
            "enc-a256gcm",
            "RFC 7516 4.1.2",
            "enc",
            r#""A256GCM""#,
            "The member says that this is an encrypted token.",
        ),
        (
            "enc-empty",
            "RFC 7516 4.1.2",
            "enc",
            r#""""#,
            "The member's presence counts, not its value.",
        ),
    ];
    for (name, source, member, value, reason) in rows {
        let token = Token::valid().header(member, value);
        family.add(
            Case::new(name, source, reason)
                .token(token)
                .refused("crit_unsupported"),
        );
    }
}

//! `kid`, and the keys that a token brings along.

use super::{MAX_HEADER, MAX_KID, NOT_A_TEXT};
use crate::base64url::base64url;
use crate::case::{Case, Family};
use crate::json::{Object, quoted};
use crate::key::{Key, SECOND_KID, SIGNER_KID, key_set};
use crate::token::Token;

pub(super) fn key_ids(family: &mut Family) {
    let source = "RFC 7515 4.1.4";
    let missing = |name: String, reason: &str, token: Token| {
        Case::new(name, source, reason)
            .token(token)
            .refused("kid_missing")
    };
    let reason = "A key is found by its name only; a set is never tried key by key.";
    family.add(missing(
        "kid-missing".into(),
        reason,
        Token::valid().without_header("kid"),
    ));
    family.add(missing(
        "kid-empty".into(),
        "An empty name names no key.",
        Token::valid().kid(""),
    ));
    for (kind, value) in NOT_A_TEXT {
        let reason = "A key's name is a string.";
        family.add(missing(
            format!("kid-{kind}"),
            reason,
            Token::valid().header("kid", value),
        ));
    }
    let unknown = [
        ("other", "key-3", "No key of the set has this name."),
        ("upper-case", "KEY-1", "Names are compared byte for byte."),
        ("prefix", "key-", "A prefix is another name."),
        ("longer", "key-10", "A longer name is another name."),
        ("trailing-space", "key-1 ", "Nothing is trimmed."),
        ("trailing-nul", "key-1\0", "A C string would end before the NUL."),
        (
            "full-width-digit",
            "key-\u{ff11}",
            "Compatibility forms are not folded.",
        ),
        ("index", "0", "A name is no place in the list."),
        ("path", "../../../../dev/null", "A name is never a path."),
        ("url", "https://evil.example/key", "A name is never fetched."),
        ("sql", "' OR '1'='1", "A name is never part of a query."),
        (
            "prototype",
            "__proto__",
            "A name is never an attribute of a map object.",
        ),
        (
            "constructor",
            "constructor",
            "A name is never an attribute of a map object.",
        ),
        ("pattern", ".*", "A name is never a pattern."),
        (
            "markup",
            "<script>alert(1)</script>\r\nX: y",
            "A name from outside must not reach a page or a log as it is.",
        ),
        (
            "terminal-escape",
            "\u{1b}[2J",
            "A name from outside must not reach a terminal as it is.",
        ),
    ];
    for (kind, kid, reason) in unknown {
        let token = Token::valid().kid(kid);
        family.add(
            Case::new(format!("kid-unknown-{kind}"), "RFC 8725 3.10", reason)
                .token(token)
                .refused("kid_unknown"),
        );
    }
    let case = |name: &str, reason: &str, token: Token| Case::new(name, source, reason).token(token);
    let second = Token::valid().kid(SECOND_KID).signed_by(Key::second());
    family.add(case(
        "kid-of-the-second-key",
        "The name chooses the key, not the order of the set.",
        second,
    ));
    let crossed = Token::valid().kid(SECOND_KID);
    let reason = "The named key is the only one tried, though another key of the set would fit.";
    family.add(case("kid-of-another-key", reason, crossed).refused("bad_signature"));
    let accented = |kid: &str| Token::valid().kid(kid);
    let reason = "A name outside ASCII is a name.";
    family.add(case("kid-composed", reason, accented("cl\u{e9}")).key_set("unusual-kids"));
    let reason = "Names are not normalised: this looks the same and is other bytes.";
    family.add(
        case("kid-decomposed", reason, accented("cle\u{301}"))
            .key_set("unusual-kids")
            .refused("kid_unknown"),
    );
}

pub(super) fn long_key_ids(family: &mut Family) {
    let case = |name: &str, reason: &str, kid: &str| {
        Case::new(name, "policy", reason)
            .key_set("unusual-kids")
            .token(Token::valid().kid(kid))
    };
    family.add(case(
        "kid-of-256-bytes",
        "The limit itself is fine.",
        &"k".repeat(MAX_KID),
    ));
    let reason = "One byte beyond the limit, though the set has such a key.";
    family.add(case("kid-of-257-bytes", reason, &"k".repeat(MAX_KID + 1)).refused("too_large"));
    family.add(case(
        "kid-of-128-wide-characters",
        "256 bytes in 128 characters.",
        &"\u{e9}".repeat(MAX_KID / 2),
    ));
    let reason = "The limit counts bytes, not characters.";
    family.add(
        case(
            "kid-of-129-wide-characters",
            reason,
            &"\u{e9}".repeat(MAX_KID / 2 + 1),
        )
        .refused("too_large"),
    );

    let sized = |bytes: usize| {
        let bare = Token::valid()
            .header("x", quoted(""))
            .header_object()
            .to_string()
            .len();
        Token::valid().header("x", quoted(&"h".repeat(bytes - bare)))
    };
    let case = |name: &str, reason: &str, token: Token| Case::new(name, "policy", reason).token(token);
    family.add(case(
        "header-of-4096-bytes",
        "The limit itself is fine.",
        sized(MAX_HEADER),
    ));
    let reason = "One byte beyond the limit, valid otherwise.";
    family.add(case("header-of-4097-bytes", reason, sized(MAX_HEADER + 1)).refused("too_large"));
    let noise = format!("{}.{}", base64url("[".repeat(MAX_HEADER + 1)), base64url("{}"));
    let reason = "Size is checked before the JSON is read.";
    family.add(
        Case::new("header-too-large-and-malformed", "policy", reason)
            .token(format!("{noise}.{}", base64url([0; 64])))
            .refused("too_large"),
    );
}

/// Keys and places of keys that the token brings along: never used, never requested.
pub(super) fn embedded_keys(family: &mut Family) {
    let source = "RFC 8725 3.10";
    let jwk = Key::stranger().jwk(SIGNER_KID);
    let members = [
        ("jwk", jwk.to_string()),
        ("jku", quoted("https://evil.example/jwks.json")),
        ("x5u", quoted("https://evil.example/cert.pem")),
        ("x5c", r#"["MIIBevil"]"#.to_owned()),
        ("x5t", quoted("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    ];
    for (member, value) in members {
        let with = || Token::valid().header(member, &value);
        let source = if member == "jwk" { "CVE-2018-0114" } else { source };
        let case = |name: &str, reason: &str, token: Token| {
            Case::new(format!("{member}-{name}"), source, reason).token(token)
        };
        family.add(case(
            "ignored",
            "The member changes nothing for a good token.",
            with(),
        ));
        let forged = with().signed_by(Key::stranger());
        let reason = "Signed by a key that the token brings along under the name of a known one.";
        family.add(case("with-known-kid", reason, forged.clone()).refused("bad_signature"));
        let reason = "Signed by a key that the token brings along under a name of its own.";
        family.add(case("with-unknown-kid", reason, forged.kid("evil")).refused("kid_unknown"));
    }
    let reason = "The member is not even read, so its type does not matter.";
    family.add(Case::new("jwk-number", source, reason).token(Token::valid().header("jwk", 7)));
    let private = jwk.set("d", quoted(&base64url(Key::stranger().private())));
    let forged = Token::valid()
        .header("jwk", Object::to_string(&private))
        .without_header("kid");
    let reason = "Without a name there is no key, whatever else the header holds.";
    family.add(
        Case::new("jwk-without-kid", "CVE-2018-0114", reason)
            .token(forged.signed_by(Key::stranger()))
            .refused("kid_missing"),
    );
}

/// The signer under names at the limits.
pub(super) fn unusual_kids() -> String {
    let kids = [
        "cl\u{e9}".to_owned(),
        "k".repeat(MAX_KID),
        "k".repeat(MAX_KID + 1),
        "\u{e9}".repeat(MAX_KID / 2),
        "\u{e9}".repeat(MAX_KID / 2 + 1),
    ];
    key_set(kids.map(|kid| Key::signer().jwk(&kid).to_string()))
}

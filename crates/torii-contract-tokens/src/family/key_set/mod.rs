//! Which entries of a key set are keys. Every set holds one more usable key, so that a set with one unusable entry is
//! still a set; the exceptions are the sets that are refused as a whole.

mod point;
mod purpose;
mod whole;

use crate::case::{Case, Family};
use crate::json::{Object, quoted};
use crate::key::{Key, SECOND_KID, SIGNER_KID, key_set};
use crate::token::Token;

const EC_KEY: &str = "RFC 7518 6.2.1";

pub(super) fn family() -> Family {
    let mut family = Family::new("key-set");
    usable_entries(&mut family);
    point::types_and_curves(&mut family);
    point::coordinates(&mut family);
    point::spelled_coordinates(&mut family);
    purpose::purposes(&mut family);
    purpose::secrets_and_duplicates(&mut family);
    purpose::exposed_keys(&mut family);
    names(&mut family);
    shared_names(&mut family);
    whole::usable_sets(&mut family);
    whole::refused_sets(&mut family);
    family
}

fn usable_entries(family: &mut Family) {
    let bare = jwk().without("alg").without("use");
    let rows = [
        (
            "without-alg",
            "A key need not name its algorithm.",
            jwk().without("alg"),
        ),
        (
            "without-use",
            "A key need not name its use.",
            jwk().without("use"),
        ),
        (
            "without-alg-and-use",
            "A key needs a type, a curve, a name and a point.",
            bare,
        ),
        (
            "key-ops-verify",
            "The key says that it verifies.",
            jwk().set("key_ops", r#"["verify"]"#),
        ),
        (
            "key-ops-among-others",
            "Verifying is one of its operations.",
            jwk().set("key_ops", r#"["sign","verify"]"#),
        ),
        (
            "unknown-members",
            "Members that nobody knows are ignored.",
            jwk()
                .set("ext", true)
                .set("nbf", 7)
                .set("https://example.com/x", r#"{"a":[1,2]}"#),
        ),
        (
            "certificate-members",
            "A certificate is never read: the key is the one that the entry spells out.",
            jwk()
                .set("x5c", r#"["MIIB"]"#)
                .set("x5u", quoted("https://evil.example/cert.pem")),
        ),
    ];
    for (name, reason, jwk) in rows {
        let case = entry(family, name, "RFC 7517 4", reason, jwk);
        family.add(case);
    }
    let zero_x = Key::search(|key| key.x()[0] == 0);
    let zero_y = Key::search(|key| key.y()[0] == 0);
    for (name, key) in [("leading-zero-x", zero_x), ("leading-zero-y", zero_y)] {
        let reason = "A coordinate keeps its leading zero byte.";
        let case = entry_of(&key, family, name, EC_KEY, reason, key.jwk(SIGNER_KID));
        family.add(case);
    }
}

fn names(family: &mut Family) {
    let kids = [
        ("kid-missing", None),
        ("kid-null", Some("null")),
        ("kid-number", Some("1")),
        ("kid-array", Some(r#"["key-1"]"#)),
        ("kid-empty", Some(r#""""#)),
        ("kid-other", Some(r#""KEY-1""#)),
    ];
    for (name, kid) in kids {
        let jwk = match kid {
            Some(kid) => jwk().set("kid", kid),
            None => jwk().without("kid"),
        };
        let reason = "An entry without this name is never taken for the key, though it would fit.";
        let case = entry(family, name, "RFC 7517 4.5", reason, jwk);
        family.add(case.refused("kid_unknown"));
    }
    let reason = "A name is what its escapes spell.";
    let case = entry(
        family,
        "kid-escaped",
        "RFC 8259 8.3",
        reason,
        jwk().set("kid", r#""k\u0065y\u002d1""#),
    );
    family.add(case);
}

fn shared_names(family: &mut Family) {
    let signer = || jwk().to_string();
    let stranger = || Key::stranger().jwk(SIGNER_KID).to_string();
    let encrypting = |key: &Key| key.jwk(SIGNER_KID).set("use", quoted("enc")).to_string();
    let reordered = || {
        let jwk = jwk();
        let kid = Object::new().set("kid", quoted(SIGNER_KID)).members();
        format!("{{{kid},{}}}", jwk.without("kid").members())
    };
    let unlabelled = || jwk().without("use").without("alg").to_string();
    let rows = [
        (
            "same-key-twice",
            vec![signer(), signer()],
            "The same key twice is one key.",
            None,
        ),
        (
            "same-key-in-another-order",
            vec![signer(), reordered()],
            "The order of members means nothing.",
            None,
        ),
        (
            "same-key-without-labels",
            vec![signer(), unlabelled()],
            "What makes a key is its point; both say the same one.",
            None,
        ),
        (
            "two-keys-first-fits",
            vec![signer(), stranger()],
            "The name does not say which key is meant.",
            Some("key_ambiguous"),
        ),
        (
            "two-keys-last-fits",
            vec![stranger(), signer()],
            "The name does not say which key is meant.",
            Some("key_ambiguous"),
        ),
        (
            "two-keys-one-twice",
            vec![signer(), signer(), stranger()],
            "A majority decides nothing.",
            Some("key_ambiguous"),
        ),
        (
            "unusable-before-usable",
            vec![encrypting(Key::stranger()), signer()],
            "An entry that is no key does not count.",
            None,
        ),
        (
            "usable-before-unusable",
            vec![signer(), encrypting(Key::stranger())],
            "An entry that is no key does not count.",
            None,
        ),
        (
            "unusable-would-fit",
            vec![encrypting(Key::signer()), stranger()],
            "The usable entry is the key, and it did not sign.",
            Some("bad_signature"),
        ),
        (
            "both-unusable",
            vec![encrypting(Key::signer()), encrypting(Key::stranger())],
            "No entry of this name is a key.",
            Some("key_unusable"),
        ),
    ];
    for (name, mut entries, reason, code) in rows {
        entries.push(spare());
        let case = set(family, name, "RFC 7517 4.5", reason, entries);
        family.add(match code {
            Some(code) => case.refused(code),
            None => case,
        });
    }
    let elsewhere = [signer(), spare(), Key::stranger().jwk(SECOND_KID).to_string()];
    let reason = "A doubtful name concerns its own tokens only.";
    let case = set(family, "ambiguous-elsewhere", "RFC 7517 4.5", reason, elsewhere);
    family.add(case);
}

/// A case about the signer's entry in a set of its own, asked with a token of that key.
fn entry(family: &mut Family, name: &str, source: &str, reason: &str, entry: impl ToString) -> Case {
    entry_of(Key::signer(), family, name, source, reason, entry)
}

fn entry_of(
    key: &Key,
    family: &mut Family,
    name: &str,
    source: &str,
    reason: &str,
    entry: impl ToString,
) -> Case {
    set(family, name, source, reason, [entry.to_string(), spare()]).token(Token::valid().signed_by(key))
}

/// Adds cases about entries of the signer that are no usable key.
fn unusable<'a>(
    family: &mut Family,
    source: &str,
    reason: &str,
    rows: impl IntoIterator<Item = (&'a str, Object)>,
) {
    for (name, jwk) in rows {
        let case = entry(family, name, source, reason, jwk);
        family.add(case.refused("key_unusable"));
    }
}

/// A case about a whole set, asked with a valid token.
fn set(
    family: &mut Family,
    name: &str,
    source: &str,
    reason: &str,
    entries: impl IntoIterator<Item = String>,
) -> Case {
    family.key_set(name, key_set(entries));
    Case::new(name, source, reason)
        .key_set(name)
        .token(Token::valid())
}

fn jwk() -> Object {
    Key::signer().jwk(SIGNER_KID)
}

fn spare() -> String {
    Key::second().jwk(SECOND_KID).to_string()
}

//! The set around the keys.

use super::{jwk, set};
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::key_set;
use crate::token::Token;

/// The most entries that a set may have.
const MAX_KEYS: usize = 100;

pub(super) fn usable_sets(family: &mut Family) {
    let signer = || jwk().to_string();
    let rows = [
        (
            "entries-of-other-types",
            ["7", "null", r#""key-1""#, "[]", "true"]
                .map(str::to_owned)
                .to_vec(),
        ),
        ("entry-without-members", vec!["{}".to_owned()]),
        ("largest-set", vec!["{}".to_owned(); MAX_KEYS - 1]),
    ];
    for (name, mut entries) in rows {
        entries.push(signer());
        let reason = "Entries that are no keys are passed over one by one.";
        let case = set(family, name, "RFC 7517 5", reason, entries);
        family.add(case);
    }
    let texts = [
        (
            "unknown-set-members",
            format!(r#"{{"issuer":"x","keys":[{}],"next":null}}"#, signer()),
            "Members that nobody knows are ignored.",
        ),
        (
            "unknown-set-member-nested",
            format!(r#"{{"next":{},"keys":[{}]}}"#, nested(63), signer()),
            "64 levels are the most, the set's own included.",
        ),
        (
            "pretty-printed",
            format!("\n{{\n  \"keys\" : [\n    {}\n  ]\n}}\n", signer()),
            "Whitespace means nothing.",
        ),
    ];
    for (name, text, reason) in texts {
        family.key_set(name, text);
        family.add(
            Case::new(name, "RFC 7517 5", reason)
                .key_set(name)
                .token(Token::valid()),
        );
    }
}

/// Sets that are no answer at all: for the verifier the same as a fetch that failed.
pub(super) fn refused_sets(family: &mut Family) {
    let signer = jwk().to_string();
    let encrypting = jwk().set("use", quoted("enc")).to_string();
    let crowd = vec!["{}".to_owned(); MAX_KEYS];
    let rows = [
        (
            "set-empty",
            key_set([]),
            "A set without keys would lock everybody out.",
        ),
        (
            "set-all-unusable",
            key_set([encrypting]),
            "A set without a usable key would lock everybody out.",
        ),
        (
            "set-too-large",
            key_set(crowd.into_iter().chain([signer.clone()])),
            "More entries than any issuer needs.",
        ),
        ("set-without-keys", "{}".to_owned(), "The member is required."),
        (
            "set-keys-null",
            r#"{"keys":null}"#.to_owned(),
            "The member is an array.",
        ),
        (
            "set-keys-object",
            format!(r#"{{"keys":{{"key-1":{signer}}}}}"#),
            "The member is an array.",
        ),
        ("set-is-an-array", format!("[{signer}]"), "A set is an object."),
        (
            "set-is-an-array-of-keys",
            format!("[[{signer}]]"),
            "A set is an object.",
        ),
        (
            "set-unknown-member-twice",
            format!(r#"{{"next":1,"next":2,"keys":[{signer}]}}"#),
            "Two readers of one set must not see two sets.",
        ),
        (
            "set-unknown-member-nested-too-deeply",
            format!(r#"{{"next":{},"keys":[{signer}]}}"#, nested(64)),
            "64 levels are the most, the set's own included, in what nobody knows as well.",
        ),
        (
            "set-unknown-member-with-a-member-twice",
            format!(r#"{{"next":{{"a":1,"\u0061":2}},"keys":[{signer}]}}"#),
            "Two readers of one set must not see two sets.",
        ),
        (
            "set-keys-twice",
            format!(r#"{{"keys":[],"keys":[{signer}]}}"#),
            "Two readers of one set must not see two sets.",
        ),
        (
            "set-cut-short",
            format!(r#"{{"keys":[{signer}"#),
            "A text that ends early is not the set.",
        ),
        (
            "set-trailing-text",
            format!("{} x", key_set([signer.clone()])),
            "A text holds one value.",
        ),
        (
            "set-is-a-page",
            "<!doctype html><title>Sign in</title>".to_owned(),
            "A log-in page is not a set.",
        ),
        ("set-is-blank", " ".to_owned(), "Nothing is not a set."),
    ];
    for (name, text, reason) in rows {
        family.key_set(name, text);
        let case = Case::new(name, "RFC 7517 5", reason)
            .key_set(name)
            .token(Token::valid());
        family.add(case.refused("jwks_unavailable"));
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

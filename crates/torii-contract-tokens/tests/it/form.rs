//! Every case keeps the format's rules.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expect, corpus};

/// The codes that a refusal may have; those of a claim end in its name.
const CODES: [&str; 20] = [
    "malformed",
    "too_large",
    "alg_not_allowed",
    "crit_unsupported",
    "typ_not_allowed",
    "kid_missing",
    "kid_unknown",
    "key_ambiguous",
    "key_unusable",
    "bad_signature",
    "issuer_mismatch",
    "audience_mismatch",
    "expired",
    "not_yet_valid",
    "iat_in_future",
    "header_missing",
    "header_malformed",
    "header_ambiguous",
    "jwks_unavailable",
    "config_error",
];

#[test]
fn names_are_kebab_case_and_unique_in_their_file() {
    for file in corpus() {
        let mut names = BTreeSet::new();
        for case in &file.cases {
            let words = case.name.split('-');
            let word = |word: &str| {
                !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            };
            assert!(words.into_iter().all(word), "{}: {}", file.name, case.name);
            assert!(names.insert(&case.name), "{}: {} twice", file.name, case.name);
        }
    }
}

#[test]
fn every_case_gives_a_reason_and_a_source() {
    for file in corpus() {
        for case in &file.cases {
            assert!(case.reason.ends_with('.'), "{}: {}", file.name, case.name);
            let known = ["RFC ", "CVE-"]
                .iter()
                .any(|start| case.source.starts_with(start));
            assert!(known || case.source == "policy", "{}: {}", file.name, case.name);
        }
    }
}

#[test]
fn every_refusal_has_a_known_code_and_every_code_is_used() {
    let mut unused = BTreeSet::from(CODES);
    for file in corpus() {
        for code in file.cases.iter().filter_map(|case| case.expect.code()) {
            let claim = code.starts_with("claim_missing:") || code.starts_with("claim_type:");
            assert!(claim || CODES.contains(&code), "{}: {code}", file.name);
            unused.remove(code);
        }
    }
    assert_eq!(unused, BTreeSet::new());
}

#[test]
fn a_case_asks_about_a_token_or_header_lines_or_a_configuration() {
    for file in corpus() {
        for case in &file.cases {
            let shape = (case.token.is_some(), case.headers.is_some());
            let expected = match file.name.as_str() {
                "configuration.json" => (false, false),
                "authorization.json" => (false, true),
                _ => (true, false),
            };
            assert_eq!(shape, expected, "{}: {}", file.name, case.name);
            let verifies = shape != (false, false);
            assert_eq!(case.key_set.is_some(), verifies, "{}: {}", file.name, case.name);
            assert_eq!(case.now.is_some(), verifies, "{}: {}", file.name, case.name);
            assert!(case.policy.contains_key("issuer"), "{}: {}", file.name, case.name);
            if let Expect::Accept(accepted) = &case.expect {
                assert_eq!(
                    accepted.contains_key("jwksUrl"),
                    !verifies,
                    "{}: {}",
                    file.name,
                    case.name
                );
            }
        }
    }
}

#[test]
fn header_values_are_ascii_or_bytes() {
    let files = corpus();
    let cases = files.iter().flat_map(|file| &file.cases);
    for case in cases {
        let values = case.headers.iter().flatten().map(|(_, value)| value);
        let limit = if case.headers_latin1 { '\u{ff}' } else { '\u{7f}' };
        assert!(
            values.flat_map(|value| value.chars()).all(|c| c <= limit),
            "{}",
            case.name
        );
    }
}

#[test]
fn every_key_set_is_used_and_none_is_missing() {
    for file in corpus() {
        let used = file.cases.iter().filter_map(|case| case.key_set.as_ref());
        let known = file.key_sets.keys();
        assert_eq!(used.collect::<BTreeSet<_>>(), known.collect(), "{}", file.name);
    }
}

#[test]
fn no_question_is_asked_twice() {
    let mut asked = BTreeMap::new();
    for file in corpus() {
        for case in &file.cases {
            let key_set = case.key_set.as_ref().map(|name| &file.key_sets[name]);
            let question = format!(
                "{:?}",
                (&case.token, &case.headers, key_set, case.now, &case.policy)
            );
            let earlier = asked.insert(question, format!("{}: {}", file.name, case.name));
            assert_eq!(earlier, None, "{}: {} asks the same", file.name, case.name);
        }
    }
}

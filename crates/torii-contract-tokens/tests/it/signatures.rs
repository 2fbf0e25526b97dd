//! The answers hold by another road: segments split by hand, keys and signatures checked by `p256`, claims compared.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Value, json};

use super::{Case, Expect, File, corpus};

#[test]
fn every_accepted_token_is_signed_by_the_key_it_names() {
    let mut seen = 0;
    for (file, case, token) in questions(&corpus()) {
        if case.expect.code().is_none() {
            assert!(verifies(file, case, &token), "{}: {}", file.name, case.name);
            seen += 1;
        }
    }
    assert!(seen > 200, "only {seen} accepted tokens");
}

#[test]
fn every_accepted_token_says_what_is_expected_of_it() {
    for (file, case, token) in questions(&corpus()) {
        let Expect::Accept(expected) = &case.expect else {
            continue;
        };
        let claims = payload(&token);
        let seconds = |name: &str| json!(claims[name].as_f64().unwrap() as i64);
        let id = |value: &Value| value.as_str().map(str::to_owned);
        let organization = id(&claims["o"])
            .or_else(|| id(&claims["o"]["id"]))
            .or_else(|| id(&claims["org_id"]));
        let read = [
            ("userId", claims["sub"].clone()),
            ("environmentId", claims["pid"].clone()),
            ("issuer", claims["iss"].clone()),
            ("emailVerified", json!(claims["email_verified"] == true)),
            ("profileComplete", json!(claims["profile_complete"] != false)),
            (
                "impersonating",
                json!(claims["impersonating"] == true || claims.get("act").is_some()),
            ),
            ("actor", json!(id(&claims["act"]["sub"]))),
            ("locale", json!(id(&claims["locale"]))),
            ("issuedAt", seconds("iat")),
            ("expiresAt", seconds("exp")),
        ];
        assert_eq!(
            expected.len(),
            read.len() + ["organization"].len(),
            "{}: {}",
            file.name,
            case.name
        );
        for (member, value) in read {
            assert_eq!(expected[member], value, "{}: {} {member}", file.name, case.name);
        }
        assert_eq!(
            expected["organization"]["id"],
            json!(organization),
            "{}: {}",
            file.name,
            case.name
        );
    }
}

#[test]
fn a_refusal_for_a_claim_comes_from_a_token_that_is_well_signed() {
    let after_the_signature = [
        "issuer_mismatch",
        "audience_mismatch",
        "expired",
        "not_yet_valid",
        "iat_in_future",
    ];
    let mut seen = 0;
    for (file, case, token) in questions(&corpus()) {
        let code = case.expect.code().unwrap_or_default();
        if code.starts_with("claim_") || after_the_signature.contains(&code) {
            assert!(verifies(file, case, &token), "{}: {}", file.name, case.name);
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} such refusals");
}

#[test]
fn no_token_with_a_bad_signature_verifies() {
    let mut seen = 0;
    for (file, case, token) in questions(&corpus()) {
        if case.expect.code() == Some("bad_signature") {
            assert!(!verifies(file, case, &token), "{}: {}", file.name, case.name);
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} bad signatures");
}

#[test]
fn a_malformed_header_or_payload_is_signed_so_that_nothing_else_is_wrong() {
    let signer = |file: &File| keys(&file.key_sets["default"], "key-1").remove(0);
    let mut seen = 0;
    for (file, case, token) in questions(&corpus()) {
        let json =
            file.name == "payload.json" || file.name == "header.json" && case.name.starts_with("json-");
        if json && case.expect.code() == Some("malformed") {
            assert!(signed_by(&signer(file), &token), "{}: {}", file.name, case.name);
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} malformed texts");
}

/// Every case about a token, also where the token is in a header line.
fn questions(files: &[File]) -> Vec<(&File, &Case, String)> {
    let mut questions = Vec::new();
    for file in files {
        for case in &file.cases {
            let header = case
                .policy
                .get("header")
                .and_then(Value::as_str)
                .unwrap_or("authorization");
            let lines = case.headers.iter().flatten();
            let mut values = lines
                .filter(|(name, _)| name.eq_ignore_ascii_case(header))
                .map(|(_, value)| value);
            let last_word = |value: &String| value.split_whitespace().last().map(str::to_owned);
            let token = case.token.clone().or_else(|| values.next().and_then(last_word));
            questions.extend(token.map(|token| (file, case, token)));
        }
    }
    questions
}

/// Whether a key of the set with the token's kid made its signature.
fn verifies(file: &File, case: &Case, token: &str) -> bool {
    let set = &file.key_sets[case.key_set.as_deref().unwrap()];
    let header = token.split('.').next().unwrap();
    let header = serde_json::from_slice::<Value>(&decode(header)).unwrap();
    let usable = keys(set, header["kid"].as_str().unwrap());
    usable.iter().any(|key| signed_by(key, token))
}

fn signed_by(key: &VerifyingKey, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    Signature::from_slice(&decode(signature))
        .is_ok_and(|signature| key.verify(message.as_bytes(), &signature).is_ok())
}

/// The keys of a set with this kid, read leniently: labels are not looked at, except a use of another kind.
fn keys(set: &str, kid: &str) -> Vec<VerifyingKey> {
    let set = serde_json::from_str::<Value>(set).unwrap();
    let entries = set["keys"].as_array().unwrap().iter();
    let named = entries.filter(|entry| entry["kid"] == kid && entry["use"] != "enc");
    let point = |entry: &Value| {
        let coordinate = |name: &str| decode(entry[name].as_str().unwrap());
        VerifyingKey::from_sec1_bytes(&[vec![4], coordinate("x"), coordinate("y")].concat()).unwrap()
    };
    named.map(point).collect()
}

fn payload(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(1).unwrap())).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

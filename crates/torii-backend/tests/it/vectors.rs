//! Published vectors: Project Wycheproof (Apache-2.0, <https://github.com/C2SP/wycheproof>), and the examples of the RFCs.
//!
//! Wycheproof's files are read from `../shared/vectors` beside the checkout, or from `WYCHEPROOF_VECTORS`. Where they are
//! not at hand, these tests say so and check nothing.
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use torii_backend::hazmat_for_test_vectors::{verify_es256, verify_jws};

#[test]
fn every_p1363_signature_of_wycheproof_is_judged_as_published() {
    let Some(file) = vectors("ecdsa_secp256r1_sha256_p1363_test.json") else {
        return;
    };
    let mut tried = 0;
    for (group, test) in tests(&file) {
        let coordinate = |name: &str| pad(&hex(&group["publicKey"][name]));
        let (message, signature) = (hex(&test["msg"]), hex(&test["sig"]));
        let valid = verify_es256(&coordinate("wx"), &coordinate("wy"), &message, &signature);
        assert_eq!(valid, test["result"] == "valid", "{test}");
        tried += 1;
    }
    assert_eq!(tried, file["numberOfTests"]);
}

#[test]
fn every_jws_of_wycheproof_is_refused_unless_it_is_a_valid_es256_one() {
    for name in [
        "json_web_signature_test.json",
        "json_web_crypto_test.json",
        "json_web_key_test.json",
    ] {
        let Some(file) = vectors(name) else { return };
        let mut accepted = 0;
        for (group, test) in tests(&file) {
            let key = [&group["public"], &group["private"]]
                .into_iter()
                .find(|key| key.is_object());
            let (Some(key), Some(jws)) = (key, test["jws"].as_str()) else {
                continue;
            };
            let key_set = if key.get("keys").is_some() {
                key.clone()
            } else {
                json!({"keys": [key]})
            };
            // What is valid and not ES256 is refused all the same; nothing that is invalid may pass.
            let es256 = key["kty"] == "EC" && key["crv"] == "P-256";
            let expected = es256 && test["result"] == "valid" && !jws.contains('?');
            assert_eq!(
                verify_jws(jws, &key_set.to_string()).is_ok(),
                expected,
                "{name}: {test}"
            );
            accepted += u32::from(expected);
        }
        println!("{name}: {accepted} accepted");
    }
}

/// RFC 7515, appendix A.3: its header names no key, so the signature alone is verified.
#[test]
fn the_es256_example_of_rfc_7515_verifies() {
    let header = "eyJhbGciOiJFUzI1NiJ9";
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let x = base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let message = format!("{header}.{payload}");
    assert!(verify_es256(&x, &y, message.as_bytes(), &base64url(signature)));
    assert!(!verify_es256(
        &x,
        &y,
        &message.as_bytes()[1..],
        &base64url(signature)
    ));
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y)});
    let refused = verify_jws(
        &format!("{message}.{signature}"),
        &json!({"keys": [jwk]}).to_string(),
    );
    assert_eq!(refused.unwrap_err().to_string(), "kid_missing");
}

fn vectors(name: &str) -> Option<Value> {
    let folder = std::env::var_os("WYCHEPROOF_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    match std::fs::read(folder.join(name)) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap()),
        Err(error) => {
            println!("skipped: {name} is not at hand ({error})");
            None
        }
    }
}

fn tests(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = file["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| {
        group["tests"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |test| (group, test))
    })
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// A coordinate in 32 bytes: the vectors write integers, with a sign byte or without leading zeros.
fn pad(integer: &[u8]) -> Vec<u8> {
    let significant = &integer[integer.iter().take_while(|byte| **byte == 0).count()..];
    [vec![0; 32 - significant.len()], significant.to_vec()].concat()
}

fn base64url(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

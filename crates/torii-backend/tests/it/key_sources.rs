//! Keys that are given, and what a verifier says of settings and tokens that it cannot use.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::json;
use torii_backend::clock::ManualClock;
use torii_backend::{
    CacheSettings, ErrorCode, FetchError, KeySource, Verifier, VerifierBuilder, VerifyError,
};

use crate::faults::in_a_child;
use crate::key_cache::{NOW, chain, claims, code, key_set, timed};
use crate::support::faultd::{Faultd, Script};
use crate::support::tokens::{Key, jwks};

const ISSUER: &str = "https://acme.torii.so";
/// What stands before the point in the DER of a P-256 key (RFC 5480): the algorithm, and a bit string of 65 bytes.
const SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

fn builder(source: KeySource) -> VerifierBuilder {
    Verifier::builder(ISSUER)
        .clock(ManualClock::at(NOW))
        .key_source(source)
}

/// The code of what the verifier says to a token that names this key.
fn says(verifier: &Verifier, key: &Key, kid: &str) -> String {
    let token = key.sign_as(&json!({"alg": "ES256", "kid": kid}), &claims(ISSUER, NOW));
    code(verifier.verify_blocking(&token))
}

fn pem(key: &Key) -> String {
    let [x, y] = coordinates(key);
    section("PUBLIC KEY", &[SPKI, &x, &y].concat())
}

fn coordinates(key: &Key) -> [Vec<u8>; 2] {
    let jwk = key.jwk();
    ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap())
}

fn section(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn nameless_jwk(key: &Key) -> String {
    let mut jwk = key.jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk.to_string()
}

/// A file that goes with the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(text: &str) -> Self {
        let name = format!(
            "torii-backend-test-{}-{:016x}",
            std::process::id(),
            fastrand::u64(..)
        );
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn given_keys_verify_without_a_network() {
    let (key, stranger) = (Key::new("first"), Key::new("first"));
    // Whether it answers to names that are not its own.
    let texts = [
        (pem(&key), true),
        (nameless_jwk(&key), true),
        (key.jwk().to_string(), false),
        (jwks(&[&key]), false),
    ];
    let [a, b, c, d] = &texts;
    let sources = [
        (KeySource::Pem(a.0.clone()), a.1),
        (KeySource::Jwk(b.0.clone()), b.1),
        (KeySource::Jwk(c.0.clone()), c.1),
        (KeySource::Jwks(d.0.clone()), d.1),
    ];
    let files: Vec<_> = texts
        .iter()
        .map(|(text, any)| (Temporary::new(text), *any))
        .collect();
    let from_files = files
        .iter()
        .map(|(file, any)| (KeySource::File(file.0.clone()), *any));
    for (source, any_name) in sources.into_iter().chain(from_files) {
        let shown = format!("{source:?}");
        let verifier = builder(source).build().unwrap();
        assert_eq!(says(&verifier, &key, "first"), "ok", "{shown}");
        assert_eq!(says(&verifier, &stranger, "first"), "bad_signature", "{shown}");
        let other = if any_name { "ok" } else { "kid_unknown" };
        assert_eq!(says(&verifier, &key, "other"), other, "{shown}");
        verifier.warm_up_blocking().unwrap();
        assert_eq!((verifier.status().url, verifier.export_keys()), (None, None));
    }
}

#[test]
fn keys_that_cannot_be_used_are_a_mistake_in_the_settings() {
    let key = Key::new("first");
    let mut private = key.jwk();
    private["d"] = json!("AAAA");
    let mut misnamed = key.jwk();
    misnamed["kid"] = json!(7);
    let rsa = pem(&key).replace(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcE",
    );
    let sources = [
        KeySource::Pem(String::new()),
        KeySource::Pem(rsa),
        KeySource::Pem(key.jwk().to_string()),
        KeySource::Jwk(private.to_string()),
        KeySource::Jwk(misnamed.to_string()),
        KeySource::Jwk(jwks(&[&key])),
        KeySource::Jwks(r#"{"keys":[]}"#.to_owned()),
        KeySource::Jwks(key.jwk().to_string()),
        KeySource::File("/no/such/file".into()),
    ];
    for source in sources {
        let shown = format!("{source:?}");
        let error = builder(source).build().unwrap_err().to_string();
        assert!(error.starts_with("key "), "{shown}: {error}");
        assert!(!error.contains("no/such"), "{error}");
    }
}

#[test]
fn a_pem_holds_one_public_key_in_its_one_spelling() {
    let (key, other) = (Key::new("first"), Key::new("second"));
    let [x, y] = coordinates(&key);
    let der = [SPKI, &x, &y].concat();
    let bare = [&[4], &x[..], &y].concat();
    let compressed = [&[2 + y[31] % 2], &x[..]].concat();
    let short_spki = [&[0x30, 0x39], &SPKI[2..24], &[0x22, 0], &compressed].concat();
    let refused = [
        pem(&key) + &pem(&other),
        pem(&key) + &pem(&key),
        pem(&key) + &section("PRIVATE KEY", b"secret"),
        section("EC PARAMETERS", b"curve") + &pem(&key),
        section("EC PUBLIC KEY", &der),
        section("CERTIFICATE", &der),
        section("PUBLIC KEY", &bare),
        section("PUBLIC KEY", &compressed),
        section("PUBLIC KEY", &short_spki),
        section("PUBLIC KEY", &[&der[..], &[0]].concat()),
        section("PUBLIC KEY", &der[..90]),
        section("PUBLIC KEY", &[]),
    ];
    for text in refused {
        let file = Temporary::new(&text);
        for source in [KeySource::Pem(text.clone()), KeySource::File(file.0.clone())] {
            let error = builder(source).build().unwrap_err().to_string();
            assert!(error.starts_with("key source: "), "{text}: {error}");
        }
    }
    let mut jwk = key.jwk();
    jwk["note"] = json!("-----BEGIN ");
    let file = Temporary::new(&jwk.to_string());
    let verifier = builder(KeySource::File(file.0.clone())).build().unwrap();
    assert_eq!(says(&verifier, &key, "first"), "ok", "JSON is no PEM");
    let explained = format!("the key of acme\n{}kept by ops\n", pem(&key));
    let file = Temporary::new(&explained);
    for source in [KeySource::Pem(explained.clone()), KeySource::File(file.0.clone())] {
        assert_eq!(says(&builder(source).build().unwrap(), &key, "any"), "ok");
    }
}

#[test]
fn a_key_that_no_token_can_name_is_a_mistake_in_the_settings() {
    let key = Key::new("first");
    let named = |kid: &str| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(kid);
        builder(KeySource::Jwk(jwk.to_string())).build()
    };
    let longest = "k".repeat(256);
    assert_eq!(says(&named(&longest).unwrap(), &key, &longest), "ok");
    for kid in [String::new(), "k".repeat(257)] {
        assert!(named(&kid).unwrap_err().to_string().contains("`kid`"));
    }
}

#[test]
fn no_more_is_read_than_keys_can_take() {
    let key = Key::new("first");
    let padded = |text: String, length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    for text in [pem(&key), key.jwk().to_string(), jwks(&[&key])] {
        let largest = Temporary::new(&padded(text.clone(), 65_536));
        let source = KeySource::File(largest.0.clone());
        assert_eq!(says(&builder(source).build().unwrap(), &key, "first"), "ok");
        let larger = Temporary::new(&padded(text, 65_537));
        let error = builder(KeySource::File(larger.0.clone())).build().unwrap_err();
        assert!(error.to_string().contains("65536"), "{error}");
    }
    let jwk = padded(key.jwk().to_string(), 65_537);
    assert!(builder(KeySource::Jwk(jwk)).build().is_err());
    #[cfg(target_os = "linux")]
    assert!(builder(KeySource::File("/dev/zero".into())).build().is_err());
}

#[test]
fn given_keys_and_imported_ones_do_not_go_together() {
    let key = Key::new("first");
    let endpoint = Faultd::start(key_set(&[&key]));
    let fetching = Verifier::builder(endpoint.url())
        .clock(ManualClock::at(NOW))
        .build()
        .unwrap();
    fetching.warm_up_blocking().unwrap();
    let snapshot = fetching.export_keys().unwrap();
    let both = builder(KeySource::Jwks(jwks(&[&key]))).import_keys(snapshot);
    assert!(both.build().unwrap_err().to_string().contains("import_keys"));
}

#[test]
fn keys_may_be_kept_for_a_week_and_no_longer() {
    let with_limit = |limit| {
        let settings = CacheSettings::default().stale_limit(limit);
        Verifier::builder(ISSUER).cache(settings).build()
    };
    let week = Duration::from_secs(604_800);
    assert!(with_limit(week).is_ok());
    let error = with_limit(week + Duration::from_secs(1)).unwrap_err();
    assert!(error.to_string().contains("604800"), "{error}");
}

#[test]
fn a_refusal_says_what_to_answer_and_shows_little_of_a_made_up_name() {
    let key = Key::new("first");
    let verifier = builder(KeySource::Jwks(jwks(&[&key]))).build().unwrap();
    let refusal = |token: &str| verifier.verify_blocking(token).unwrap_err();

    let kid = format!("\n{}", "k".repeat(100));
    let token = key.sign_as(&json!({"alg": "ES256", "kid": kid}), &claims(ISSUER, NOW));
    let unknown = refusal(&token).to_string();
    let expected = format!(
        "kid_unknown: the issuer has no key named `\\n{}…`",
        "k".repeat(62)
    );
    assert_eq!(unknown, expected);
    let token = key.sign_as(
        &json!({"alg": "ES256", "kid": "k".repeat(64)}),
        &claims(ISSUER, NOW),
    );
    assert!(
        refusal(&token)
            .to_string()
            .ends_with(&format!("`{}`", "k".repeat(64)))
    );

    let mut old = claims(ISSUER, NOW);
    old["exp"] = json!(NOW - 31);
    let expired = refusal(&key.sign(&old));
    assert_eq!(expired.to_string(), "expired: the token has expired");
    assert_eq!((expired.is_retryable(), expired.retry_after()), (false, None));
    assert_eq!(expired.http_status(), 401);
    assert_eq!(
        expired.www_authenticate().unwrap(),
        r#"Bearer error="invalid_token""#
    );

    let missing = verifier
        .authenticate_request_blocking(&HeaderMap::new())
        .unwrap_err();
    assert_eq!(missing.www_authenticate().unwrap(), "Bearer");
}

#[test]
fn an_outage_says_when_to_come_back_and_why() {
    let endpoint = Faultd::start(key_set(&[&Key::new("first")]));
    endpoint.down();
    let verifier = Verifier::builder(endpoint.url())
        .clock(ManualClock::at(NOW))
        .build()
        .unwrap();
    let error = verifier.warm_up_blocking().unwrap_err();
    let VerifyError::KeysUnavailable(outage) = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (error.http_status(), error.is_retryable()),
        (http::StatusCode::SERVICE_UNAVAILABLE, true)
    );
    assert!(outage.retry_after() >= Duration::from_secs(1));
    assert_eq!(error.retry_after(), Some(outage.retry_after()));
    assert!(matches!(outage.fetch_error(), FetchError::Http(_)));
    let said = chain(&error);
    assert!(said.contains("refused"), "{said}");
    let mut parts: Vec<_> = said.split(": ").collect();
    parts.sort_unstable();
    let count = parts.len();
    parts.dedup();
    assert_eq!(parts.len(), count, "a part is said twice: {said}");
    assert!(error.www_authenticate().is_none());
}

#[test]
fn a_key_set_at_another_address_is_asked_for_exactly_as_it_is_written() {
    let key = Key::new("first");
    let endpoint = Faultd::start(key_set(&[&key]));
    for path in ["/keys/", "/keys?version=2", "/keys//", "/a/%7Ekeys/?b=%2F&c", ""] {
        let source = KeySource::Url(format!("{}{path}", endpoint.url()));
        builder(source).build().unwrap().warm_up_blocking().unwrap();
        let requested = endpoint.requests().last().unwrap().line().to_owned();
        let path = if path.is_empty() { "/" } else { path };
        assert_eq!(requested, format!("GET {path} HTTP/1.1"));
    }
}

#[test]
fn an_address_of_keys_with_credentials_or_a_fragment_or_without_tls_is_refused() {
    for url in [
        "https://user:secret@acme.torii.so/keys",
        "https://acme.torii.so/keys#1",
        "http://acme.torii.so/keys",
        "https://acme.torii.so/<keys>",
    ] {
        let error = builder(KeySource::Url(url.to_owned())).build().unwrap_err();
        assert_eq!(error.setting(), "key source", "{url}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn an_issuer_in_a_spelling_that_tokens_do_not_have_is_refused_with_advice() {
    for (issuer, advice) in [
        ("https://ACME.torii.so", "lower case"),
        ("HTTPS://acme.torii.so", "lower case"),
        ("https://acme.torii.so:443", "default port"),
        ("https://acme.torii.so:443/", "default port"),
        ("http://localhost:80", "default port"),
    ] {
        let error = Verifier::new(issuer).unwrap_err();
        assert_eq!(error.setting(), "issuer");
        assert!(error.to_string().contains(advice), "{issuer}: {error}");
    }
}

#[test]
fn another_issuer_s_token_is_refused_with_the_configured_issuer_in_the_message() {
    let key = Key::new("first");
    let verifier = builder(KeySource::Jwks(jwks(&[&key]))).build().unwrap();
    let token = key.sign(&claims("https://other.torii.so", NOW));
    let VerifyError::Token(refusal) = verifier.verify_blocking(&token).unwrap_err() else {
        panic!("the token is at fault")
    };
    assert_eq!(refusal.code().as_str(), "issuer_mismatch");
    assert_eq!(refusal.detail(), format!("the token is not issued by {ISSUER}"));
}

#[test]
fn a_fetch_takes_no_longer_than_its_timeout() {
    let endpoint = Faultd::start(Script::hang());
    let with = |timeout| Verifier::builder(endpoint.url()).fetch_timeout(timeout).build();
    let verifier = with(Duration::from_millis(500)).unwrap();
    let (outcome, took) = timed(|| verifier.warm_up_blocking());
    assert_eq!(outcome.unwrap_err().code().as_str(), "jwks_unavailable");
    assert!(took < Duration::from_secs(3), "{took:?}");
    for wrong in [Duration::from_millis(99), Duration::from_millis(30_001)] {
        assert_eq!(with(wrong).unwrap_err().setting(), "fetch timeout");
    }
}

#[test]
fn a_header_of_one_s_own_may_hold_the_token_alone() {
    let key = Key::new("first");
    let source = KeySource::Jwks(jwks(&[&key]));
    let verifier = builder(source.clone()).header("x-token").build().unwrap();
    let token = key.sign(&claims(ISSUER, NOW));
    let found = |verifier: &Verifier, values: &[&str]| {
        let found = verifier.bearer_token_in(|_| values.iter().map(|value| value.as_bytes()));
        found.map(str::to_owned).map_err(|error| error.code())
    };
    for value in [token.clone(), format!("Bearer {token}")] {
        let mut headers = HeaderMap::new();
        headers.insert("x-token", value.parse().unwrap());
        assert!(verifier.authenticate_request_blocking(&headers).is_ok());
        assert_eq!(found(&verifier, &[&value]), Ok(token.clone()));
    }
    for value in ["Basic eDp5", "Bearer"] {
        assert_eq!(
            found(&verifier, &[value]),
            Err(ErrorCode::HeaderMalformed),
            "{value}"
        );
    }
    let ordinary = builder(source).build().unwrap();
    assert_eq!(found(&ordinary, &[&token]), Err(ErrorCode::HeaderMalformed));
    assert_eq!(
        found(&verifier, &[token.as_str(); 2]),
        Err(ErrorCode::HeaderAmbiguous)
    );
    assert_eq!(found(&verifier, &[]), Err(ErrorCode::HeaderMissing));
}

#[test]
fn the_environment_can_configure_a_verifier() {
    let test = "key_sources::the_environment_can_configure_a_verifier";
    let variables = [("TORII_ISSUER", ISSUER), ("TORII_AUDIENCE", "api, web")];
    in_a_child(test, &variables, || {
        let key = Key::new("first");
        let builder = VerifierBuilder::from_env().unwrap().clock(ManualClock::at(NOW));
        let verifier = builder
            .key_source(KeySource::Jwks(jwks(&[&key])))
            .build()
            .unwrap();
        let mut claims = claims(ISSUER, NOW);
        for (audience, expected) in [("api", "ok"), ("web", "ok"), (" web", "audience_mismatch")] {
            claims["aud"] = json!(audience);
            assert_eq!(code(verifier.verify_blocking(&key.sign(&claims))), expected);
        }
    });
    // This process has no such variable.
    assert_eq!(Verifier::from_env().unwrap_err().setting(), "TORII_ISSUER");
}

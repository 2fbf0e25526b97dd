//! The token corpus of `contract/tokens`, through the public methods, with the key set served like an issuer's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::http_client::{Exchange, HttpClient, Limits};
use torii_backend::{Auth, ErrorCode, KeySource, Verifier, VerifierBuilder, VerifyError};

use crate::support::tokens::{Key, jwks};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Family {
    key_sets: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "reason")]
    _reason: String,
    #[serde(rename = "source")]
    _source: String,
    token: Option<String>,
    headers: Option<Vec<(String, String)>>,
    #[serde(default)]
    headers_latin1: bool,
    key_set: Option<String>,
    now: Option<u64>,
    policy: Value,
    expect: Value,
}

#[test]
fn every_token_of_the_corpus_gets_its_decision() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for (family, Family { key_sets, cases }) in families() {
        for case in cases
            .iter()
            .filter(|case| case.token.is_some() || case.headers.is_some())
        {
            tried += 1;
            let key_set = &key_sets[case.key_set.as_deref().expect("a key set")];
            for (way, on_a_runtime, remembered) in [
                ("blocking", false, 0),
                ("async", true, 0),
                ("blocking, remembered", false, 100),
                ("async, remembered", true, 100),
            ] {
                for decision in decide(case, key_set, on_a_runtime, remembered) {
                    if decision != case.expect {
                        wrong.push(format!(
                            "{family}/{} ({way}): {decision}, not {}",
                            case.name, case.expect
                        ));
                    }
                }
            }
        }
    }
    assert!(tried >= 200, "the corpus has shrunk to {tried} tokens");
    assert!(
        wrong.is_empty(),
        "{} of {tried} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whatever a verifier remembers of tokens and headers, it decides about each as if it were the first.
#[test]
fn tokens_that_one_verifier_sees_in_turn_get_the_decisions_they_get_alone() {
    for (family, Family { key_sets, cases }) in families() {
        let mut verifiers = BTreeMap::new();
        let mut tried = 0;
        for round in 0..3 {
            for case in &cases {
                let (Some(now), Some(key_set)) = (case.now, &case.key_set) else {
                    continue;
                };
                let (verifier, clock, start) = verifiers
                    .entry((key_set, case.policy.to_string()))
                    .or_insert_with(|| {
                        let clock = ManualClock::at(now);
                        let keys = KeySource::Jwks(key_sets[key_set].clone());
                        let verifier = builder(&case.policy).unwrap().key_source(keys);
                        (verifier.clock(clock.clone()).build().ok(), clock, now)
                    });
                // A set without a usable key cannot be given.
                let Some(verifier) = verifier else { continue };
                clock.jump_wall_seconds(now as i64 - *start as i64);
                *start = now;
                let decision = ask(verifier, case, round == 1);
                assert_eq!(decision, case.expect, "{family}/{}, round {round}", case.name);
                tried += 1;
            }
        }
        assert!(
            tried > 0 || family == "configuration",
            "{family}: no token was tried"
        );
    }
}

#[test]
fn every_configuration_of_the_corpus_gets_its_decision() {
    let mut tried = 0;
    for (family, Family { cases, .. }) in families() {
        for case in cases
            .iter()
            .filter(|case| case.token.is_none() && case.headers.is_none())
        {
            tried += 1;
            let decision = match builder(&case.policy).and_then(|builder| builder.build().map_err(drop)) {
                Ok(verifier) => json!({"accept": {"jwksUrl": verifier.status().url}}),
                Err(_) => json!({"error": "config_error"}),
            };
            assert_eq!(decision, case.expect, "{family}/{}", case.name);
        }
    }
    assert!(tried >= 20, "the corpus has shrunk to {tried} configurations");
}

/// Verifies a case's token twice with its key set at hand, and checks that no host but the issuer was asked.
fn decide(case: &Case, key_set: &str, on_a_runtime: bool, remembered: usize) -> [Value; 2] {
    let issuer_host = Issuer::host_of(&case.policy);
    let issuer = Arc::new(Issuer {
        key_set: key_set.to_owned().into(),
        asked: Mutex::default(),
    });
    let verifier = builder(&case.policy)
        .expect("a policy that can be written down")
        .clock(ManualClock::at(case.now.expect("a time")))
        .http_client(issuer.clone())
        .remember_verified(remembered)
        .build()
        .expect("a policy that can be configured");
    // Without a single usable key there is nothing to warm up with: the case then says so.
    verifier.warm_up_blocking().ok();
    let decisions = [(); 2].map(|()| ask(&verifier, case, on_a_runtime));
    // Whatever memory says, it says the same.
    let headers = case.headers.as_ref().and_then(|_| headers(case));
    let in_headers = || verifier.bearer_token(headers.as_ref()?).ok();
    let token = case.token.as_deref().or_else(in_headers);
    if let Some(outcome) = token.and_then(|token| verifier.verify_remembered(token)) {
        assert_eq!(describe(outcome), decisions[1], "{}", case.name);
    }
    assert!(
        issuer
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|host| *host == issuer_host),
        "{}",
        case.name
    );
    decisions
}

/// What a verifier says to a case's token.
fn ask(verifier: &Verifier, case: &Case, on_a_runtime: bool) -> Value {
    let outcome = match &case.token {
        Some(token) if on_a_runtime => block_on(verifier.verify(token)),
        Some(token) => verifier.verify_blocking(token),
        None => match headers(case) {
            Some(headers) if on_a_runtime => block_on(verifier.authenticate_request(&headers)),
            Some(headers) => verifier.authenticate_request_blocking(&headers),
            None => return json!({"error": "header_malformed"}),
        },
    };
    describe(outcome)
}

fn describe(outcome: Result<Auth, VerifyError>) -> Value {
    match outcome {
        Err(error) => json!({"error": error.code().to_string()}),
        Ok(auth) => json!({"accept": {
            "userId": auth.user_id(),
            "environmentId": auth.environment_id(),
            "issuer": auth.issuer(),
            "emailVerified": auth.email_verified(),
            "profileComplete": auth.profile_complete(),
            "impersonating": auth.impersonating(),
            "actor": auth.actor().and_then(|actor| actor.subject.as_deref()),
            "organization": auth.organization().map(|o| json!({"id": o.id, "role": o.role, "slug": o.slug})),
            "locale": auth.locale(),
            "issuedAt": auth.issued_at(),
            "expiresAt": auth.expires_at(),
        }}),
    }
}

/// A verifier of a case's policy. A value that the builder's types cannot hold is a configuration error by itself.
fn builder(policy: &Value) -> Result<VerifierBuilder, ()> {
    let texts =
        |value: &Value| -> Result<Vec<String>, ()> { serde_json::from_value(value.clone()).map_err(drop) };
    let mut builder = Verifier::builder(policy["issuer"].as_str().ok_or(())?);
    for (setting, value) in policy.as_object().ok_or(())? {
        builder = match setting.as_str() {
            "issuer" => builder,
            "audiences" => builder.audiences(texts(value)?),
            "authorizedParties" => builder.authorized_parties(texts(value)?),
            "types" => builder.allowed_types(texts(value)?),
            "leewaySeconds" => {
                builder.leeway(Duration::try_from_secs_f64(value.as_f64().ok_or(())?).map_err(drop)?)
            }
            "header" => builder.header(value.as_str().ok_or(())?),
            "allowInsecureHttp" => builder.allow_insecure_http(value.as_bool().ok_or(())?),
            other => panic!("the runner does not know the setting {other}"),
        };
    }
    Ok(builder)
}

/// `None` for bytes that no header value can hold: no server hands such a request on.
fn headers(case: &Case) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in case.headers.as_ref().expect("headers") {
        let bytes: Vec<u8> = match case.headers_latin1 {
            true => value
                .chars()
                .map(|c| u8::try_from(u32::from(c)).expect("one byte a character"))
                .collect(),
            false => value.clone().into_bytes(),
        };
        headers.append(
            HeaderName::try_from(name.as_str()).unwrap(),
            HeaderValue::from_bytes(&bytes).ok()?,
        );
    }
    Some(headers)
}

/// Every token of the corpus.
pub(crate) fn corpus() -> Vec<String> {
    let cases = families().into_iter().flat_map(|(_, family)| family.cases);
    cases.filter_map(|case| case.token).collect()
}

fn families() -> Vec<(String, Family)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/tokens");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (
            name.clone(),
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    };
    files.into_iter().map(read).collect()
}

/// The key endpoint of an issuer, which notes who was asked.
#[derive(Debug)]
struct Issuer {
    key_set: Bytes,
    asked: Mutex<Vec<String>>,
}

impl Issuer {
    fn host_of(policy: &Value) -> String {
        let issuer = policy["issuer"].as_str().unwrap();
        url::Url::parse(issuer).unwrap().host_str().unwrap().to_owned()
    }
}

impl HttpClient for Issuer {
    fn send<'a>(&'a self, request: http::Request<Bytes>, _limits: Limits) -> Exchange<'a> {
        self.asked
            .lock()
            .unwrap()
            .push(request.uri().host().unwrap_or_default().to_owned());
        Box::pin(async { Ok(http::Response::new(self.key_set.clone())) })
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_token_with_the_headers_scheme_is_refused_with_what_to_do() {
    let verifier = Verifier::builder("https://acme.torii.so")
        .key_source(KeySource::Jwks(jwks(&[&Key::new("first")])))
        .build()
        .unwrap();
    for text in [
        "Bearer a.b.c",
        "bearer  a.b.c",
        "BEARER eyJhbGciOiJFUzI1NiJ9.e30.AA",
        "Bearer ",
    ] {
        let error = verifier.verify_blocking(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Malformed, "{text}");
        let said = error.to_string();
        assert!(
            said.contains("without the scheme") && !said.contains("eyJ"),
            "{said}"
        );
    }
    for text in ["Bearer", "Bearera.b.c", "Basic a.b.c"] {
        let said = verifier.verify_blocking(text).unwrap_err().to_string();
        assert!(!said.contains("scheme"), "{text}: {said}");
    }
}

//! The oracle against `contract/tokens`: it must give the answer of every token and header line there. Configurations
//! are not its business.

use std::path::PathBuf;

use serde_json::{Value, json};
use torii_oracle::{Decision, KeySet, Policy, authenticate, verify};

#[test]
fn the_oracle_gives_every_answer_of_the_corpus() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for (family, content) in families() {
        for case in content["cases"].as_array().expect("cases") {
            let Some(decision) = decide(case, &content["keySets"]) else {
                continue;
            };
            tried += 1;
            let decision = describe(decision);
            if decision != case["expect"] {
                wrong.push(format!(
                    "{family}/{}: {decision}, not {}",
                    case["name"], case["expect"]
                ));
            }
        }
    }
    assert!(tried >= 900, "the corpus has shrunk to {tried} cases");
    assert!(
        wrong.is_empty(),
        "{} of {tried} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// `None` for a configuration.
fn decide(case: &Value, key_sets: &Value) -> Option<Decision> {
    let now = case["now"].as_u64()?;
    let key_set = key_sets[case["keySet"].as_str()?].as_str()?;
    let keys = KeySet::read(key_set.as_bytes());
    let policy = policy(&case["policy"]);
    Some(match case["token"].as_str() {
        Some(token) => verify(token.as_bytes(), keys.as_ref(), &policy, now),
        None => authenticate(&lines(case), keys.as_ref(), &policy, now),
    })
}

fn lines(case: &Value) -> Vec<(String, Vec<u8>)> {
    let latin1 = case["headersLatin1"] == true;
    let bytes = |value: &str| match latin1 {
        true => value
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("one byte"))
            .collect(),
        false => value.as_bytes().to_vec(),
    };
    let line = |line: &Value| {
        (
            line[0].as_str().expect("a name").to_owned(),
            bytes(line[1].as_str().expect("a value")),
        )
    };
    case["headers"]
        .as_array()
        .expect("lines")
        .iter()
        .map(line)
        .collect()
}

fn policy(settings: &Value) -> Policy {
    let texts = |value: &Value| serde_json::from_value::<Vec<String>>(value.clone()).expect("texts");
    let mut policy = Policy::new(settings["issuer"].as_str().expect("an issuer"));
    for (setting, value) in settings.as_object().expect("an object") {
        match setting.as_str() {
            "audiences" => policy.audiences = texts(value),
            "authorizedParties" => policy.authorized_parties = texts(value),
            "types" => policy.types = Some(texts(value)),
            "leewaySeconds" => policy.leeway = value.as_u64().expect("whole seconds"),
            "header" => policy.header = value.as_str().expect("a name").to_owned(),
            "issuer" | "allowInsecureHttp" => {}
            other => panic!("the oracle does not know the setting {other}"),
        }
    }
    policy
}

fn describe(decision: Decision) -> Value {
    match decision {
        Err(code) => json!({"error": code}),
        Ok(facts) => json!({"accept": {
            "userId": facts.user_id,
            "environmentId": facts.environment_id,
            "issuer": facts.issuer,
            "emailVerified": facts.email_verified,
            "profileComplete": facts.profile_complete,
            "impersonating": facts.impersonating,
            "actor": facts.actor,
            "organization": facts.organization.map(|o| json!({"id": o.id, "role": o.role, "slug": o.slug})),
            "locale": facts.locale,
            "issuedAt": facts.issued_at,
            "expiresAt": facts.expires_at,
        }}),
    }
}

fn families() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/tokens");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let files = files.map(|entry| entry.expect("a file").path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let text = std::fs::read_to_string(&path).expect("a file of the corpus");
        (
            path.display().to_string(),
            serde_json::from_str(&text).expect("JSON"),
        )
    })
    .collect()
}

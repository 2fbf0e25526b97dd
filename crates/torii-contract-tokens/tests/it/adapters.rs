//! `contract/adapters`: the generated files are the generator's, and the cases keep the format's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value};
use torii_contract_tokens::adapters::{files, folder};

const NEEDS: [&str; 5] = ["websocket", "layers", "preflight", "streaming", "python"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    needs: BTreeSet<String>,
    request: Request,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    chunks: Option<Vec<String>>,
    #[serde(default)]
    websocket: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: Value,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    absent: Vec<String>,
    json: Option<Map<String, Value>>,
    text: Option<String>,
    close: Option<u16>,
    protocol: Option<Value>,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn statuses(expect: &Expect) -> Vec<u64> {
    match &expect.status {
        Value::Array(statuses) => statuses.iter().map(|status| status.as_u64().unwrap()).collect(),
        status => vec![status.as_u64().unwrap()],
    }
}

#[test]
fn the_committed_tokens_and_keys_are_what_the_generator_writes() {
    for (name, written) in files() {
        let committed = fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(
            committed == written,
            "{name} differs: run `cargo run -p torii-contract-tokens`"
        );
    }
}

#[test]
fn names_are_unique_and_no_request_is_sent_twice() {
    let (mut names, mut requests) = (BTreeSet::new(), BTreeMap::new());
    for case in cases() {
        let Request {
            method,
            target,
            headers,
            body,
            chunks,
            websocket,
        } = &case.request;
        let request = format!("{method} {target} {headers:?} {body:?} {chunks:?} {websocket}");
        assert!(names.insert(case.name.clone()), "{} twice", case.name);
        let earlier = requests.insert(request, case.name.clone());
        assert_eq!(earlier, None, "{} sends the same", case.name);
    }
    assert!(names.len() > 350, "only {} cases", names.len());
}

#[test]
fn every_token_is_used_and_none_is_missing() {
    let text = fs::read_to_string(folder().join("tokens.json")).unwrap();
    let file = serde_json::from_str::<Value>(&text).unwrap();
    let mut unused = file["tokens"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| !name.starts_with("user_"))
        .collect::<BTreeSet<_>>();
    for case in cases() {
        let values = case.request.headers.iter().map(|(_, value)| value.as_str());
        for text in values.chain([case.request.target.as_str()]) {
            for name in text.split('{').skip(1) {
                let name = name.split('}').next().unwrap();
                assert!(file["tokens"][name].is_string(), "{}: {name}", case.name);
                unused.remove(&name.to_owned());
            }
        }
    }
    assert_eq!(unused, BTreeSet::new());
}

#[test]
fn a_case_says_what_it_needs_and_what_it_expects() {
    for Case {
        name,
        needs,
        request,
        expect,
    } in cases()
    {
        let known = needs.iter().all(|need| NEEDS.contains(&need.as_str()));
        assert!(known, "{name}: {needs:?}");
        assert_eq!(needs.contains("websocket"), request.websocket, "{name}");
        assert!(request.body.is_none() || request.chunks.is_none(), "{name}");
        let bytes = |text: &String| text.chars().all(|c| c <= '\u{ff}');
        let headers = &request.headers;
        assert!(
            headers.iter().all(|(field, value)| bytes(field) && bytes(value)),
            "{name}"
        );
        assert!(expect.json.is_none() || expect.text.is_none(), "{name}");
        assert_eq!(
            expect.text.as_deref() == Some(""),
            request.method == "HEAD",
            "{name}"
        );
        assert!(expect.protocol.is_none() || request.websocket, "{name}");
        assert!(expect.close.is_some() <= request.websocket, "{name}");
    }
}

/// A case that may be answered in several ways must not be one that can let somebody in by mistake.
#[test]
fn no_refusal_can_also_be_an_answer_that_lets_in() {
    for case in cases() {
        let statuses = statuses(&case.expect);
        let lets_in = |status: &u64| *status < 300;
        if !lets_in(&statuses[0]) {
            assert!(!statuses.iter().any(lets_in), "{}", case.name);
        }
    }
}

#[test]
fn a_refusal_is_not_stored_and_tells_no_more_than_its_code() {
    for case in cases() {
        let status = statuses(&case.expect)[0];
        let Some(json) = case.expect.json.filter(|_| status >= 400 && status != 418) else {
            continue;
        };
        assert_eq!(case.expect.headers["cache-control"], "no-store", "{}", case.name);
        let code = json["code"].as_str().unwrap();
        let (expected, challenged, retried) = match code {
            "authentication_failed" | "expired" => (401, true, false),
            "permission_denied" => (403, true, false),
            "keys_unavailable" => (503, false, true),
            "configuration_error" => (500, false, false),
            _ => panic!("{}: {code}", case.name),
        };
        assert_eq!(status, expected, "{}", case.name);
        let headers = &case.expect.headers;
        assert_eq!(headers.contains_key("retry-after"), retried, "{}", case.name);
        assert!(
            headers.contains_key("www-authenticate") <= challenged,
            "{}",
            case.name
        );
        let absent = |header: &str| case.expect.absent.iter().any(|absent| absent == header);
        assert_eq!(absent("www-authenticate"), !challenged, "{}", case.name);
        assert_eq!(absent("retry-after"), !retried, "{}", case.name);
        assert_eq!(
            json.contains_key("guard"),
            code == "permission_denied",
            "{}",
            case.name
        );
    }
}

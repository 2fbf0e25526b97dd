//! The wire cases of `contract/wire`, from the server's side: the bytes of a request in, the promised reply out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, Members, Reply, send};

#[derive(Deserialize)]
struct File {
    operation: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    behaviour: String,
    /// Calls that bring about the state that the case starts from.
    #[serde(default)]
    given: Vec<Given>,
    request: Request,
    reply: Option<Expected>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Given {
    /// The placeholder for the id of what the call creates.
    r#as: Option<String>,
    method: String,
    path: String,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Expected {
    status: u16,
    body: Option<Value>,
}

#[derive(Deserialize)]
struct Refusal {
    status: u16,
    code: String,
    /// Further members of the problem document.
    #[serde(default)]
    members: BTreeMap<String, Value>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wire_case_gets_the_reply_that_it_promises() {
    let mut tried = 0;
    for File { operation, cases } in files() {
        for case in cases {
            let title = format!("{operation}: {}", case.behaviour);
            let api = Api::start().await;
            let mut ids = Ids::of(&api);
            for given in case.given {
                let reply = exchange(
                    &api,
                    &ids,
                    &given.method,
                    &given.path,
                    given.body.map(|b| b.to_string()),
                )
                .await;
                assert!(
                    reply.status.is_success(),
                    "{title}: given {} {}",
                    given.path,
                    reply.body
                );
                if let Some(name) = given.r#as {
                    ids.0.insert(name, reply.body.text("id"));
                }
            }
            let Request { method, path, body } = case.request;
            let reply = exchange(&api, &ids, &method, &path, body).await;
            match (case.reply, case.error) {
                (Some(expected), None) => {
                    assert_eq!(reply.status, expected.status, "{title}: {}", reply.body);
                    ids.assert_matches(&title, &reply.body, &expected.body.unwrap_or_default());
                }
                (None, Some(refusal)) => {
                    let problem = reply.refused(refusal.status, &refusal.code);
                    for (name, value) in refusal.members {
                        assert_eq!(problem[&name], value, "{title}: {name}");
                    }
                }
                _ => panic!("{title}: neither a reply nor an error"),
            }
            tried += 1;
        }
    }
    assert!(tried >= 130, "the contract has shrunk to {tried} cases");
}

/// Sends exactly these bytes as the body. The control plane needs no key and is given one all the same.
async fn exchange(api: &Api, ids: &Ids, method: &str, path: &str, body: Option<String>) -> Reply {
    let mut request = api
        .request(method, &ids.fill(path))
        .bearer_auth(api.torii.secret_key());
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(ids.fill(&body));
    }
    send(request).await
}

/// What the placeholders stand for in one case.
struct Ids(BTreeMap<String, String>);

impl Ids {
    fn of(api: &Api) -> Self {
        Self(BTreeMap::from([(
            "environment".to_owned(),
            api.torii.environment_id().to_string(),
        )]))
    }

    fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, id): (&String, &String)| text.replace(&format!("{{{name}}}"), id);
        self.0.iter().fold(text.to_owned(), fill)
    }

    /// Checks a reply member by member, none missing and none extra. `{time}` is any instant, `{text}` any text
    /// but the empty one, and an id that nothing has named yet any UUID.
    fn assert_matches(&self, title: &str, actual: &Value, expected: &Value) {
        match (actual, expected) {
            (Value::Object(actual), Value::Object(expected)) => {
                let names =
                    |members: &serde_json::Map<String, Value>| members.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(actual), names(expected), "{title}");
                for (name, value) in expected {
                    self.assert_matches(&format!("{title}: {name}"), &actual[name], value);
                }
            }
            (Value::Array(actual), Value::Array(expected)) => {
                assert_eq!(actual.len(), expected.len(), "{title}: {actual:?}");
                for (actual, expected) in actual.iter().zip(expected) {
                    self.assert_matches(title, actual, expected);
                }
            }
            (Value::String(actual), Value::String(expected)) if expected == "{time}" => {
                assert!(
                    actual.ends_with('Z') && actual.parse::<torii_backend_types::Timestamp>().is_ok(),
                    "{title}"
                );
            }
            (Value::String(actual), Value::String(expected)) if expected == "{text}" => {
                assert!(!actual.is_empty(), "{title}");
            }
            (Value::String(actual), Value::String(expected)) => {
                let expected = self.fill(expected);
                let open = expected.starts_with('{') && uuid::Uuid::parse_str(actual).is_ok();
                assert!(open || *actual == expected, "{title}: {actual} is not {expected}");
            }
            _ => assert_eq!(json!(actual), json!(expected), "{title}"),
        }
    }
}

fn files() -> Vec<File> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/wire");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a file");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    paths.into_iter().map(read).collect()
}

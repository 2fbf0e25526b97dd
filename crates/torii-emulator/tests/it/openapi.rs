//! The description against what torii publishes, and against the contract.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::description::description;

type Operations = BTreeMap<(String, String), Value>;

#[tokio::test]
async fn the_description_is_the_published_one_operation_by_operation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/server-v1.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: torii's published description is not beside the project");
        return;
    };
    let published: Value = serde_json::from_str(&text).expect("JSON");
    let (published, own) = (operations(&published), operations(description().await));
    assert_eq!(
        published.keys().collect::<Vec<_>>(),
        own.keys().collect::<Vec<_>>()
    );
    for (operation, published) in &published {
        let own = &own[operation];
        let title = format!("{operation:?}");
        for member in ["parameters", "requestBody"] {
            assert_eq!(own.get(member), published.get(member), "{title}: {member}");
        }
        for (status, response) in published["responses"].as_object().expect("responses") {
            // Every refusal has the same document, which torii describes without its `code`.
            let is_refusal = status.starts_with('4');
            let found = &own["responses"][status];
            assert!(found.is_object(), "{title}: {status} is missing");
            if !is_refusal {
                assert_eq!(found, response, "{title}: {status}");
            } else {
                assert!(
                    found["content"]["application/problem+json"].is_object(),
                    "{title}: {status}"
                );
            }
        }
        let successes = |description: &Value| {
            let statuses = description["responses"].as_object().expect("responses").keys();
            statuses
                .filter(|status| status.starts_with('2'))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(successes(own), successes(published), "{title}");
    }
}

#[tokio::test]
async fn the_operations_are_named_as_in_the_contract() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/operations.toml");
    let contract: toml::Table = std::fs::read_to_string(path)
        .expect("a file")
        .parse()
        .expect("TOML");
    let mut expected: Vec<(String, String)> = contract
        .iter()
        .map(|(operation, row)| {
            (
                operation.clone(),
                row["name"].as_str().expect("a name").to_owned(),
            )
        })
        .collect();
    let mut found: Vec<(String, String)> = description().await["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .filter_map(|(path, methods)| Some((path.strip_prefix("/api/server/v1")?, methods)))
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").iter();
            methods.map(move |(method, operation)| {
                let name = operation["operationId"].as_str().expect("a name");
                (format!("{} {path}", method.to_ascii_uppercase()), name.to_owned())
            })
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// Every operation of the backend API by method and path, with references resolved and reduced to what binds a client.
fn operations(description: &Value) -> Operations {
    let mut operations = Operations::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        if !path.starts_with("/api/server/v1/") {
            continue;
        }
        for (method, operation) in methods.as_object().expect("methods") {
            let mut operation = essence(description, operation);
            if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
                parameters.sort_by_key(|parameter| parameter["name"].to_string());
            } else {
                operation["parameters"] = json!([]);
            }
            if let Some(body) = operation.get_mut("requestBody") {
                body.as_object_mut()
                    .expect("an object")
                    .entry("required")
                    .or_insert(json!(false));
            }
            operations.insert((method.clone(), path.clone()), operation);
        }
    }
    operations
}

/// Without prose and without what only one of the two says: that a text must not be blank, that other members are
/// refused, that `null` is among the values of a nullable enumeration (torii leaves it out), and the deprecated members
/// of the first generation.
fn essence(description: &Value, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let target = description.pointer(&reference[1..]).expect("a component");
                return essence(description, target);
            }
            let is_schema = members.contains_key("type");
            let prose =
                |name: &str| ["description", "example", "summary", "operationId", "tags"].contains(&name);
            let mut kept = Map::new();
            for (name, member) in members {
                let deprecated = member["deprecated"] == true;
                let dropped = is_schema
                    && (name == "example"
                        || name == "minLength"
                        || name == "additionalProperties" && member == false);
                // A property may be called `name` or `description`; prose is a text.
                if deprecated || dropped || prose(name) && !member.is_object() {
                    continue;
                }
                let mut member = essence(description, member);
                match name.as_str() {
                    "enum" => member
                        .as_array_mut()
                        .expect("values")
                        .retain(|value| !value.is_null()),
                    "required" => {
                        if let Some(names) = member.as_array_mut() {
                            names.sort_by_key(Value::to_string);
                        }
                    }
                    _ => {}
                }
                kept.insert(name.clone(), member);
            }
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(|item| essence(description, item)).collect(),
        value => value.clone(),
    }
}

#[tokio::test]
async fn what_torii_does_not_publish_is_marked_and_what_needs_no_secret_key_says_so() {
    let description = description().await;
    let mut ours = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["x-torii-emulator"] == true {
                ours.push(format!("{method} {path}"));
            }
            let has_own_security = operation["security"].is_array();
            assert_eq!(
                has_own_security,
                !path.starts_with("/api/server/v1/"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(
        ours,
        [
            "post /_torii/auth/session/refresh",
            "get /sign-in",
            "post /sign-in"
        ]
    );
}

//! Input that no client should send, at every operation that reads any.

use serde_json::{Value, json};

use crate::api::{Api, Reply, UNKNOWN, send};
use crate::description::{check, description};

#[tokio::test]
async fn every_member_of_every_body_has_one_type() {
    let api = Api::start().await;
    let mut tried = 0;
    for (method, path, schema) in bodies().await {
        for (name, property) in schema["properties"].as_object().expect("properties") {
            for (kind, value) in [
                ("null", Value::Null),
                ("boolean", json!(true)),
                ("integer", json!(7)),
                ("string", json!("text")),
                ("array", json!([[]])),
                ("object", json!({"k": {}})),
            ] {
                let types = &property["type"];
                if types == kind || types.as_array().is_some_and(|types| types.contains(&json!(kind))) {
                    continue;
                }
                let reply = ask(&api, &method, &path, Some(json!({name: value}))).await;
                reply.refused(400, "invalid_request");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried} cases");
}

#[tokio::test]
async fn every_body_is_refused_for_a_member_that_is_not_described() {
    let api = Api::start().await;
    for (method, path, _) in bodies().await {
        let problem = ask(&api, &method, &path, Some(json!({"colour": 1}))).await;
        let problem = problem.refused(400, "invalid_request");
        assert!(
            problem["detail"].as_str().expect("a text").contains("colour"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_refusal_does_not_repeat_a_name_of_any_length() {
    let api = Api::start().await;
    let name = "x".repeat(100_000);
    let problem = api.call("POST", "/users", Some(json!({name: 1}))).await;
    assert!(problem.refused(400, "invalid_request").to_string().len() < 2_000);
    let problem = api
        .call("GET", &format!("/organizations?{}=1", "x".repeat(10_000)), None)
        .await;
    assert!(problem.refused(400, "invalid_request").to_string().len() < 2_000);
}

#[tokio::test]
async fn every_body_has_to_be_json_in_utf_8() {
    let api = Api::start().await;
    for (method, path, _) in bodies().await {
        for body in [
            &b"{\"publicMetadata\":{\"k\":\"\xff\"}}"[..],
            b"{\"publicMetadata\":{\"k\":\"\\ud800\"}}",
            b"{\"publicMetadata\":{\"k\":\"\\u0000\"}}",
            b"{\"publicMetadata\":{\"k\":1e400}}",
            b"{\"publicMetadata\":{},\"publicMetadata\":{}}",
            b"{\"origins\":[],\"origins\":[]}",
            b"[]",
            b"\"\"",
        ] {
            let request = api
                .request(&method, &path)
                .bearer_auth(api.torii.secret_key())
                .header("content-type", "application/json")
                .body(body.to_vec());
            send(request).await.refused(400, "invalid_request");
        }
        let request = api
            .request(&method, &path)
            .bearer_auth(api.torii.secret_key())
            .header("content-type", "text/plain")
            .body("{}");
        send(request).await.refused(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn every_query_is_refused_for_a_parameter_that_is_not_described() {
    let api = Api::start().await;
    let paths = description().await["paths"].as_object().expect("paths");
    for (path, methods) in paths.iter().filter(|(path, _)| *path != "/sign-in") {
        for method in methods.as_object().expect("methods").keys() {
            let path = fill(path);
            let path = format!("{path}?limt=5");
            let problem = ask(&api, &method.to_ascii_uppercase(), &path, None).await;
            let problem = problem.refused(400, "invalid_request");
            assert!(
                problem["detail"].as_str().expect("a text").contains("limt"),
                "{problem}"
            );
        }
    }
}

#[tokio::test]
async fn every_list_reads_its_limit_and_cursor_alike() {
    let api = Api::start().await;
    let (user, organization) = (api.any_user().await, api.organization("Acme").await);
    for path in [
        "/organizations".to_owned(),
        "/invitations".to_owned(),
        format!("/organizations/{organization}/members"),
        format!("/users/{user}/organizations"),
    ] {
        for query in [
            "limit=x",
            "limit=",
            "limit=2147483648",
            "limit=1&limit=2",
            "cursor=x",
            "cursor=",
            "cursor=%FF",
        ] {
            api.call("GET", &format!("{path}?{query}"), None)
                .await
                .refused(400, "invalid_request");
        }
        for query in ["limit=-1", "limit=2147483647", &format!("cursor={UNKNOWN}")] {
            api.call("GET", &format!("{path}?{query}"), None)
                .await
                .expect(200);
        }
    }
}

/// Method, path with ids that nothing has, and the schema of every body.
async fn bodies() -> Vec<(String, String, Value)> {
    let description = description().await;
    let mut bodies = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let Some(body) = operation.get("requestBody") else {
                continue;
            };
            let Some(reference) = body["content"]["application/json"]["schema"]["$ref"].as_str() else {
                assert_eq!(path, "/sign-in", "only a form is no component");
                continue;
            };
            let schema = description.pointer(&reference[1..]).expect("a schema").clone();
            bodies.push((method.to_ascii_uppercase(), fill(path), schema));
        }
    }
    assert_eq!(bodies.len(), 20);
    bodies
}

/// A call of any API with the secret key. The reply is held against the emulator's own description.
async fn ask(api: &Api, method: &str, path: &str, body: Option<Value>) -> Reply {
    let mut request = api.request(method, path).bearer_auth(api.torii.secret_key());
    if let Some(body) = body {
        request = request.json(&body);
    }
    let reply = send(request).await;
    check(method, path, &reply).await;
    reply
}

fn fill(path: &str) -> String {
    let filled = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            UNKNOWN
        } else {
            segment
        }
    });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn an_encoded_body_is_refused_by_its_encoding() {
    let api = Api::start().await;
    for (encoding, status) in [("gzip", 415), ("br", 415), ("identity", 201)] {
        let request = api
            .request("POST", "/api/server/v1/users")
            .bearer_auth(api.torii.secret_key())
            .header("content-encoding", encoding)
            .json(&json!({}));
        let reply = send(request).await;
        assert_eq!(reply.status, status, "{encoding}: {}", reply.body);
    }
}

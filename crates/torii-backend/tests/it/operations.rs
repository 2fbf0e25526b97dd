//! The rows of `contract/operations.toml`, against what the public methods do.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Response;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::Value;
use torii_backend::{Error, Torii};

use crate::contract::{Case, call, files, rows};
use crate::memory::{Memory, SECRET_KEY, status};

/// What makes the API's path longer than a template.
const API_PATH: &str = "/api/server/v1";
const OPERATIONS: usize = 26;

#[test]
fn every_operation_has_wire_cases_of_its_own_endpoint() {
    let rows = rows();
    assert_eq!(rows.len(), OPERATIONS);
    let listed: BTreeSet<_> = rows.values().map(|row| row.name.clone()).collect();
    let cased: BTreeSet<_> = files().into_iter().map(|file| file.operation).collect();
    assert_eq!(listed, cased);
    for file in files() {
        let (endpoint, row) = rows.iter().find(|(_, row)| row.name == file.operation).unwrap();
        let (method, template) = endpoint.split_once(' ').unwrap();
        for case in &file.cases {
            let (request, title) = (&case.request, &case.behaviour);
            assert_eq!(request.method, method, "{title}");
            assert!(fits(&request.path, template), "{title}: {}", request.path);
        }
        let turns = |case: &Case| {
            let path = &case.request.path;
            path.contains("limit=") && path.contains("cursor=")
        };
        assert_eq!(file.cases.iter().any(turns), row.paged, "{}", row.name);
    }
}

/// The name and the endpoint are read from the error, the retry class from the number of attempts.
#[tokio::test]
async fn every_method_is_what_its_row_says() {
    let mut calls = Vec::new();
    for (endpoint, row) in rows() {
        let file = files().into_iter().find(|file| file.operation == row.name);
        let args = file.unwrap().cases.remove(0).args;
        calls.push(tokio::spawn(async move {
            let name = row.name.clone();
            let method = Method {
                paged: call(&Torii::new(SECRET_KEY).unwrap(), &name, &args).paged,
                lost: attempt(failure, &name, &args).await,
                refused: attempt(not_now, &name, &args).await,
            };
            assert_eq!(method.retry_class(), row.retry, "{name}: {method:?}");
            assert_eq!(method.paged, row.paged, "{name}");
            for (_, error) in [method.lost, method.refused] {
                assert_eq!(name_and_endpoint(&error), (&*name, endpoint.clone()));
            }
        }));
    }
    assert_eq!(calls.len(), OPERATIONS);
    for call in calls {
        call.await.unwrap();
    }
}

/// What a method does when it is not served.
#[derive(Debug)]
struct Method {
    paged: bool,
    /// The attempts and the error when the server fails.
    lost: (usize, Error),
    /// The attempts and the error when the server says "not now" and has surely done nothing.
    refused: (usize, Error),
}

impl Method {
    fn retry_class(&self) -> &'static str {
        use Error::{Api, OutcomeUnknown};
        match (&self.lost, &self.refused) {
            ((3, Api(_)), (3, Api(_))) => "read",
            ((2, Api(_)), (3, Api(_))) => "idempotent",
            ((1, OutcomeUnknown(_)), (3, Api(_))) => "delete",
            ((1, OutcomeUnknown(_)), (2, Api(_))) => "effect",
            _ => "none",
        }
    }
}

fn name_and_endpoint(error: &Error) -> (&'static str, String) {
    match error {
        Error::Api(error) => (error.operation(), error.endpoint()),
        Error::OutcomeUnknown(error) => (error.operation(), error.endpoint()),
        other => panic!("{other:?}"),
    }
}

async fn attempt(reply: fn() -> Response<Bytes>, operation: &str, args: &Value) -> (usize, Error) {
    let server = Memory::answering(move |_| reply());
    let error = call(&server.torii(), operation, args).outcome.await.unwrap_err();
    (server.count(), error)
}

fn failure() -> Response<Bytes> {
    status(500)
}

fn not_now() -> Response<Bytes> {
    let mut reply = status(429);
    reply
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("0"));
    reply
}

/// Whether a path, its query aside, is the template's with its parameters filled in.
fn fits(path: &str, template: &str) -> bool {
    let path = path.split('?').next().unwrap().strip_prefix(API_PATH).unwrap();
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    let same = |(part, of): (&&str, &str)| *part == of || of.starts_with('{');
    path.len() == template.len() && path.iter().zip(template).all(same)
}

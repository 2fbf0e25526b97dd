//! The wire cases of `contract/wire`: a public method in, the bytes of its request out, a literal reply back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};
use torii_backend::{Error, Torii};

use crate::contract::{Case, Expected, File, Refusal, call, call_blocking, files};

const SECRET_KEY: &str = "sk_test_wire";

#[tokio::test]
async fn every_method_sends_exactly_the_bytes_of_its_wire_cases() {
    for File { operation, cases } in files() {
        for case in cases {
            let (api_url, request) = serve_once(&case);
            let torii = Torii::builder(SECRET_KEY).api_url(api_url).build().unwrap();
            let outcome = call(&torii, &operation, &case.args).outcome.await;
            check(&operation, &case, outcome, request.join().unwrap());
        }
    }
}

#[test]
fn every_method_of_the_blocking_client_sends_the_same_bytes() {
    for File { operation, cases } in files() {
        for case in cases {
            let (api_url, request) = serve_once(&case);
            let builder = Torii::builder(SECRET_KEY).api_url(api_url);
            let torii = builder.build_blocking().unwrap();
            let outcome = pollster::block_on(call_blocking(&torii, &operation, &case.args).outcome);
            check(&operation, &case, outcome, request.join().unwrap());
        }
    }
}

/// Holds what travelled and what came out of it against a case.
fn check(operation: &str, case: &Case, outcome: Result<Value, Error>, request: Captured) {
    let title = format!("{operation}: {}", case.behaviour);
    let Expected { method, path, body } = &case.request;
    assert_eq!(request.line, format!("{method} {path} HTTP/1.1"), "{title}");
    assert_eq!(request.body, body.clone().unwrap_or_default(), "{title}");
    assert!(
        request.has("authorization", &format!("Bearer {SECRET_KEY}")),
        "{title}"
    );
    assert_eq!(
        request.has("content-type", "application/json"),
        body.is_some(),
        "{title}"
    );
    match (outcome, &case.error) {
        (Ok(result), None) => {
            let promised = case.reply.as_ref().and_then(|reply| reply.body.clone());
            assert_eq!(result, promised.unwrap_or_default(), "{title}");
        }
        (Err(Error::Api(error)), Some(refusal)) => {
            assert_eq!(error.status().as_u16(), refusal.status, "{title}");
            assert_eq!(error.code(), Some(refusal.code.as_str()), "{title}");
            assert_eq!(error.support_id(), Some("sup_1"), "{title}");
            assert_eq!(error.problem().unwrap().extensions, refusal.members, "{title}");
            assert_eq!(error.operation(), operation, "{title}");
        }
        (outcome, _) => panic!("{title}: {outcome:?}"),
    }
}

/// What travelled.
struct Captured {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Captured {
    fn has(&self, name: &str, value: &str) -> bool {
        self.headers
            .iter()
            .any(|header| header.0.eq_ignore_ascii_case(name) && header.1 == value)
    }
}

/// Answers one request on a raw socket with what the case promises.
fn serve_once(case: &Case) -> (String, thread::JoinHandle<Captured>) {
    let (status, body) = match (&case.reply, &case.error) {
        (Some(reply), None) => (reply.status, reply.body.clone()),
        (None, Some(refusal)) => (refusal.status, Some(problem(refusal))),
        _ => panic!("{}: neither a reply nor an error", case.behaviour),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api_url = format!("http://{}", listener.local_addr().unwrap());
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let kind = if status < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    let length = body.len();
    let reply =
        format!("HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}");
    let captured = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(socket.try_clone().unwrap());
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let header = |line: &String| {
            line.split_once(": ")
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .unwrap()
        };
        let headers: Vec<_> = lines[1..].iter().map(header).collect();
        let length = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        socket.write_all(reply.as_bytes()).unwrap();
        Captured {
            line: lines.remove(0),
            headers,
            body: String::from_utf8(body).unwrap(),
        }
    });
    (api_url, captured)
}

fn problem(refusal: &Refusal) -> Value {
    let Refusal {
        status,
        code,
        members,
    } = refusal;
    let mut problem =
        json!({"type": "about:blank", "title": "No", "status": status, "code": code, "supportId": "sup_1"});
    for (name, value) in members {
        problem[name] = value.clone();
    }
    problem
}

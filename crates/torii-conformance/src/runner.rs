//! Sends the cases and compares the answers.

use std::net::SocketAddr;

use serde_json::Value;

use crate::contract::{Case, Contract, Expect};
use crate::websocket::{self, Conversation, HANDSHAKE};
use crate::wire::{Answer, Connection};

/// A test application that is being served.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the adapter has of what the contract's `needs` name: `websocket`, `layers`, `preflight`, `streaming`.
    pub has: Vec<&'static str>,
}

/// What came of the cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many were run.
    pub ran: usize,
    /// How many need what the adapter does not have.
    pub skipped: usize,
    /// A line for each difference, which begins with the case's name.
    pub mismatches: Vec<String>,
}

/// Runs all cases, one after the other. It blocks: serve the application on another thread.
pub fn run(contract: &Contract, adapter: &Adapter) -> Report {
    let mut report = Report::default();
    for case in &contract.cases {
        if !case.needs.iter().all(|need| adapter.has.contains(&need.as_str())) {
            report.skipped += 1;
            continue;
        }
        report.ran += 1;
        let differences = match exchange(contract, adapter, case) {
            Ok((answer, conversation)) => differences(&case.expect, &answer, conversation.as_ref()),
            Err(error) => vec![error],
        };
        let named = differences
            .into_iter()
            .map(|line| format!("{}: {line}", case.name));
        report.mismatches.extend(named);
    }
    report
}

impl Report {
    /// Fails unless every case that was run is as expected, and at least so many were.
    ///
    /// # Panics
    ///
    /// With all differences.
    pub fn assert_conforms(&self, at_least: usize) {
        assert!(
            self.mismatches.is_empty(),
            "{} differences in {} cases:\n{}",
            self.mismatches.len(),
            self.ran,
            self.mismatches.join("\n")
        );
        assert!(self.ran >= at_least, "only {} cases were run", self.ran);
    }
}

fn exchange(
    contract: &Contract,
    adapter: &Adapter,
    case: &Case,
) -> Result<(Answer, Option<Conversation>), String> {
    let mut connection = Connection::open(adapter.address).map_err(|error| error.to_string())?;
    connection.send(&bytes(contract, adapter, case));
    let answer = connection.answer(&case.request.method)?;
    if answer.status == 101 {
        let conversation = websocket::converse(connection, &answer)?;
        return Ok((answer, Some(conversation)));
    }
    if !case.request.websocket {
        connection.end()?;
    }
    Ok((answer, None))
}

/// The request as it travels.
fn bytes(contract: &Contract, adapter: &Adapter, case: &Case) -> Vec<u8> {
    let request = &case.request;
    let target = contract.filled(&request.target);
    let mut lines = vec![format!("{} {target} HTTP/1.1", request.method)];
    let mut line = |name: &str, value: &str| lines.push(format!("{name}: {value}"));
    line("Host", &adapter.address.to_string());
    if request.websocket {
        HANDSHAKE.iter().for_each(|(name, value)| line(name, value));
    } else {
        line("Connection", "close");
    }
    for (name, value) in &request.headers {
        line(name, &contract.filled(value));
    }
    let body = match (&request.body, &request.chunks) {
        (Some(body), _) => {
            let body = contract.filled(&body.text());
            line("Content-Length", &body.len().to_string());
            body
        }
        (None, Some(chunks)) => {
            line("Transfer-Encoding", "chunked");
            let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
            let chunks = chunks.iter().map(|text| chunk(&contract.filled(text)));
            chunks.collect::<String>() + &chunk("")
        }
        (None, None) => String::new(),
    };
    let text = lines.join("\r\n") + "\r\n\r\n" + &body;
    let bytes = text.chars().map(u8::try_from).collect::<Result<_, _>>();
    bytes.unwrap_or_else(|_| panic!("{}: a character that is not one byte", case.name))
}

fn differences(expect: &Expect, answer: &Answer, conversation: Option<&Conversation>) -> Vec<String> {
    if expect.status.may_come_earlier(answer.status) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut compare = |what: &str, got: Value, expected: Value| {
        if got != expected {
            found.push(format!("{what} is {got}, not {expected}"));
        }
    };
    compare(
        "the status",
        answer.status.into(),
        expect.status.of_the_adapter().into(),
    );
    for (name, expected) in &expect.headers {
        let values: Vec<_> = answer
            .values(name)
            .map(|value| comparable(name, value, expected))
            .collect();
        compare(
            &format!("the header {name}"),
            values.into(),
            vec![expected.as_str()].into(),
        );
    }
    for name in &expect.absent {
        let values: Vec<_> = answer.values(name).collect();
        compare(
            &format!("the header {name}"),
            values.into(),
            Value::Array(Vec::new()),
        );
    }
    let body = || String::from_utf8_lossy(&answer.body).into_owned();
    if let Some(expected) = &expect.json {
        let got = serde_json::from_slice(&answer.body);
        compare(
            "the body",
            got.unwrap_or_else(|_| body().into()),
            expected.clone(),
        );
    }
    if let Some(expected) = &expect.text {
        let got = conversation.map_or_else(|| Some(body()), |conversation| conversation.text.clone());
        compare("the text", got.into(), expected.as_str().into());
    }
    if let Some(conversation) = conversation {
        compare("the closing code", conversation.close.into(), expect.close.into());
        if let Some(expected) = &expect.protocol {
            let got = answer.value("sec-websocket-protocol");
            compare("the subprotocol", got.into(), expected.as_deref().into());
        }
    }
    found
}

/// A header's value in the form in which it is compared.
fn comparable<'a>(name: &str, value: &'a str, expected: &'a str) -> &'a str {
    match (name, expected) {
        (_, "{seconds}") if value.parse::<u64>().is_ok_and(|seconds| seconds > 0) => expected,
        ("content-type", _) => value.split(';').next().unwrap_or_default().trim_end(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    const BODY: &str = r#"{"code":"expired"}"#;

    /// What the runner finds in this answer, where a refusal of an expired token is expected.
    fn found(answer: &str) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = answer.to_owned();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        let mut contract = Contract::read();
        contract.cases = serde_json::from_value(json!([{
            "name": "expired",
            "needs": [],
            "request": {"method": "GET", "target": "//me", "headers": [["authorization", "Bearer {expired}"]]},
            "expect": {
                "status": 401,
                "headers": {"www-authenticate": "Bearer", "content-type": "application/json", "x-wait": "{seconds}"},
                "absent": ["retry-after"],
                "json": {"code": "expired"},
            },
        }]))
        .unwrap();
        let adapter = Adapter { address, has: vec![] };
        let report = run(&contract, &adapter);
        assert_eq!((report.ran, report.skipped), (1, 0));
        let request = server.join().unwrap();
        let token = contract.token("expired");
        let sent = format!(
            "GET //me HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        assert_eq!(request, sent);
        report.mismatches
    }

    fn answer(status: &str, headers: &str, rest: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}{rest}")
    }

    #[test]
    fn the_expected_answer_conforms_whatever_frames_it() {
        let headers =
            "WWW-Authenticate: Bearer\r\nContent-Type: application/json; charset=utf-8\r\nX-Wait: 3\r\n";
        for rest in [
            format!("Content-Length: {}\r\n\r\n{BODY}", BODY.len()),
            format!(
                "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n0\r\n\r\n",
                BODY.len()
            ),
            format!("Connection: close\r\n\r\n{BODY}"),
        ] {
            assert_eq!(found(&answer("401 Unauthorized", headers, &rest)), [""; 0]);
        }
    }

    #[test]
    fn every_difference_is_reported_by_the_cases_name() {
        let right = "WWW-Authenticate: Bearer\r\nContent-Type: application/json\r\nX-Wait: 3\r\n";
        let whole = format!("Content-Length: {}\r\n\r\n{BODY}", BODY.len());
        let cases = [
            (answer("200 OK", right, &whole), "the status is 200"),
            (
                answer("401 No", &right.replace("Bearer", "Basic"), &whole),
                "the header www-authenticate is",
            ),
            (
                answer("401 No", &format!("{right}WWW-Authenticate: Bearer\r\n"), &whole),
                "the header www-authenticate is",
            ),
            (
                answer("401 No", &right.replace("json", "xml"), &whole),
                "the header content-type is",
            ),
            (
                answer("401 No", &right.replace("X-Wait: 3", "X-Wait: 0"), &whole),
                "the header x-wait is",
            ),
            (
                answer("401 No", &format!("{right}Retry-After: 1\r\n"), &whole),
                "the header retry-after is",
            ),
            (
                answer("401 No", right, &whole.replace("expired", "excused")),
                "the body is",
            ),
            (
                answer("401 No", right, "Content-Length: 0\r\n\r\n"),
                "the body is",
            ),
            (
                answer("401 No", right, &format!("{whole}HTTP")),
                "4 bytes follow the answer",
            ),
            (
                answer("401 No", right, &format!("Transfer-Encoding: chunked\r\n{whole}")),
                "the body's length is unclear",
            ),
            (
                answer("401 No", right, &format!("\r\n{BODY}")),
                "the body's length is unclear",
            ),
            (
                answer("401 No", right, "Content-Length: 99\r\n\r\n{}"),
                "the body ended 97 bytes early",
            ),
            (
                answer(
                    "401 No",
                    right,
                    "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
                ),
                "a chunk of another size",
            ),
            ("401 No".to_owned(), "not HTTP"),
            (String::new(), "the connection ended after 0 bytes"),
        ];
        for (answer, expected) in cases {
            let found = found(&answer);
            let said = found
                .iter()
                .any(|line| line.starts_with(&format!("expired: {expected}")));
            assert!(said, "{expected}: {found:?}");
        }
    }

    #[test]
    #[should_panic(expected = "only 1 cases were run")]
    fn a_contract_that_has_shrunk_fails() {
        let report = Report {
            ran: 1,
            ..Report::default()
        };
        report.assert_conforms(2);
    }
}

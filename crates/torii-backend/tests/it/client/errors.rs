//! What an error says, to people and to programs.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, Response};
use pollster::block_on;
use serde_json::json;
use torii_backend::http_client::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
use torii_backend::{Error, OrganizationFilter, Torii, UserFilter};
use tracing_subscriber::filter::LevelFilter;

use super::USER;
use crate::memory::{self, Memory, SECRET_KEY, status};
use crate::support::log::Log;

/// A network on which every exchange fails.
#[derive(Debug)]
struct Fails(HttpErrorKind);

impl HttpClient for Fails {
    fn send<'a>(&'a self, _request: Request<Bytes>, _limits: Limits) -> Exchange<'a> {
        Box::pin(async { Err(HttpError::new(self.0, "the cause below")) })
    }
}

fn failing(kind: HttpErrorKind) -> Torii {
    let builder = Torii::builder(SECRET_KEY).http_client(Fails(kind));
    builder.build().unwrap()
}

fn parts(error: &Error) -> Vec<String> {
    let first: &dyn StdError = error;
    let chain = std::iter::successors(Some(first), |&error| error.source());
    chain.map(ToString::to_string).collect()
}

fn answered(reply: Response<Bytes>) -> Error {
    let server = Memory::answering(move |_| reply.clone());
    block_on(server.torii().users().get(USER).without_retries().into_future()).unwrap_err()
}

#[test]
fn no_error_repeats_what_its_source_says() {
    let get = |torii: Torii| block_on(torii.users().get(USER).without_retries().into_future()).unwrap_err();
    let delete = |torii: Torii| block_on(torii.users().delete(USER).into_future()).unwrap_err();
    let mut errors = vec![answered(status(404)), answered(memory::json(&json!({"id": 7})))];
    for kind in [
        HttpErrorKind::Connect,
        HttpErrorKind::Timeout,
        HttpErrorKind::Broken,
        HttpErrorKind::Setup,
    ] {
        errors.extend([get(failing(kind)), delete(failing(kind))]);
    }
    for error in errors {
        let parts = parts(&error);
        for (place, part) in parts.iter().enumerate() {
            let others = parts.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(
                others.clone().all(|(_, other)| !other.contains(part)),
                "{parts:?}"
            );
        }
        if error.http_error_kind().is_some() {
            assert_eq!(parts.last().unwrap(), "the cause below", "{parts:?}");
        }
    }
}

#[test]
fn an_error_says_what_an_application_asks() {
    let problem = |status: u16| {
        let mut reply = memory::json(&json!({"code": "some_code", "detail": "no"}));
        *reply.status_mut() = status.try_into().unwrap();
        let headers = reply.headers_mut();
        headers.insert("x-request-id", HeaderValue::from_static("req_1"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        reply
    };
    for (code, retryable) in [
        (400, false),
        (404, false),
        (408, true),
        (409, false),
        (425, true),
        (429, true),
        (500, true),
        (501, false),
        (503, true),
    ] {
        let error = answered(problem(code));
        assert_eq!(error.status().unwrap(), code);
        assert_eq!(error.code(), Some("some_code"));
        assert_eq!(error.request_id(), Some("req_1"));
        assert_eq!(error.as_api().unwrap().request_id(), Some("req_1"));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.is_not_found(), code == 404);
        assert_eq!(error.is_conflict(), code == 409);
        assert_eq!(error.is_retryable(), retryable, "{code}");
        assert_eq!(error.http_error_kind(), None);
    }
    let unreadable = answered(problem(200));
    assert_eq!(
        (unreadable.request_id(), unreadable.is_retryable()),
        (Some("req_1"), false)
    );

    let server = Memory::answering(move |_| problem(500));
    let doubt = block_on(server.torii().users().delete(USER).into_future()).unwrap_err();
    assert!(matches!(doubt, Error::OutcomeUnknown(_)));
    assert_eq!(
        (doubt.request_id(), doubt.code()),
        (Some("req_1"), Some("some_code"))
    );
    assert!(!doubt.is_retryable());

    for (kind, retryable) in [
        (HttpErrorKind::Connect, true),
        (HttpErrorKind::Timeout, true),
        (HttpErrorKind::Broken, true),
        (HttpErrorKind::Setup, false),
        (HttpErrorKind::Untrusted, false),
        (HttpErrorKind::TooLarge, false),
    ] {
        let call = failing(kind).users().get(USER).without_retries();
        let error = block_on(call.into_future()).unwrap_err();
        assert_eq!(
            (error.http_error_kind(), error.is_retryable()),
            (Some(kind), retryable)
        );
        assert_eq!((error.status(), error.request_id()), (None, None));
    }
}

#[test]
fn an_unreadable_reply_is_described_without_its_values() {
    let user = |change: fn(&mut serde_json::Value)| {
        let (id, time) = (USER, "2026-05-16T09:30:00Z");
        let mut user =
            json!({"id": id, "environmentId": id, "status": "active", "createdAt": time, "updatedAt": time});
        change(&mut user);
        memory::json(&user)
    };
    for (reply, said) in [
        (
            user(|user| user["email"] = json!(["kept-secret, expected kept-secret"])),
            "expected a string at line 1, column",
        ),
        (
            user(|user| user["name"] = json!(4_711_471_147_u64)),
            "expected a string at line 1, column",
        ),
        (
            user(|user| user["publicMetadata"] = json!("kept-secret")),
            "at line 1, column",
        ),
        (
            user(|user| user["createdAt"] = json!("kept-secret")),
            "line 1, column",
        ),
        (
            user(|user| drop(user.as_object_mut().unwrap().remove("status"))),
            "missing field `status` at line 1, column",
        ),
        (
            Response::new("<html>kept-secret".into()),
            "not a JSON document, at line 1, column 1",
        ),
    ] {
        let error = answered(reply);
        let told = format!("{} {error:?}", parts(&error).join(": "));
        assert!(told.contains(said), "{told}");
        assert!(
            !told.contains("kept-secret") && !told.contains("4711471147"),
            "{told}"
        );
    }
}

#[test]
fn a_time_limit_of_zero_is_named_and_nothing_is_sent() {
    let server = Memory::answering(|_| status(404));
    let users = server.torii().users();
    for call in [
        users.get(USER).timeout(Duration::ZERO),
        users.get(USER).attempt_timeout(Duration::ZERO),
    ] {
        let error = block_on(call.into_future()).unwrap_err();
        assert!(
            matches!(&error, Error::Config(error) if error.setting() == "timeout"),
            "{error:?}"
        );
    }
    let list = server.blocking_torii().users().list(&UserFilter::default());
    assert!(matches!(
        list.timeout(Duration::ZERO).send(),
        Err(Error::Config(_))
    ));
    assert_eq!(server.count(), 0);
}

#[test]
fn an_exact_body_is_sent_as_it_is_where_the_request_has_one() {
    const BODY: &[u8] = br#"{"privateMetadata": {"n": 18446744073709551617, "d": 1.10}}"#;
    let server = Memory::answering(|_| status(404));
    let torii = server.blocking_torii();
    let body = || Bytes::from_static(BODY);
    torii
        .users()
        .create(&Default::default())
        .with_body(body())
        .send()
        .unwrap_err();
    torii
        .users()
        .list(&UserFilter::default())
        .with_body(body())
        .send()
        .unwrap_err();
    let list = torii.organizations().list(&OrganizationFilter::default());
    list.with_body(body()).send().unwrap_err();
    let sent: Vec<_> = server
        .asked()
        .into_iter()
        .map(|asked| asked.request.into_body())
        .collect();
    assert_eq!(sent, [BODY, BODY, b""]);
}

/// Each failed attempt with its cause, and a warning when a call gives up, after one attempt too.
#[test]
fn the_log_says_why_attempts_failed() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let call = failing(HttpErrorKind::Connect)
            .users()
            .get(USER)
            .without_retries();
        block_on(call.into_future()).unwrap_err();
        let mut reply = status(500);
        reply
            .headers_mut()
            .insert("x-request-id", HeaderValue::from_static("req_1"));
        answered(reply);
        answered(status(404));
    });
    let text = log.text();
    let lines = |level: &str, message: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| line.contains(level) && line.contains(message));
        lines.map(str::to_owned).collect()
    };
    let (attempts, warnings) = (lines("DEBUG", "attempt ended"), lines("WARN", "gave up"));
    assert_eq!((attempts.len(), warnings.len()), (3, 2), "{text}");
    assert!(attempts.iter().all(|line| line.contains("elapsed_ms=")), "{text}");
    assert!(
        attempts[0].contains("no connection could be made: the cause below"),
        "{text}"
    );
    assert!(
        attempts[1].contains("status=500") && attempts[1].contains("req_1"),
        "{text}"
    );
    assert!(
        warnings[0].contains("no connection could be made: the cause below"),
        "{text}"
    );
    assert!(warnings[1].contains("users.get: 500"), "{text}");
}

/// One line at a level that is shown by default, so that whoever runs the application learns of a slow call's cause.
#[test]
fn another_attempt_is_logged_with_its_cause_and_its_wait() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let answers = Memory::answering(|_| status(500));
        block_on(answers.torii().users().get(USER).into_future()).unwrap_err();
        block_on(failing(HttpErrorKind::Connect).users().get(USER).into_future()).unwrap_err();
    });
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(" INFO ")).collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, attempt) in lines.iter().zip([1, 2, 1, 2]) {
        let attempt = format!("attempt={attempt}");
        let parts = ["another attempt", "operation=\"users.get\"", &attempt, "wait_ms="];
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    assert!(lines[0].contains("cause=\"500 Internal Server Error\""), "{text}");
    assert!(
        lines[2].contains("cause=\"no connection could be made: the cause below\""),
        "{text}"
    );
}

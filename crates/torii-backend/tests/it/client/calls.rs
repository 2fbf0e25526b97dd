//! What a call can be told, what comes with its reply, and what it never sends.

use std::time::Duration;

use http::Response;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use pollster::block_on;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use torii_backend::{Error, OrganizationFilter, Patch, Torii, UpdateUser};

use super::USER;
use crate::contract::{call, call_blocking, files};
use crate::memory::{self, Memory, SECRET_KEY, status};

#[test]
fn what_came_with_a_reply_can_be_kept() {
    let server = || {
        Memory::answering(|asked| {
            if asked.place == 0 {
                return status(502);
            }
            let mut reply = memory::json(&json!({"origins": ["https://app.example"]}));
            reply
                .headers_mut()
                .insert("x-request-id", HeaderValue::from_static("req_1"));
            reply
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            reply
        })
    };
    // The wait before the second attempt needs no runtime.
    let asynchronous = block_on(server().torii().allowed_origins().list().with_reply()).unwrap();
    let blocking = server()
        .blocking_torii()
        .allowed_origins()
        .list()
        .send_with_reply()
        .unwrap();
    for reply in [asynchronous, blocking] {
        assert_eq!(
            (reply.status().as_u16(), reply.attempts(), reply.request_id()),
            (200, 2, Some("req_1"))
        );
        assert_eq!(reply.headers()[RETRY_AFTER], "1");
        assert_eq!(reply.origins, ["https://app.example"]);
        assert_eq!(reply.into_value().origins, ["https://app.example"]);
    }
    let page =
        Memory::answering(|_| memory::json(&json!({"items": [], "nextCursor": null, "hasMore": false})));
    let list = page
        .blocking_torii()
        .organizations()
        .list(&OrganizationFilter::default());
    let reply = list.send_with_reply().unwrap();
    assert_eq!(
        (reply.attempts(), reply.request_id(), reply.has_more),
        (1, None, false)
    );
    let list = page.torii().organizations().list(&OrganizationFilter::default());
    assert_eq!(block_on(list.with_reply()).unwrap().status(), 200);
}

#[test]
fn a_reply_read_as_raw_json_comes_as_it_was_sent() {
    const SENT: &str =
        r#"{"b": 1e999, "a":-0.10, "deep": [123456789012345678901234567890], "b":"\u00e9\ud800"}"#;
    let server = Memory::answering(|_| Response::new(SENT.into()));
    let call = server.torii().users().get(USER).reply_as::<Box<RawValue>>();
    assert_eq!(block_on(call.into_future()).unwrap().get(), SENT);
    let call = server
        .blocking_torii()
        .users()
        .get(USER)
        .reply_as::<Box<RawValue>>();
    assert_eq!(call.send().unwrap().get(), SENT);
}

#[test]
fn a_reply_read_as_raw_json_is_json() {
    for body in ["<html>", "", "{\"a\": }", "{} {}"] {
        let server = Memory::answering(move |_| Response::new(body.into()));
        let call = server.blocking_torii().users().get(USER).without_retries();
        let error = call.reply_as::<Box<RawValue>>().send().unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{body:?}: {error:?}");
    }
}

#[test]
fn a_call_read_as_another_type_keeps_its_settings() {
    let server = Memory::answering(|_| status(500));
    let users = server.blocking_torii().users();
    let call = users
        .get(USER)
        .without_retries()
        .header(USER_AGENT, HeaderValue::from_static("mine"));
    call.reply_as::<Box<RawValue>>().send().unwrap_err();
    assert_eq!(server.count(), 1);
    assert_eq!(server.asked()[0].request.headers()[USER_AGENT], "mine");
}

#[test]
fn a_call_can_have_headers_and_limits_of_its_own() {
    let server = Memory::answering(|_| status(500));
    let (trace, agent) = (
        HeaderName::from_static("x-trace"),
        HeaderValue::from_static("mine"),
    );
    let seconds = Duration::from_secs;
    let users = server.blocking_torii().users();
    let told = |call: torii_backend::Call<_, _>| {
        let before = server.count();
        assert!(call.without_retries().send().is_err());
        assert_eq!(server.count(), before + 1, "an attempt was repeated");
        server.asked().pop().unwrap()
    };
    let plain = told(users.get(USER));
    assert_eq!(plain.limits.max_body, 10 * 1024 * 1024);
    assert!((seconds(9)..=seconds(10)).contains(&plain.limits.total));
    let headers = told(
        users
            .get(USER)
            .header(trace.clone(), HeaderValue::from_static("7"))
            .header(USER_AGENT, agent),
    );
    assert_eq!(headers.request.headers()[trace], "7");
    assert_eq!(headers.request.headers()[USER_AGENT], "mine");
    assert_eq!(headers.request.headers().get_all(USER_AGENT).iter().count(), 1);
    assert_eq!(
        headers.request.headers()[AUTHORIZATION],
        format!("Bearer {SECRET_KEY}")
    );
    let attempt = told(users.get(USER).attempt_timeout(seconds(25)));
    assert!((seconds(24)..=seconds(25)).contains(&attempt.limits.total));
    // What is left of the call limits an attempt as well.
    let call = told(users.get(USER).timeout(seconds(5)));
    assert!((seconds(4)..=seconds(5)).contains(&call.limits.total));
    let list = server
        .blocking_torii()
        .organizations()
        .list(&OrganizationFilter::default());
    assert!(list.timeout(seconds(5)).without_retries().send().is_err());
    assert!(server.asked().pop().unwrap().limits.total <= seconds(5));
}

#[test]
fn a_clients_limits_hold_for_each_call() {
    let server = Memory::answering(|_| status(404));
    let builder = Torii::builder(SECRET_KEY).http_client(server.clone());
    let torii = builder
        .attempt_timeout(Duration::from_secs(2))
        .build_blocking()
        .unwrap();
    assert!(torii.allowed_origins().list().send().is_err());
    assert!(server.asked()[0].limits.total <= Duration::from_secs(2));
}

#[test]
fn a_field_to_keep_has_no_place_on_the_wire() {
    assert_eq!(json!(UpdateUser::default()), json!({}));
    /// A body that forgot `skip_serializing_if`.
    #[derive(Serialize)]
    struct Forgetful {
        name: Patch<String>,
    }
    let error = serde_json::to_string(&Forgetful { name: Patch::Keep }).unwrap_err();
    assert!(error.to_string().contains("Patch::Keep"), "{error}");
    assert_eq!(json!(Forgetful { name: Patch::Clear }), json!({"name": null}));
}

/// Each operation, with each of its identifiers in turn replaced.
#[test]
fn what_is_no_identifier_never_reaches_the_wire() {
    let server = Memory::answering(|_| status(500));
    let (torii, blocking) = (server.torii(), server.blocking_torii());
    let upper = USER.to_uppercase().replace("8B00", "8B0G");
    let mut tried = 0;
    for file in files() {
        let args = &file.cases[0].args;
        let names = args
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| name.ends_with("Id"));
        for name in names {
            for id in [
                "",
                " ",
                ".",
                "..",
                "../",
                "%2f",
                "/",
                "search",
                "me",
                "null",
                "01931a738b0070008000000000000000",
                "{01931a73-8b00-7000-8000-000000000000}",
                "urn:uuid:01931a73-8b00-7000-8000-000000000000",
                "01931a73-8b00-7000-8000-000000000000\n",
                "01931a73-8b00-7000-8000-000000000000?",
                "01931a73-8b00-7000-8000-000000000000/",
                "01931a73-8b00-7000-8000-00000000000/",
                "01931a73-8b00-7000-8000-00000000000\n",
                "01931a73-8b00-7000-8000-00000000%2f0",
                "../../../../../../../../../../../../x",
                "01931a73-8b00-7000-8000-0000000000é",
                &upper,
            ] {
                let mut args = args.clone();
                args[name] = json!(id);
                let both = [
                    block_on(call(&torii, &file.operation, &args).outcome),
                    block_on(call_blocking(&blocking, &file.operation, &args).outcome),
                ];
                for outcome in both {
                    let error = outcome.unwrap_err();
                    assert!(
                        matches!(error, Error::InvalidId(_)),
                        "{}: {id:?}: {error:?}",
                        file.operation
                    );
                    assert!(id.len() < 5 || !error.to_string().contains(id), "{error}");
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(server.count(), 0);
    assert!(tried > 500, "{tried}");
}

#[test]
fn an_identifier_is_sent_in_lower_case() {
    let server = Memory::answering(|_| status(404));
    assert!(
        server
            .blocking_torii()
            .users()
            .get(USER.to_uppercase())
            .send()
            .is_err()
    );
    assert_eq!(
        server.asked()[0].path_and_query(),
        format!("/api/server/v1/users/{USER}")
    );
}

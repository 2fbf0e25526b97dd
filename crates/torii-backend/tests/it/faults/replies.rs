//! What a server may answer, and what is made of it.

use torii_backend::{Error, UserFilter, UserStatus};

use super::{Kind, SECRET_KEY, USER, chain, found, lost, made, somebody, user, with_both};
use crate::support::faultd::{Faultd, Reply, Script, Step};

#[test]
fn a_success_that_cannot_be_read_is_an_error_of_its_own() {
    let cut = {
        let mut user = user();
        user.truncate(40);
        user
    };
    let broken_text = [&b"{\"id\": \""[..], b"\xff\xfe", b"\"}"].concat();
    for kind in Kind::BOTH {
        for (name, body) in [
            ("HTML", b"<html>".to_vec()),
            ("empty", Vec::new()),
            ("cut", cut.clone()),
            ("not UTF-8", broken_text.clone()),
            ("long", vec![b'x'; 100_000]),
            ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec()),
            ("wrong shape", b"[]".to_vec()),
        ] {
            let server = Faultd::start(Reply::new(200).header("content-encoding", "gzip").body(body));
            let client = kind.client(server.url());
            let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
            let Error::Decode(error) = error else {
                panic!("{kind:?}, {name}: {error:?}");
            };
            assert_eq!(error.status(), 200);
            assert!(error.excerpt().chars().count() <= 256 && format!("{error:?}").len() < 2000);
            assert_eq!(server.count(), 2, "{kind:?}, {name}: a read is repeated once");

            // It was done: repeating it would do it twice.
            let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
            assert!(matches!(error, Error::Decode(_)), "{kind:?}, {name}: {error:?}");
            assert_eq!(server.count(), 3, "{kind:?}, {name}");
            let error = made!(client, torii => torii.users().ban(USER)).unwrap_err();
            assert!(matches!(error, Error::Decode(_)), "{kind:?}, {name}: {error:?}");
            assert_eq!(server.count(), 4, "{kind:?}, {name}");
        }
    }
}

#[test]
fn what_a_later_version_adds_is_no_error() {
    let later = br#"{"id": "01931a73-8b00-7000-8000-000000000000", "environmentId": "01931a73-8b00-7000-8000-000000000000",
        "status": "dormant", "createdAt": "2026-05-16T09:30:00Z", "updatedAt": "2026-05-16T09:30:00Z", "email": null,
        "shoeSize": 44}"#;
    for kind in Kind::BOTH {
        let server = Faultd::start(Reply::json(later));
        let client = kind.client(server.url());
        let user = made!(client, torii => torii.users().get(USER))
            .unwrap()
            .into_value();
        assert_eq!(user.status, UserStatus::Unknown("dormant".to_owned()));
        assert_eq!((user.extra["shoeSize"].as_u64(), user.email), (Some(44), None));
    }
}

#[test]
fn a_refusal_is_told_once_whatever_its_body() {
    let problem = r#"{"title": "No", "status": 418, "detail": "Not this one.", "code": "no_luck", "supportId": "sup_9"}"#;
    for kind in Kind::BOTH {
        for status in [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 501] {
            for (content_type, body, code) in [
                ("application/problem+json", problem.to_owned(), Some("no_luck")),
                ("application/json", problem.to_owned(), Some("no_luck")),
                ("text/plain", "no".to_owned(), None),
                ("text/html", "<html>".to_owned(), None),
                ("application/problem+json", String::new(), None),
                ("application/problem+json", "[1".to_owned(), None),
            ] {
                let server = Faultd::start(
                    Reply::new(status)
                        .header("content-type", content_type)
                        .body(body.clone()),
                );
                let client = kind.client(server.url());
                let error = made!(client, torii => torii.users().delete(USER)).unwrap_err();
                let Error::Api(error) = error else {
                    panic!("{kind:?}, {status}: {error:?}");
                };
                assert_eq!(error.status(), status, "the HTTP status counts");
                assert_eq!((error.code(), error.body()), (code, body.as_str()));
                assert_eq!(error.support_id(), code.map(|_| "sup_9"));
                assert_eq!((error.attempts(), server.count()), (1, 1), "{kind:?}, {status}");
            }
        }
    }
}

#[test]
fn a_refusal_of_a_mebibyte_is_a_refusal() {
    for kind in Kind::BOTH {
        let server = Faultd::start(Reply::new(400).body(vec![b'x'; 1024 * 1024]));
        let client = kind.client(server.url());
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert_eq!(error.as_api().unwrap().body().len(), 1024 * 1024);
        assert!(format!("{error:?} {error}").len() < 2000, "{kind:?}");
    }
}

#[test]
fn redirects_are_not_followed_and_the_secret_goes_nowhere_else() {
    let elsewhere = Faultd::start(found());
    for kind in Kind::BOTH {
        for status in [301, 302, 303, 307, 308] {
            let server = Faultd::start(found());
            for location in [
                elsewhere.url() + "/api/server/v1/users",
                "/other".to_owned(),
                server.url() + "/other",
            ] {
                let before = server.count();
                server.set(Reply::new(status).header("location", location));
                let client = kind.client(server.url());
                for error in [
                    made!(client, torii => torii.users().get(USER)).unwrap_err(),
                    made!(client, torii => torii.users().create(&somebody())).unwrap_err(),
                    made!(client, torii => torii.users().delete(USER)).unwrap_err(),
                ] {
                    assert!(matches!(error, Error::Api(_)), "{kind:?}, {status}: {error:?}");
                    assert_eq!(error.status().unwrap(), status);
                    assert!(
                        error.to_string().contains("redirects are not followed"),
                        "{error}"
                    );
                }
                assert_eq!(server.count(), before + 3, "{kind:?}, {status}");
            }
        }
    }
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn unusual_but_valid_replies_are_read() {
    let user = String::from_utf8(user()).unwrap();
    let length = user.len();
    let chunked: String = user
        .as_bytes()
        .chunks(7)
        .map(|chunk| {
            format!(
                "{:X};name=value\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            )
        })
        .collect();
    for (name, reply) in [
        (
            "lower case",
            format!("HTTP/1.1 200 ok\r\ncontent-length: {length}\r\n\r\n{user}"),
        ),
        (
            "HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{user}"),
        ),
        ("until closed", format!("HTTP/1.1 200 OK\r\n\r\n{user}")),
        (
            "chunked",
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\nx-trailer: 1\r\n\r\n"
            ),
        ),
        (
            "closing",
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{user}"),
        ),
        (
            "cookies and duplicates",
            format!(
                "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: x\r\nServer: y\r\n\
                 Content-Length: {length}\r\n\r\n{user}"
            ),
        ),
        (
            "an interim reply",
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{user}"),
        ),
    ] {
        for kind in Kind::BOTH {
            let server = Faultd::start(Script::raw(reply.clone()));
            for _ in 0..2 {
                // One each: the server closes the connection without a word.
                let client = kind.client(server.url());
                let reply = made!(client, torii => torii.users().get(USER));
                let reply = reply.unwrap_or_else(|error| panic!("{kind:?}, {name}: {}", chain(&error)));
                assert_eq!(reply.attempts(), 1, "{kind:?}, {name}");
            }
            assert!(
                server
                    .requests()
                    .iter()
                    .all(|request| request.header("cookie").is_none()),
                "{name}"
            );
        }
    }
}

#[test]
fn a_write_without_a_body_says_so() {
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        let client = kind.client(server.url());
        made!(client, torii => torii.users().ban(USER)).unwrap();
        let request = &server.requests()[0];
        assert_eq!(request.header("content-length"), Some("0"), "{kind:?}");
        assert_eq!(request.header("transfer-encoding"), None, "{kind:?}");
    }
}

#[test]
fn the_service_is_asked_again_when_it_says_when() {
    with_both(|kind| {
        // "0" and what cannot be read wait no longer than a backoff; a date that has passed is "0".
        for said in ["0", "abc", "-5", "1e999", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            let server = Faultd::start(found());
            server.play([Reply::new(429).header("retry-after", said).into(), found().into()]);
            let client = kind.client(server.url());
            let reply = made!(client, torii => torii.users().create(&somebody())).unwrap();
            assert_eq!((reply.attempts(), server.count()), (2, 2), "{kind:?}, {said}");
        }
    });
}

#[test]
fn a_page_is_repeated_and_never_the_walk() {
    let page = |id: &str, cursor: Option<&str>| {
        let user: serde_json::Value = serde_json::from_slice(&user()).unwrap();
        let mut user = user;
        user["id"] = id.into();
        Reply::json(
            serde_json::json!({"items": [user], "hasMore": cursor.is_some(), "nextCursor": cursor})
                .to_string(),
        )
    };
    let (first, second) = (USER, "01931a73-8b00-7000-8000-000000000001");
    let server = Faultd::start(found());
    server.play([
        page(first, Some("c1")).into(),
        lost(),
        Reply::new(500).into(),
        page(second, None).into(),
    ]);
    let super::Client::Blocking(torii) = Kind::Blocking.client(server.url()) else {
        unreachable!()
    };
    let users = torii.users().list(&UserFilter::default()).items();
    let ids: Vec<_> = users.map(|user| user.unwrap().id.to_string()).collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(server.count(), 4);
}

#[test]
fn what_a_server_says_cannot_steer_a_terminal_and_shows_no_secret() {
    let problem = format!(
        r#"{{"title": "\u001b[2J", "detail": "\u001b]0;title\u0007\r\nFAKE LOG Bearer {SECRET_KEY}", "code": "a\nb",
            "supportId": "\u001b[31m", "headers": {{"authorization": "Bearer {SECRET_KEY}"}}}}"#
    );
    for kind in Kind::BOTH {
        for status in [200, 400, 500] {
            let server = Faultd::start(Reply::new(status).body(problem.clone()));
            let client = kind.client(server.url());
            for error in [
                made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err(),
                made!(client, torii => torii.users().create(&somebody())).unwrap_err(),
            ] {
                let told = format!("{error}\n{}\n{error:?}", chain(&error));
                assert!(
                    !told.replace('\n', "").contains(char::is_control),
                    "{kind:?}: {told:?}"
                );
                assert!(!told.contains("S3cret"), "{kind:?}: {told}");
                if let Some(refusal) = error.as_api() {
                    assert!(refusal.body().contains("Bearer ***") && !refusal.body().contains("S3cret"));
                    assert_eq!(refusal.code(), Some("a\nb"), "as it was sent");
                    assert_eq!(error.to_string().lines().count(), 1);
                }
                if let Error::Decode(error) = error {
                    assert!(!error.excerpt().contains("S3cret"), "{}", error.excerpt());
                }
            }
        }
    }
}

#[test]
fn a_reply_that_echoes_the_secret_where_a_type_is_expected_does_not_leak_it() {
    for kind in Kind::BOTH {
        let mut user: serde_json::Value = serde_json::from_slice(&user()).unwrap();
        user["publicMetadata"] = SECRET_KEY.into();
        let server = Faultd::start(Reply::json(user.to_string()));
        let client = kind.client(server.url());
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        let told = format!("{} {error:?}", chain(&error));
        assert!(!told.contains("S3cret"), "{kind:?}: {told}");
        let Error::Decode(error) = error else {
            panic!("{kind:?}: {told}")
        };
        assert!(!error.excerpt().contains("S3cret") && error.excerpt().contains("***"));
    }
}

#[test]
fn an_answer_before_the_whole_request_is_read_is_an_answer() {
    for kind in Kind::BOTH {
        let refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        let server = Faultd::start(
            Script::new([
                Step::Send(refusal),
                Step::Pause(std::time::Duration::from_millis(200)),
                Step::Close,
            ])
            .unread(),
        );
        let client = kind.client(server.url());
        match made!(client, torii => torii.users().delete(USER)) {
            Err(Error::Api(error)) => assert_eq!(error.status(), 413, "{kind:?}"),
            // The reply was there before the request: not one to it.
            Err(Error::Transport(_) | Error::OutcomeUnknown(_)) => {}
            outcome => panic!("{kind:?}: {outcome:?}"),
        }
    }
}

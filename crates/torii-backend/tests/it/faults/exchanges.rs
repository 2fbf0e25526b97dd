//! One exchange that goes wrong: what is said to have been sent, and what is not.

use std::net::TcpListener;
use std::time::Duration;

use torii_backend::Error;
use torii_backend::http_client::HttpErrorKind::{self, Broken, Connect, Timeout, TooLarge};

use super::{Kind, PROMPT, USER, found, is_transport, lost, made, somebody, timed, with_both};
use crate::support::blackhole::BlackHole;
use crate::support::faultd::{Faultd, Reply, Script, Step};

/// Long enough for ten mebibytes on a busy machine.
const AMPLE: Duration = Duration::from_secs(5);

/// Gets a user once, creates another, and holds the errors against what they should be.
fn fails_with(name: &str, script: impl Into<Script>, expected: HttpErrorKind, attempt: Duration) {
    let script = script.into();
    let check = |kind: Kind| {
        let server = Faultd::start(script.clone());
        let client = kind.client_with(server.url(), |b| b.attempt_timeout(attempt));
        let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER).without_retries()));
        let error = outcome.unwrap_err();
        assert!(is_transport(&error, expected), "{kind:?}, {name}: {error:?}");
        assert!(took < PROMPT, "{kind:?}, {name}: {took:?}");
        assert!(
            matches!(&error, Error::Transport(error) if error.may_have_been_sent()),
            "{kind:?}, {name}"
        );

        let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
        let Error::OutcomeUnknown(doubt) = &error else {
            panic!("{kind:?}, {name}: {error:?}");
        };
        assert_eq!(doubt.attempts(), 1, "{kind:?}, {name}");
        assert_eq!(server.count(), 2, "{kind:?}, {name}");
    };
    with_both(check);
}

#[test]
fn a_refused_connection_was_not_sent() {
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        let client = kind.client(server.url());
        server.down();
        let (outcome, took) = timed(|| made!(client, torii => torii.users().create(&somebody())));
        let error = outcome.unwrap_err();
        assert!(is_transport(&error, Connect), "{kind:?}: {error:?}");
        let Error::Transport(error) = error else {
            unreachable!()
        };
        assert!(
            !error.may_have_been_sent() && error.attempts() == 2,
            "{kind:?}: {error:?}"
        );
        assert!(took < PROMPT, "{kind:?}: {took:?}");
    }
}

#[test]
fn a_connection_that_is_never_made_was_not_sent() {
    let hole = BlackHole::open();
    std::thread::scope(|scope| {
        for kind in Kind::BOTH {
            let client = kind.client_with(hole.url(), |b| b.connect_timeout(Duration::from_millis(300)));
            scope.spawn(move || {
                let (outcome, took) = timed(|| made!(client, torii => torii.users().create(&somebody())));
                let error = outcome.unwrap_err();
                assert!(is_transport(&error, Connect), "{kind:?}: {error:?}");
                assert!(
                    took >= Duration::from_millis(600) && took < PROMPT,
                    "{kind:?}: {took:?}"
                );
            });
        }
    });
}

#[test]
fn an_unknown_host_was_not_sent() {
    for kind in Kind::BOTH {
        let client = kind.client("https://host.invalid");
        let error = made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
        assert!(is_transport(&error, Connect), "{kind:?}: {error:?}");
    }
}

#[test]
fn a_server_that_speaks_no_tls_was_sent_nothing() {
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        for script in [
            Script::raw("HTTP/1.1 400 Bad Request\r\n\r\n").unread(),
            Script::new([Step::Close]).unread(),
            Script::new([Step::Reset]).unread(),
        ] {
            server.set(script);
            let client = kind.client(server.url().replace("http:", "https:"));
            let error = made!(client, torii => torii.users().create(&somebody())).unwrap_err();
            assert!(is_transport(&error, Connect), "{kind:?}: {error:?}");
        }
    }
}

#[test]
fn a_tls_handshake_that_hangs_was_sent_nothing() {
    std::thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("https://{}", listener.local_addr().unwrap());
                let client = kind.client_with(url, |b| b.connect_timeout(Duration::from_millis(300)));
                let (outcome, took) = timed(|| made!(client, torii => torii.users().create(&somebody())));
                assert!(is_transport(&outcome.unwrap_err(), Connect), "{kind:?}");
                assert!(took < PROMPT, "{kind:?}: {took:?}");
            });
        }
    });
}

#[test]
fn whatever_breaks_after_the_request_may_have_been_sent() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let then = |first: &str, last| Script::new([Step::Send(first.into()), last]);
    for (name, script) in [
        ("reset before the reply", lost()),
        ("closed before the reply", Script::new([Step::Close])),
        ("closed in the status line", Script::raw("HTTP/1.1 20")),
        (
            "closed in the headers",
            Script::raw("HTTP/1.1 200 OK\r\ncontent-"),
        ),
        ("reset after the headers", then(head, Step::Reset)),
        ("closed after the headers", then(head, Step::Close)),
        (
            "closed in the body",
            then(&format!("{head}{{\"id\":"), Step::Close),
        ),
        (
            "closed in a chunk",
            then(&format!("{chunked}50\r\n{{\"id\":"), Step::Close),
        ),
        (
            "closed between chunks",
            then(&format!("{chunked}2\r\n{{}}\r\n"), Step::Close),
        ),
        (
            "reset between chunks",
            then(&format!("{chunked}2\r\n{{}}\r\n"), Step::Reset),
        ),
        ("a chunk of no size", Script::raw(format!("{chunked}x\r\n"))),
        ("no HTTP", Script::raw("SSH-2.0-OpenSSH_9.9\r\n")),
        (
            "two lengths",
            Script::raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        ),
        (
            "headers without end",
            then(
                "HTTP/1.1 200 OK\r\n",
                Step::Endless(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".to_vec()),
            ),
        ),
        (
            "one header without end",
            then(
                "HTTP/1.1 200 OK\r\nx: ",
                Step::Endless(b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy".to_vec()),
            ),
        ),
    ] {
        fails_with(name, script, Broken, AMPLE);
    }
}

#[test]
fn a_reply_without_end_is_cut_at_ten_mebibytes() {
    let endless = |head: &str| Script::new([Step::Send(head.into()), Step::Endless(vec![b' '; 64 * 1024])]);
    let claimed = "HTTP/1.1 200 OK\r\ncontent-length: 10485761\r\n\r\n";
    fails_with(
        "a large claim",
        Script::new([Step::Send(claimed.into()), Step::Close]),
        TooLarge,
        AMPLE,
    );
    fails_with("no length", endless("HTTP/1.1 200 OK\r\n\r\n"), TooLarge, AMPLE);
    let chunk = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        16 * 1024 * 1024
    );
    fails_with("one chunk", endless(&chunk), TooLarge, AMPLE);
}

#[test]
fn a_slow_reply_ends_with_the_attempts_time() {
    let pause = Duration::from_millis(10);
    let drip = |head: &str, dripped: &str| {
        Script::new([
            Step::Send(head.into()),
            Step::Drip(dripped.repeat(200).into(), pause),
        ])
    };
    let length = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (name, script) in [
        ("never answers", Script::hang()),
        ("drips headers", drip("HTTP/1.1 200 OK\r\n", "x: y\r\n")),
        ("drips one header", drip("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyy")),
        ("drips a body", drip(length, "          ")),
        ("drips chunks", drip(chunked, "1\r\n \r\n")),
        (
            "hangs after the headers",
            Script::new([Step::Send(length.into()), Step::Pause(4 * PROMPT), Step::Close]),
        ),
    ] {
        fails_with(name, script, Timeout, Duration::from_millis(600));
    }
}

#[test]
fn a_lie_about_the_length_is_no_reply() {
    // Shorter than sent: what is left over belongs to nobody, and the connection is not used again.
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        let user = super::user();
        let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", user.len()).into_bytes();
        bytes.extend(&user);
        bytes.extend(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        server.play([Script::new([Step::Send(bytes)]), Reply::new(404).into()]);
        let client = kind.client(server.url());
        made!(client, torii => torii.users().get(USER)).unwrap();
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        assert_eq!(error.status().unwrap(), 404, "{kind:?}: {error}");
    }
}

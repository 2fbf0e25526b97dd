//! How long a call may take, and who has the last word about it.

use std::time::{Duration, Instant};

use torii_backend::Error;
use torii_backend::http_client::HttpErrorKind;

use super::{Kind, PROMPT, USER, found, is_transport, lost, made, timed, with_both};
use crate::support::blackhole::BlackHole;
use crate::support::faultd::{Faultd, Reply, Script, Step};

const SECOND: Duration = Duration::from_secs(1);

/// D31: one kibibyte a second arrives often enough for every limit on a single read.
#[test]
fn a_throttled_reply_ends_with_the_attempt() {
    with_both(|kind| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n".to_vec();
        let throttled = Step::Drip(vec![b' '; 65536], Duration::from_micros(900));
        let server = Faultd::start(Script::new([Step::Send(head), throttled]));
        let client = kind.client_with(server.url(), |b| b.attempt_timeout(SECOND));
        let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER).without_retries()));
        println!(
            "D31 {kind:?}: 1 KiB/s under an attempt limit of 1 s: ended after {:.2} s",
            took.as_secs_f64()
        );
        assert!(
            is_transport(&outcome.unwrap_err(), HttpErrorKind::Timeout),
            "{kind:?}"
        );
        assert!(took >= SECOND && took < PROMPT, "{kind:?}: {took:?}");
    });
}

#[test]
fn one_call_can_have_limits_of_its_own() {
    with_both(|kind| {
        let server = Faultd::start(Script::hang());
        let client = kind.client(server.url());
        let short = Duration::from_millis(200);
        let (outcome, took) = timed(
            || made!(client, torii => torii.users().get(USER).attempt_timeout(short).without_retries()),
        );
        assert!(
            is_transport(&outcome.unwrap_err(), HttpErrorKind::Timeout),
            "{kind:?}"
        );
        assert!(took >= short && took < PROMPT, "{kind:?}: {took:?}");

        let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER).timeout(short)));
        assert!(
            is_transport(&outcome.unwrap_err(), HttpErrorKind::Timeout),
            "{kind:?}"
        );
        assert!(took >= short && took < PROMPT, "{kind:?}: {took:?}");

        // Longer than the client's, too.
        server.set(Script::from(found()).after(2 * short));
        let client = kind.client_with(server.url(), |b| b.attempt_timeout(short));
        made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
        made!(client, torii => torii.users().get(USER).attempt_timeout(PROMPT)).unwrap();
    });
}

#[test]
fn the_limit_of_a_call_holds_over_its_retries_and_waits() {
    with_both(|kind| {
        let server = Faultd::start(Script::hang());
        let client = kind.client_with(server.url(), |b| {
            b.attempt_timeout(Duration::from_millis(400)).call_timeout(SECOND)
        });
        let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER)));
        let error = outcome.unwrap_err();
        assert!(
            is_transport(&error, HttpErrorKind::Timeout),
            "{kind:?}: {error:?}"
        );
        assert!(
            took <= PROMPT && (2..=3).contains(&server.count()),
            "{kind:?}: {took:?}"
        );

        // A wait that would not end in time is not begun.
        server.set(Reply::new(429).header("retry-after", 2));
        let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER)));
        let error = outcome.unwrap_err();
        let refusal = error.as_api().unwrap();
        assert_eq!(
            (refusal.attempts(), refusal.retry_after()),
            (1, Some(2 * SECOND)),
            "{kind:?}"
        );
        assert!(took < SECOND, "{kind:?}: {took:?}");
    });
}

#[test]
fn a_retry_after_beyond_reason_is_reported_and_not_slept() {
    with_both(|kind| {
        for (said, reported) in [("31", 31), ("99999", 99999)] {
            let server = Faultd::start(Reply::new(429).header("retry-after", said));
            let client = kind.client(server.url());
            let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER)));
            let error = outcome.unwrap_err();
            assert_eq!(
                error.as_api().unwrap().retry_after(),
                Some(Duration::from_secs(reported)),
                "{kind:?}"
            );
            assert!(took < PROMPT && server.count() == 1, "{kind:?}: {took:?}");
        }
    });
}

#[test]
fn without_retries_there_is_one_request() {
    with_both(|kind| {
        for script in [
            lost(),
            Reply::new(429).into(),
            Reply::new(500).into(),
            Reply::json("<html>").into(),
        ] {
            let server = Faultd::start(script);
            let client = kind.client(server.url());
            made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
            assert_eq!(server.count(), 1, "{kind:?}");
        }
    });
}

#[test]
fn a_short_attempt_over_a_black_hole_is_never_called_delivered_in_vain() {
    let hole = BlackHole::open();
    with_both(|kind| {
        let client = kind.client_with(hole.url(), |b| b.attempt_timeout(Duration::from_millis(200)));
        let error = made!(client, torii => torii.users().get(USER).without_retries()).unwrap_err();
        let Error::Transport(error) = error else {
            panic!("{kind:?}: {error:?}")
        };
        // Only that time ran out is known.
        assert_eq!(error.kind(), HttpErrorKind::Timeout, "{kind:?}");
    });
}

/// A call that is dropped takes its connection with it: the next one does not get its reply.
#[test]
fn a_call_that_is_dropped_leaves_no_reply_behind() {
    let server = Faultd::start(found());
    let late = Reply::json("{\"late\": true}");
    server.play([
        Script::from(late).after(Duration::from_millis(100)),
        found().into(),
    ]);
    let client = Kind::Async.client(server.url());
    let super::Client::Async(torii) = &client else {
        unreachable!()
    };
    super::RUNTIME.block_on(async {
        let call = tokio::time::timeout(Duration::from_millis(50), torii.users().get(USER).into_future());
        assert!(call.await.is_err());
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(torii.users().get(USER).await.unwrap().id.to_string(), USER);
        }
        assert!(started.elapsed() < PROMPT);
    });
    assert_eq!(server.count(), 21);
}

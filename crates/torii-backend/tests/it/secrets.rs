//! Where secrets must not be: in logs at their most talkative, and in anything that can be printed.
#![allow(clippy::print_stdout, reason = "figures are there to be read")]

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use torii_backend::{Torii, Verifier};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::faults::tls::{trusted, trusting};
use crate::faults::{Client, Kind, SECRET_KEY, USER, found, made, somebody, with_both};
use crate::support::faultd::{Faultd, Reply, Script, Step};
use crate::support::log::Log;
use crate::support::tokens::{Key, jwks};

/// No secret may show even a part of this length.
const FRAGMENT: usize = 6;

#[test]
fn the_logs_of_every_library_below_hold_no_secret() {
    trusting(
        "secrets::the_logs_of_every_library_below_hold_no_secret",
        log_everything,
    );
}

/// In a child, because it installs a subscriber for the whole process.
fn log_everything() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();

    let calls = call_everything();
    let tokens = verify_everything();
    let text = log.text();

    println!(
        "figure: A.9 {calls} calls and {} verifications, {} lines of log",
        tokens.len(),
        text.lines().count()
    );
    assert!(calls >= 50);
    for library in ["torii_backend", "hyper_util", "h2", "rustls", "reqwest"] {
        assert!(
            text.contains(&format!(" {library}::")),
            "the log of {library} is missing"
        );
    }
    let key = SECRET_KEY.strip_prefix("sk_test_").unwrap();
    for (name, secret) in
        std::iter::once(("key", key)).chain(tokens.iter().map(|token| ("token", token.as_str())))
    {
        for part in secret.as_bytes().windows(FRAGMENT).step_by(FRAGMENT) {
            let part = str::from_utf8(part).unwrap();
            // The head of a token is the same for all, and no secret; so is what the body of a key may share with words.
            assert!(
                secret.len() >= 64 || !text.contains(part),
                "a part of a {name} is in the log: {part}"
            );
        }
        assert!(!text.contains(secret), "a {name} is in the log");
    }
    let spans = text
        .lines()
        .filter_map(|line| Some(line.split_once("torii call{")?.1.split_once("}:")?.0));
    for span in spans {
        assert!(!span.contains(USER), "an id is in a span: {span}");
    }
    for (operation, method, path) in [
        ("users.get", "GET", "/users/{userId}"),
        ("users.create", "POST", "/users"),
        ("users.delete", "DELETE", "/users/{userId}"),
    ] {
        let span = format!("torii call{{operation=\"{operation}\" method={method} path=\"{path}\"}}");
        assert!(text.contains(&span), "no span {span}");
    }
    assert!(text.contains("WARN") && text.contains("gave up"));
}

/// Successes, refusals, retries and failures, with both clients. Says how many calls.
fn call_everything() -> usize {
    let (secure, calls) = (trusted(), AtomicUsize::new(0));
    with_both(|kind| {
        let server = Faultd::start(found());
        let client = kind.client(server.url());
        let echo = format!(r#"{{"detail": "Bearer {SECRET_KEY}"}}"#);
        for script in [
            found().into(),
            Reply::new(400).body(echo.clone()).into(),
            Reply::new(401).body("no").into(),
            Reply::new(500).body(echo).into(),
            Reply::new(429).header("retry-after", 0).into(),
            Reply::new(302).header("location", "/elsewhere").into(),
            Reply::json("<html>").into(),
            Script::new([Step::Reset]),
        ] {
            server.set(script);
            drop(made!(client, torii => torii.users().get(USER)));
            drop(made!(client, torii => torii.users().create(&somebody())));
            drop(made!(client, torii => torii.users().delete(USER)));
            calls.fetch_add(3, Ordering::Relaxed);
        }
        server.down();
        drop(made!(client, torii => torii.users().get(USER)));
        let client = kind.client(secure.url());
        for _ in 0..3 {
            made!(client, torii => torii.users().get(USER)).unwrap();
        }
        calls.fetch_add(4, Ordering::Relaxed);
    });
    calls.into_inner()
}

/// Accepts and refuses tokens. Gives those that were shown.
fn verify_everything() -> Vec<String> {
    let (key, stranger) = (Key::new("first"), Key::new("second"));
    let issuer = Faultd::start(Reply::json(jwks(&[&key])));
    let verifier = Verifier::builder(issuer.url()).build().unwrap();
    let claims = |issuer: &str, exp: u64| json!({"iss": issuer, "sub": USER, "pid": "e", "iat": 1_700_000_000, "exp": exp});
    let good = claims(&issuer.url(), 4_000_000_000);
    let tokens = vec![
        key.sign(&good),
        stranger.sign(&good),
        key.sign(&claims(&issuer.url(), 1_700_000_001)),
        key.sign(&claims("https://elsewhere.test", 4_000_000_000)),
        key.sign_as(&json!({"alg": "none", "kid": "first"}), &good),
    ];
    let accepted = tokens
        .iter()
        .filter(|token| verifier.verify_blocking(token).is_ok());
    assert_eq!(accepted.count(), 1);
    tokens
}

#[test]
fn nothing_that_can_be_printed_holds_a_secret() {
    let key = Key::new("first");
    let server = Faultd::start(Reply::json(jwks(&[&key])));
    let verifier = Verifier::builder(server.url()).build().unwrap();
    let claims =
        json!({"iss": server.url(), "sub": USER, "pid": "e", "iat": 1_700_000_000, "exp": 4_000_000_000_u64});
    let token = key.sign(&claims);
    let auth = verifier.verify_blocking(&token).unwrap();
    let refused = verifier.verify_blocking(&format!("{token}x")).unwrap_err();
    let mut told = format!("{verifier:?} {auth:?} {refused} {refused:?}");

    let builder = Torii::builder(SECRET_KEY).api_url(server.url());
    told += &format!("{builder:?}");
    for kind in Kind::BOTH {
        let client = kind.client(server.url());
        told += &format!("{client:?}");
        server.set(Reply::new(403).body(format!(r#"{{"title": "authorization: Bearer {SECRET_KEY}"}}"#)));
        let error = made!(client, torii => torii.users().get(USER)).unwrap_err();
        told += &format!("{error} {error:?} {}", error.as_api().unwrap().body());
        let call = match &client {
            Client::Async(torii) => format!("{:?}", torii.users().create(&somebody())),
            Client::Blocking(torii) => format!("{:?}", torii.users().create(&somebody())),
        };
        told += &call;
    }
    for wrong in [
        "pk_test_5up3rS3cret",
        "sk_test_5up3rS3cret\n",
        " sk_test_5up3rS3cret",
        "sk_test_5up3rS3crété",
    ] {
        let error = Torii::new(wrong).unwrap_err();
        told += &format!("{error} {error:?} {:?}", Torii::builder(wrong));
    }
    assert!(!told.contains("S3cret"), "{told}");
    assert!(told.contains("sk_test_***"), "{told}");
    assert!(!told.contains(token.rsplit('.').next().unwrap()), "{told}");
}

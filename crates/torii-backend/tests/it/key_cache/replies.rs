//! What the endpoint may answer, and what is not taken from it.

use std::time::Duration;

use serde_json::{Value, json};
use torii_backend::{ErrorCode, Verifier, VerifyError};

use super::{Issuer, TTL, chain, code, eventually_failed, timed};
use crate::support::faultd::{Faultd, Reply, Script, Step};
use crate::support::tokens::{Key, jwks};

/// Far less than an attempt may take: who answers this soon did not read on.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// A caller without keys, and what it meets at an endpoint in trouble.
pub(crate) struct Cold {
    pub(crate) issuer: Issuer,
    pub(crate) verifier: Verifier,
    pub(crate) error: VerifyError,
    pub(crate) took: Duration,
}

impl Cold {
    pub(crate) fn when(in_trouble: impl FnOnce(&Faultd)) -> Self {
        let issuer = Issuer::new();
        in_trouble(&issuer.endpoint);
        let verifier = issuer.verifier();
        let (outcome, took) = timed(|| verifier.verify_blocking(&issuer.token()));
        Self {
            error: outcome.unwrap_err(),
            issuer,
            verifier,
            took,
        }
    }

    pub(crate) fn meeting(script: impl Into<Script>) -> Self {
        Self::when(|endpoint| endpoint.set(script))
    }

    pub(crate) fn is_told_to_try_again(&self) -> bool {
        self.error.code() == ErrorCode::JwksUnavailable
    }
}

/// Callers whose key is at hand, and what they meet when it is to be refreshed at an endpoint in trouble.
pub(crate) struct Warm {
    pub(crate) issuer: Issuer,
    pub(crate) verifier: Verifier,
    /// While the fetch is under way, and after it has failed.
    pub(crate) codes: Vec<String>,
    pub(crate) longest: Duration,
}

impl Warm {
    pub(crate) fn when(in_trouble: impl FnOnce(&Faultd)) -> Self {
        const CALLS: usize = 10;
        let issuer = Issuer::new();
        let (verifier, token) = (issuer.warm_verifier(), issuer.token());
        in_trouble(&issuer.endpoint);
        issuer.clock.advance(TTL);
        let verify = |_| timed(|| code(verifier.verify_blocking(&token)));
        let mut answers: Vec<_> = (0..CALLS).map(verify).collect();
        eventually_failed(&verifier, 1);
        answers.extend((0..CALLS).map(verify));
        let longest = answers.iter().map(|(_, took)| *took).max().unwrap();
        Self {
            issuer,
            codes: answers.into_iter().map(|(code, _)| code).collect(),
            longest,
            verifier,
        }
    }

    pub(crate) fn meeting(script: impl Into<Script>) -> Self {
        Self::when(|endpoint| endpoint.set(script))
    }

    pub(crate) fn is_served(&self) -> bool {
        self.codes.iter().all(|code| code == "ok")
    }
}

/// Neither serves a cold caller nor replaces keys at hand, and says why.
fn is_refused(name: &str, script: impl Into<Script>, requests: usize, why: &str) {
    let script = script.into();
    let cold = Cold::meeting(script.clone());
    assert!(cold.is_told_to_try_again(), "{name}: {}", cold.error);
    assert!(chain(&cold.error).contains(why), "{name}: {}", chain(&cold.error));
    assert!(cold.took < SOON, "{name}: {:?}", cold.took);
    assert_eq!(cold.issuer.requests(), requests, "{name}");

    let warm = Warm::meeting(script);
    assert!(warm.is_served(), "{name}: {:?}", warm.codes);
    assert!(
        chain(&warm.verifier.status().last_error.unwrap()).contains(why),
        "{name}"
    );
}

/// The names of the keys that are taken from such a reply, and the requests it took.
pub(crate) fn taken(script: impl Into<Script>) -> (Vec<String>, usize) {
    let issuer = Issuer::new();
    issuer.endpoint.set(script);
    let verifier = issuer.verifier();
    let outcome = verifier.warm_up_blocking();
    let kids = outcome.map_or_else(|error| vec![error.to_string()], |()| verifier.status().kids);
    (kids, issuer.requests())
}

fn is_taken(name: &str, script: impl Into<Script>) {
    let (kids, requests) = taken(script);
    assert!(kids.contains(&"any".to_owned()), "{name}: {kids:?}");
    assert_eq!(requests, 1, "{name}");
}

pub(crate) fn good() -> String {
    jwks(&[&Key::new("any")])
}

#[test]
fn a_status_without_a_key_set_is_not_tried_again() {
    for status in [204, 206, 304, 400, 401, 403, 404, 410, 429, 501] {
        let reply = Reply::new(status).body(if matches!(status, 204 | 304) {
            String::new()
        } else {
            good()
        });
        is_refused(&status.to_string(), reply, 1, &format!("answered {status}"));
    }
}

#[test]
fn a_server_error_is_tried_once_more() {
    for status in [500, 502, 503, 504] {
        is_refused(
            &status.to_string(),
            Reply::new(status).body(good()),
            2,
            &format!("answered {status}"),
        );
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let target = Faultd::start(Reply::json(good()));
    for (status, location, reply) in redirects(&target) {
        is_refused(&location, reply, 1, &format!("answered {status}"));
    }
    assert_eq!(target.count(), 0);
}

/// Redirects to the target and elsewhere: their status, where they lead to, and the reply.
pub(crate) fn redirects(target: &Faultd) -> Vec<(u16, String, Reply)> {
    let targets = [
        &format!("{}/keys", target.url()),
        "/",
        "//localhost/",
        "file:///etc/passwd",
        "https://keys.example/",
    ];
    let redirect = |status, location: &str| {
        let reply = Reply::new(status).header("location", location).body(good());
        (status, location.to_owned(), reply)
    };
    [301, 302, 303, 307, 308]
        .into_iter()
        .flat_map(|status| targets.map(|location| redirect(status, location)))
        .collect()
}

#[test]
fn an_encoded_reply_is_refused() {
    for encoding in ["gzip", "br", "identity, gzip", "x"] {
        is_refused(
            encoding,
            Reply::json(good()).header("content-encoding", encoding),
            1,
            "encoded",
        );
    }
}

#[test]
fn a_large_reply_is_refused() {
    let oversize = format!("{}{}", good(), " ".repeat(64 * 1024));
    is_refused("just too large", Reply::json(oversize), 1, "larger than 65536");
    is_refused(
        "65,537 bytes announced",
        announced(65_537),
        1,
        "larger than 65536",
    );
    // Refused as soon as it is too large: there is no more to come for now.
    let chunks = format!("1000\r\n{}\r\n", " ".repeat(0x1000)).repeat(17);
    let chunks = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    let chunks = Script::new([Step::Send(chunks.into()), Step::Pause(SOON * 2)]);
    is_refused("68 KiB of more", chunks, 1, "larger than 65536");
    is_refused("endless chunks", endless_chunks(), 1, "larger than 65536");
    let endless = Script::new([
        Step::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Step::Endless(vec![b' '; 4096]),
    ]);
    is_refused("endless until closed", endless, 1, "larger than 65536");
}

/// No byte of what is announced ever comes.
pub(crate) fn announced(length: usize) -> Script {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    Script::new([Step::Send(head.into()), Step::Pause(SOON * 2)])
}

pub(crate) fn endless_chunks() -> Script {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    Script::new([Step::Send(head.into()), Step::Endless(chunk.into())])
}

#[test]
fn excessive_headers_are_refused() {
    for (name, script) in excessive_headers() {
        is_refused(name, script, 2, "the key endpoint could not be reached");
    }
}

pub(crate) fn excessive_headers() -> [(&'static str, Script); 3] {
    let many = (0..10_000).fold(Reply::json(good()), |reply, n| reply.header(&format!("x-{n}"), n));
    let long = Reply::json(good()).header("x-long", "x".repeat(100 * 1024));
    let endless = Script::new([
        Step::Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
        Step::Endless(vec![b'x'; 4096]),
    ]);
    [
        ("10,000 headers", many.into()),
        ("a header of 100 KiB", long.into()),
        ("an endless header", endless),
    ]
}

#[test]
fn what_is_not_a_key_set_is_refused() {
    let keys = |keys: Value| json!({ "keys": keys }).to_string();
    let with = |name: &str, value: Value| {
        let mut jwk = Key::new("any").jwk();
        jwk[name] = value;
        keys(json!([jwk]))
    };
    let many: Vec<_> = (0..101)
        .map(|n| json!({"kty": "EC", "kid": n.to_string()}))
        .collect();
    for (name, body, why) in [
        ("nothing", String::new(), "not a key set"),
        (
            "a login page",
            "<html><title>Log in</title></html>".to_owned(),
            "not a key set",
        ),
        ("half a document", good()[..80].to_owned(), "not a key set"),
        (
            "another document",
            json!({"issuer": "x"}).to_string(),
            "not a key set",
        ),
        ("null", "null".to_owned(), "not a key set"),
        ("keys by name", keys(json!({"any": {}})), "not a key set"),
        ("101 keys", keys(json!(many)), "not a key set"),
        ("no keys", keys(json!([])), "no usable"),
        ("another curve", with("crv", json!("P-384")), "no usable"),
        ("another use", with("use", json!("enc")), "no usable"),
        ("a private key", with("d", json!("AA")), "no usable"),
        (
            "a point off the curve",
            with("x", json!("A".repeat(43))),
            "no usable",
        ),
        ("strings for keys", keys(json!(["any"])), "no usable"),
    ] {
        is_refused(name, Reply::json(body), 1, why);
    }
}

/// Ways of breaking off that a second attempt may not meet again.
pub(crate) fn broken() -> Vec<(&'static str, Script)> {
    let length = good().len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{}",
        good()
    );
    let lie = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}",
        length + 100,
        good()
    );
    vec![
        ("closed without a word", Script::new([Step::Close])),
        ("reset without a word", Script::new([Step::Reset])),
        ("closed in the head", Script::raw("HTTP/1.1 200 OK\r\ncontent-")),
        (
            "reset after the head",
            Script::new([Step::Send(head.clone().into()), Step::Reset]),
        ),
        ("closed after the head", Script::raw(head.clone())),
        ("closed in the body", Script::raw(head + &good()[..50])),
        ("shorter than announced", Script::raw(lie)),
        (
            "cut in a chunk",
            Script::raw(chunked[..chunked.len() - 50].to_owned()),
        ),
        ("no last chunk", Script::raw(chunked + "\r\n")),
        ("not HTTP", Script::raw("SSH-2.0-OpenSSH_9.9\r\n")),
        ("a server error", Reply::new(502).into()),
    ]
}

#[test]
fn a_broken_reply_is_refused_after_a_second_attempt() {
    for (name, script) in broken() {
        is_refused(name, script, 2, "the key endpoint");
    }
}

#[test]
fn a_second_attempt_makes_up_for_a_broken_one() {
    for (name, script) in broken() {
        let issuer = Issuer::new();
        issuer
            .endpoint
            .play([script, super::key_set(&[&issuer.key]).into()]);
        let verifier = issuer.verifier();
        assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok", "{name}");
        assert_eq!(issuer.requests(), 2, "{name}");
        assert_eq!(verifier.status().fetches_failed, 0, "{name}");
    }
    // Broken off before the request could be read.
    let issuer = Issuer::new();
    issuer.endpoint.play([
        Script::new([Step::Reset]).unread(),
        super::key_set(&[&issuer.key]).into(),
    ]);
    assert_eq!(code(issuer.verifier().verify_blocking(&issuer.token())), "ok");
    assert_eq!(issuer.requests(), 1);
}

#[test]
fn unusual_but_proper_replies_are_taken() {
    for (name, script) in unusual() {
        is_taken(name, script);
    }
}

pub(crate) const NO_CONTENT_TYPE: &str = "no content type";
pub(crate) const OTHER_CONTENT_TYPE: &str = "another content type";
pub(crate) const HTTP_1_0: &str = "HTTP/1.0";
pub(crate) const UNTIL_CLOSED: &str = "until closed";
pub(crate) const INTERIM: &str = "interim replies first";

pub(crate) fn unusual() -> [(&'static str, Script); 8] {
    let (good, length) = (good(), good().len());
    let plain = || Reply::new(200).body(good.clone());
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(2);
    let interim = format!(
        "HTTP/1.1 100 Continue\r\n\r\n{hints}HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{good}"
    );
    let (one, two) = good.split_at(40);
    let rest = two.len();
    let chunks = format!("28;x=y\r\n{one}\r\n{rest:x}\r\n{two}\r\n0\r\nx-trailer: 1\r\n\r\n");
    let chunks = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    let head = Step::Send(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into());
    let drip = Step::Drip(good.clone().into(), Duration::from_millis(1));
    [
        (NO_CONTENT_TYPE, plain().into()),
        (
            OTHER_CONTENT_TYPE,
            plain().header("content-type", "text/html").into(),
        ),
        (
            "identity encoding",
            plain().header("content-encoding", "Identity").into(),
        ),
        (HTTP_1_0, Script::raw(format!("HTTP/1.0 200 OK\r\n\r\n{good}"))),
        (
            UNTIL_CLOSED,
            Script::raw(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{good}")),
        ),
        (INTERIM, Script::raw(interim)),
        ("chunks", Script::raw(chunks)),
        ("byte by byte", Script::new([head, drip])),
    ]
}

#[test]
fn keys_that_cannot_be_used_do_not_spoil_the_set() {
    let any = Key::new("any").jwk();
    let odd = json!([7, "x", {}, {"kty": "RSA", "kid": "r", "n": "x", "e": "AQAB"}, {"kid": 1}, any]);
    let document = json!({"keys": odd, "extra": {"deep": [1]}});
    is_taken("odd neighbours", Reply::json(document.to_string()));
    let filled = format!("{document}{}", " ".repeat(64 * 1024 - document.to_string().len()));
    is_taken("as large as allowed", Reply::json(filled));
}

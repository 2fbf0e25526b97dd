//! A.4 and D12, D13: what the endpoint answers, or does not.

use std::error::Error;
use std::thread;
use std::time::Duration;

use serde_json::json;
use torii_backend::Verifier;
use torii_backend::clock::ManualClock;

use super::met::Met;
use super::{Figure, Measured, alone, millis, shown};
use crate::key_cache::cold::endless;
use crate::key_cache::refresh::{FRESHNESS, renewed_twice, ttl_after, with_chance};
use crate::key_cache::replies::{
    Cold, HTTP_1_0, INTERIM, NO_CONTENT_TYPE, OTHER_CONTENT_TYPE, UNTIL_CLOSED, Warm, announced, broken,
    endless_chunks, excessive_headers, good, redirects, taken, unusual,
};
use crate::key_cache::traffic::traffic;
use crate::key_cache::{Issuer, NOW, TTL, claims, code, eventually_fetched, key_set, timed};
use crate::support::faultd::{Faultd, Reply};
use crate::support::tls::TlsServer;
use crate::support::tokens::Key;

pub(super) fn that_wait() -> Measured {
    let [silence, unread, head, body] = endless().map(|(_, script)| script);
    let (hole, silent, dripping) = thread::scope(|scope| {
        let hole = scope.spawn(|| Met::when(vec![Faultd::vanish]));
        let silent = scope.spawn(|| Met::at([silence, unread]));
        let dripping = Met::at([head, body]);
        (hole.join().unwrap(), silent.join().unwrap(), dripping)
    });
    let whole = millis(5_100);
    vec![
        ("j02", hole.within(millis(4_500))),
        ("j03", silent.within(whole)),
        ("j04", dripping.within(whole)),
        ("j34", dripping.within(whole)),
        ("D12", alone::measure("D12", "")),
    ]
}

pub(super) fn that_do_not_wait() -> Measured {
    let refused = Met::when(vec![Faultd::down]);
    vec![
        ("j01", refused.within(millis(100))),
        (
            "j05",
            Met::at(broken().into_iter().map(|(_, script)| script)).with_requests(2),
        ),
        ("j06", Met::with_statuses(&[500, 502, 503, 504]).with_requests(2)),
        ("j07", throttled()),
        ("j08", Met::with_statuses(&[404, 403, 401, 410]).with_requests(1)),
        (
            "j09",
            Met::at([Reply::new(204), Reply::new(206).body(good()), Reply::new(200)]).with_requests(1),
        ),
        ("j10", redirected()),
        (
            "j11",
            Met::at([Reply::new(200)
                .header("content-type", "text/html")
                .body("<html><title>Log in</title></html>")])
            .with_requests(1),
        ),
        ("j12", is_taken(&[NO_CONTENT_TYPE, OTHER_CONTENT_TYPE])),
        ("j13", Met::at([announced(10 << 20)]).with_requests(1)),
        ("j14", Met::at([endless_chunks()]).with_requests(1)),
        (
            "j15",
            Met::at(["gzip", "br", "x"].map(|name| Reply::json(good()).header("content-encoding", name)))
                .with_requests(1),
        ),
        (
            "j16",
            Met::at(excessive_headers().map(|(_, script)| script)).with_requests(2),
        ),
        ("j17", untrusted()),
        (
            "j18",
            Figure::elsewhere("same HTTP client: faults::tls::connections_are_reused"),
        ),
        ("j19", is_taken(&[INTERIM])),
        ("j20", is_taken(&[HTTP_1_0, UNTIL_CLOSED])),
        (
            "j21",
            Figure::elsewhere("same HTTP client: faults::tls::what_http2_refuses_was_not_done"),
        ),
        ("j22", idle_connection_closed()),
        (
            "j23",
            freshness(|headers| headers.iter().all(|(name, _)| *name != "age")),
        ),
        (
            "j24",
            freshness(|headers| headers.iter().any(|(name, _)| *name == "age")),
        ),
        ("j25", not_modified()),
        ("j26", cookies()),
        ("j29", no_such_host()),
        (
            "j30",
            Figure::elsewhere(
                "same HTTP client: faults::proxies::loopback_and_excepted_hosts_are_reached_without_the_proxy",
            ),
        ),
        (
            "j31",
            Figure::elsewhere("same HTTP client: faults::proxies::a_proxy_that_is_down_is_named"),
        ),
        ("j32", foreign_set()),
        (
            "j33",
            Met::at([Reply::json(r#"{"keys":[{"kty":"RSA","kid":"first"}]}"#)]).with_requests(1),
        ),
        ("D13", redirected()),
    ]
}

fn throttled() -> Figure {
    let minute = Duration::from_secs(60);
    let reply = Reply::new(429).header("retry-after", 60);
    let (cold, warm) = (Cold::meeting(reply.clone()), Warm::meeting(reply));
    let asked = cold.error.retry_after();
    let tokens = [warm.issuer.token()];
    let second = Duration::from_secs(1);
    let served = traffic(&warm.issuer, &warm.verifier, &tokens, second, minute - second);
    let requests = warm.issuer.requests() - 1;
    let kept = asked == Some(minute) && cold.issuer.requests() == 1;
    Figure::of(
        kept && requests == 1 && served.refused.is_empty() && warm.is_served(),
        format!(
            "cold: 1 request, retry after {}; warm ok, {requests} request in 59 s",
            shown(asked.unwrap_or_default())
        ),
    )
}

fn redirected() -> Figure {
    let target = Faultd::start(Reply::json(good()));
    let replies = redirects(&target).into_iter().map(|(_, _, reply)| reply);
    let mut figure = Met::at(replies).with_requests(1);
    figure.measured = format!("{}, to the target: {}", figure.measured, target.count());
    match target.count() {
        0 => figure,
        _ => Figure::of(false, figure.measured),
    }
}

fn is_taken(names: &[&str]) -> Figure {
    let scripts = unusual().into_iter().filter(|(name, _)| names.contains(name));
    let taken: Vec<_> = scripts.map(|(_, script)| taken(script)).collect();
    let right = taken
        .iter()
        .filter(|(kids, requests)| *kids == ["any"] && *requests == 1);
    let right = right.count();
    Figure::of(right == names.len(), format!("{right} of {} taken", names.len()))
}

fn untrusted() -> Figure {
    let server = TlsServer::start(good().into());
    let verifier = Verifier::builder(server.url())
        .clock(ManualClock::at(NOW))
        .build();
    let token = Key::new("any").sign(&claims(&server.url(), NOW));
    let error = verifier.unwrap().verify_blocking(&token).unwrap_err();
    let first: &dyn Error = &error;
    let mut causes = std::iter::successors(Some(first), |error| (*error).source());
    let named = causes.any(|cause| cause.to_string().contains("UnknownIssuer"));
    Figure::of(
        named && server.counts().1 == 0,
        "unknown CA: unavailable, UnknownIssuer, 0 requests; the rest: faults::tls",
    )
}

fn idle_connection_closed() -> Figure {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.down();
    issuer.endpoint.up();
    issuer.clock.advance(TTL);
    let outcome = code(verifier.verify_blocking(&token));
    eventually_fetched(&verifier, 2);
    let (requests, failed) = (issuer.requests() - 1, verifier.status().fetches_failed);
    Figure::of(
        outcome == "ok" && (requests, failed) == (1, 0),
        format!("refreshed with {requests} request, {failed} failures"),
    )
}

fn freshness(belongs: impl Fn(&[(&str, &str)]) -> bool) -> Figure {
    let headers = FRESHNESS.iter().filter(|(headers, _)| belongs(headers));
    let right: Vec<_> = headers
        .map(|(headers, nominal)| with_chance(*nominal).contains(&ttl_after(headers)))
        .collect();
    let count = right.iter().filter(|right| **right).count();
    Figure::of(
        count == right.len(),
        format!("{count} of {} headers read so", right.len()),
    )
}

fn not_modified() -> Figure {
    let (issuer, verifier) = renewed_twice();
    let cold = Cold::meeting(Reply::new(304));
    let status = verifier.status();
    Figure::of(
        (status.fetches_succeeded, status.generation) == (3, 1) && cold.is_told_to_try_again(),
        format!(
            "renewed twice with {} requests; cold unavailable",
            issuer.requests() - 1
        ),
    )
}

fn cookies() -> Figure {
    let (issuer, _) = renewed_twice();
    let requests = issuer.endpoint.requests();
    let sent = requests
        .iter()
        .filter(|request| request.header("cookie").is_some());
    let sent = sent.count();
    Figure::of(sent == 0, format!("{} requests, {sent} cookies", requests.len()))
}

fn no_such_host() -> Figure {
    let url = "https://host.invalid";
    let verifier = Verifier::builder(url)
        .clock(ManualClock::at(NOW))
        .build()
        .unwrap();
    let token = Key::new("any").sign(&claims(url, NOW));
    let (outcome, took) = timed(|| code(verifier.verify_blocking(&token)));
    let measured = format!(
        "{outcome} in {}; IPv6 black hole: not run, localhost has one address",
        shown(took)
    );
    Figure::of(outcome == "jwks_unavailable", measured).in_time(took < millis(4_500))
}

fn foreign_set() -> Figure {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    issuer.endpoint.set(key_set(&[&other.key]));
    let verifier = issuer.warm_verifier();
    let codes =
        [issuer.token_by(&other.key), other.token()].map(|token| code(verifier.verify_blocking(&token)));
    Figure::of(codes == ["ok", "issuer_mismatch"], json!(codes).to_string())
}

//! The first token: nothing is at hand, so a fetch is waited for.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use torii_backend::Verifier;
use torii_backend::clock::ManualClock;

use super::outage::are_doubled_up_to;
use super::traffic::{Traffic, traffic};
use super::{
    Issuer, MINUTE, NOW, PROMPT, TTL, claims, code, eventually, eventually_failed, eventually_fetched,
    key_set, let_requests_come, timed,
};
use crate::support::faultd::{Faultd, Reply, Script, Step};
use crate::support::tokens::Key;

const SLOW: Duration = Duration::from_millis(400);

fn slow_issuer() -> Issuer {
    let issuer = Issuer::new();
    issuer
        .endpoint
        .set(Script::from(key_set(&[&issuer.key])).after(SLOW));
    issuer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_tasks_share_one_request() {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let tasks: Vec<_> = (0..500)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { code(verifier.verify(&token).await) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "ok");
    }
    assert_eq!(issuer.requests(), 1);
}

#[test]
fn cold_threads_share_one_request() {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    thread::scope(|scope| {
        let verify = || code(verifier.verify_blocking(&token));
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(verify)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), "ok");
        }
    });
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_caller_cancels_nothing() {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let first = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { code(verifier.verify(&token).await) }
    });
    eventually("the fetch", || issuer.requests() == 1);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(code(verifier.verify(&token).await), "ok");
    assert_eq!(issuer.requests(), 1);
}

#[test]
fn a_runtime_that_ends_in_mid_fetch_takes_nothing_with_it() {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await }
    });
    eventually("the fetch", || issuer.requests() == 1);
    drop(runtime);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    assert_eq!(issuer.requests(), 1);

    // The HTTP client outlives the runtime as well: its connections there are gone, and the next fetch opens another.
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_fetched(&verifier, 2);
}

#[test]
fn no_runtime_is_needed() {
    let issuer = slow_issuer();
    let token = issuer.token();
    assert_eq!(code(issuer.verifier().verify_blocking(&token)), "ok");
    assert_eq!(code(pollster::block_on(issuer.verifier().verify(&token))), "ok");
    pollster::block_on(issuer.verifier().warm_up()).unwrap();
    let unknown = issuer.token_naming("unknown");
    assert_eq!(
        code(pollster::block_on(issuer.warm_verifier().verify(&unknown))),
        "kid_unknown"
    );
}

#[tokio::test]
async fn a_waiting_task_leaves_its_thread_to_others() {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let other = async {
        for _ in 0..10 {
            tokio::time::sleep(SLOW / 100).await;
        }
        verifier.status().fetches_succeeded
    };
    let (outcome, fetched_meanwhile) = tokio::join!(verifier.verify(&token), other);
    assert_eq!(code(outcome), "ok");
    assert_eq!(fetched_meanwhile, 0);
}

#[test]
fn warming_up_saves_the_first_caller_the_wait() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.warm_up_blocking().unwrap();
    issuer.endpoint.down();
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    verifier.warm_up_blocking().unwrap();
    let error = Issuer::new_down().verifier().warm_up_blocking().unwrap_err();
    assert_eq!(error.code().to_string(), "jwks_unavailable");
}

#[test]
fn a_refused_connection_is_reported_at_once() {
    let issuer = Issuer::new_down();
    let (outcome, took) = timed(|| issuer.verifier().verify_blocking(&issuer.token()));
    assert_eq!(code(outcome), "jwks_unavailable");
    assert!(took < PROMPT, "{took:?}");
}

/// A full queue of connections, in which further ones are dropped without a word, as a firewall does it.
#[test]
fn a_connection_that_never_stands_is_given_up_after_2_seconds() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let full = |_: &TcpStream| TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
    let first = TcpStream::connect(address).unwrap();
    let filled: Vec<_> = std::iter::successors(Some(first), full).take(16).collect();
    assert!(filled.len() < 16, "the queue does not fill");

    let url = format!("http://{address}");
    let clock = ManualClock::at(NOW);
    let verifier = Verifier::builder(&url).clock(clock).build().unwrap();
    let (outcome, took) = timed(|| verifier.verify_blocking(&Key::new("any").sign(&claims(&url, NOW))));
    assert_eq!(code(outcome), "jwks_unavailable");
    // Twice.
    assert!(
        took > Duration::from_millis(3500) && took < Duration::from_millis(4800),
        "{took:?}"
    );
}

/// The first minute of a process that finds the endpoint broken, at 100 tokens a second.
pub(crate) fn a_cold_minute(issuer: &Issuer, verifier: &Verifier) -> Traffic {
    traffic(
        issuer,
        verifier,
        &[issuer.token()],
        Duration::from_millis(10),
        MINUTE,
    )
}

#[test]
fn before_the_first_keys_the_endpoint_is_asked_8_times_in_a_minute_and_then_every_15_seconds() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    issuer.endpoint.set(Reply::new(500));
    let first = a_cold_minute(&issuer, &verifier);
    let requests = issuer.requests();
    assert!((7..=8).contains(&requests), "{requests} requests");
    assert_eq!(first.accepted, 0);
    let later: Vec<_> = (0..5).map(|_| a_cold_minute(&issuer, &verifier)).collect();
    let pauses: Vec<_> = std::iter::once(first)
        .chain(later)
        .flat_map(|minute| minute.pauses)
        .collect();
    are_doubled_up_to(Duration::from_secs(15), &pauses);
    let requests = issuer.requests() - requests;
    assert!(
        (5 * 3..=5 * 4).contains(&requests),
        "{requests} requests in 5 minutes"
    );
}

/// Endpoints that take for ever, all asked at the same time.
#[test]
fn a_cold_caller_is_answered_within_5_seconds_and_the_next_at_once() {
    let drip = |text: &str| Step::Drip(text.repeat(100).into_bytes(), Duration::from_millis(200));
    let head = Step::Send(b"HTTP/1.1 200 \r\ncontent-length: 900\r\n\r\n".to_vec());
    let endless = [
        ("silence", Script::hang()),
        ("silence before the request", Script::hang().unread()),
        ("a dripping head", Script::new([drip("HTTP/1.1 200 \r\n")])),
        ("a dripping body", Script::new([head, drip("{\"keys\": ")])),
    ];
    thread::scope(|scope| {
        for (name, script) in endless {
            scope.spawn(move || answered_in_time(name, script));
        }
    });
}

fn answered_in_time(name: &str, script: Script) {
    let endpoint = Faultd::start(script);
    let clock = ManualClock::at(NOW);
    let verifier = Verifier::builder(endpoint.url()).clock(clock).build().unwrap();
    let token = Key::new("any").sign(&claims(&endpoint.url(), NOW));

    let (outcome, took) = timed(|| verifier.verify_blocking(&token));
    let error = outcome.unwrap_err();
    assert_eq!(error.code().to_string(), "jwks_unavailable", "{name}");
    assert!(
        took > Duration::from_millis(4500),
        "{name}: gave up after {took:?}"
    );
    assert!(took < Duration::from_millis(5500), "{name}: took {took:?}");
    assert!(error.to_string().contains("in time"), "{name}: {error}");

    // The first attempt is cut off at 3 s, and a second one follows.
    if let [first, second] = &endpoint.requests()[..] {
        let attempt = second.at - first.at;
        assert!(
            attempt > Duration::from_millis(2500),
            "{name}: cut after {attempt:?}"
        );
        assert!(
            attempt < Duration::from_millis(3800),
            "{name}: cut after {attempt:?}"
        );
    } else {
        assert!(endpoint.count() == 0, "{name}: {} requests", endpoint.count());
    }

    eventually_failed(&verifier, 1);
    let requests = endpoint.count();
    let (_, took) = timed(|| {
        for _ in 0..200 {
            let error = verifier.verify_blocking(&token).unwrap_err();
            assert_eq!(error.code().to_string(), "jwks_unavailable", "{name}");
            assert!(error.retry_after().unwrap() >= Duration::from_secs(1), "{name}");
        }
    });
    assert!(took < PROMPT, "{name}: 200 refusals took {took:?}");
    let_requests_come();
    assert_eq!(endpoint.count(), requests, "{name}");
}

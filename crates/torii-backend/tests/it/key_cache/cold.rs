//! The first token: nothing is at hand, so a fetch is waited for.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use torii_backend::Verifier;

use super::outage::are_doubled_up_to;
use super::replies::Cold;
use super::traffic::{Traffic, traffic};
use super::{
    Issuer, MINUTE, PROMPT, TTL, chain, code, eventually, eventually_failed, eventually_fetched, key_set,
    let_requests_come, timed,
};
use crate::support::faultd::{Faultd, Reply, Script, Step};

const SLOW: Duration = Duration::from_millis(400);

fn slow_issuer() -> Issuer {
    issuer_answering_after(SLOW)
}

fn issuer_answering_after(delay: Duration) -> Issuer {
    let issuer = Issuer::new();
    issuer
        .endpoint
        .set(Script::from(key_set(&[&issuer.key])).after(delay));
    issuer
}

/// Callers that come all at once, and what they got.
pub(crate) struct Crowd {
    pub(crate) codes: Vec<String>,
    pub(crate) longest: Duration,
    pub(crate) requests: usize,
}

impl Crowd {
    pub(crate) fn accepted(&self) -> usize {
        self.codes.iter().filter(|code| *code == "ok").count()
    }
}

/// 500 tasks find no keys at hand, at an endpoint that takes its time.
pub(crate) async fn a_cold_crowd(delay: Duration) -> Crowd {
    let issuer = issuer_answering_after(delay);
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..500 {
        let (verifier, token) = (verifier.clone(), token.clone());
        tasks.spawn(async move { (code(verifier.verify(&token).await), started.elapsed()) });
    }
    let (codes, times): (_, Vec<_>) = tasks.join_all().await.into_iter().unzip();
    Crowd {
        codes,
        longest: times.into_iter().max().unwrap(),
        requests: issuer.requests(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_tasks_share_one_request() {
    let crowd = a_cold_crowd(SLOW).await;
    assert_eq!((crowd.accepted(), crowd.requests), (500, 1));
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
    assert_eq!(outcome_after_a_cancellation().await, ("ok".to_owned(), 1));
}

/// What a caller gets when the one who started the fetch is gone, and the requests so far.
pub(crate) async fn outcome_after_a_cancellation() -> (String, usize) {
    let issuer = slow_issuer();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let first = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { code(verifier.verify(&token).await) }
    });
    eventually("the fetch", || issuer.requests() == 1);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    (code(verifier.verify(&token).await), issuer.requests())
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

#[test]
fn a_connection_that_never_stands_is_given_up_after_2_seconds() {
    let cold = Cold::when(Faultd::vanish);
    assert!(cold.is_told_to_try_again());
    // Twice.
    let took = cold.took;
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

/// Replies that take for ever.
pub(crate) fn endless() -> [(&'static str, Script); 4] {
    let drip = |text: &str| Step::Drip(text.repeat(100).into_bytes(), Duration::from_millis(200));
    let head = Step::Send(b"HTTP/1.1 200 \r\ncontent-length: 900\r\n\r\n".to_vec());
    [
        ("silence", Script::hang()),
        ("silence before the request", Script::hang().unread()),
        ("a dripping head", Script::new([drip("HTTP/1.1 200 \r\n")])),
        ("a dripping body", Script::new([head, drip("{\"keys\": ")])),
    ]
}

#[test]
fn a_cold_caller_is_answered_within_5_seconds_and_the_next_at_once() {
    thread::scope(|scope| {
        for (name, script) in endless() {
            scope.spawn(move || answered_in_time(name, script));
        }
    });
}

fn answered_in_time(name: &str, script: Script) {
    let cold = Cold::meeting(script);
    let (issuer, verifier, error, took) = (&cold.issuer, &cold.verifier, &cold.error, cold.took);
    let (endpoint, token) = (&issuer.endpoint, issuer.token());
    assert!(cold.is_told_to_try_again(), "{name}: {error}");
    assert!(
        took > Duration::from_millis(4500),
        "{name}: gave up after {took:?}"
    );
    assert!(took < Duration::from_millis(5500), "{name}: took {took:?}");
    assert!(chain(&error).contains("in time"), "{name}: {error}");

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

    eventually_failed(verifier, 1);
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

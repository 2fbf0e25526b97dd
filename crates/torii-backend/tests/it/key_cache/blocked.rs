//! The thread for exchanges is blocked, as by a client that blocks inside `poll`. In processes of their own, because they
//! have one such thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use tokio::task::JoinSet;
use torii_backend::clock::{Clock, ManualClock, Moment};
use torii_backend::http_client::{Exchange, HttpClient, Limits};

use super::{Issuer, PROMPT, TTL, code, eventually, timed};
use crate::faults::in_a_child;
use crate::support::tokens::jwks;

/// Answers with a key set after its thread has been blocked, at the first request.
#[derive(Clone, Debug)]
struct Blocking {
    reply: String,
    requests: Arc<AtomicUsize>,
    lasting: Duration,
}

impl HttpClient for Blocking {
    fn send<'a>(&'a self, _: Request<Bytes>, _: Limits) -> Exchange<'a> {
        Box::pin(async move {
            if self.requests.fetch_add(1, Ordering::SeqCst) == 0 {
                thread::sleep(self.lasting);
            }
            Ok(Response::new(Bytes::from(self.reply.clone())))
        })
    }
}

#[test]
fn a_client_that_blocks_holds_nobody_beyond_the_limits() {
    let test = "key_cache::blocked::a_client_that_blocks_holds_nobody_beyond_the_limits";
    in_a_child(test, &[], || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build();
        runtime.unwrap().block_on(callers_of_a_client_that_blocks());
    });
}

async fn callers_of_a_client_that_blocks() {
    let issuer = Issuer::new();
    let client = Blocking {
        reply: jwks(&[&issuer.key]),
        requests: Arc::default(),
        lasting: Duration::from_secs(30),
    };
    let verifier = issuer.builder().http_client(client.clone()).build().unwrap();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let (verifier, token) = (verifier.clone(), issuer.token());
        tasks.spawn(async move { (code(verifier.verify(&token).await), started.elapsed()) });
    }
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), issuer.token());
            thread::spawn(move || (code(verifier.verify_blocking(&token)), started.elapsed()))
        })
        .collect();
    let mut all = tasks.join_all().await;
    all.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    for (outcome, took) in all {
        assert_eq!(outcome, "jwks_unavailable");
        assert!(took < Duration::from_secs(8), "{took:?}");
    }

    // The fetch is given up, which counts as a failure: who comes during the pause is told at once.
    eventually("the end of the fetch", || {
        let _ = verifier.verify_blocking(&issuer.token());
        verifier.status().fetches_failed == 1
    });
    let (outcome, took) = timed(|| verifier.verify_blocking(&issuer.token()));
    assert_eq!(code(outcome), "jwks_unavailable");
    assert!(took < PROMPT, "{took:?}");

    // What was given up returns late, and changes nothing.
    while started.elapsed() < Duration::from_secs(31) {
        thread::sleep(Duration::from_millis(100));
    }
    let status = verifier.status();
    assert_eq!((status.generation, status.fetches_succeeded), (0, 0));
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
}

/// A manual clock that holds whoever reads it on the thread for exchanges, and so in the middle of taking a fetch in.
#[derive(Debug)]
struct Holding {
    time: ManualClock,
    armed: AtomicBool,
    held: AtomicBool,
}

impl Clock for Holding {
    fn now(&self) -> Moment {
        if thread::current().name() == Some("torii-http") && self.armed.swap(false, Ordering::SeqCst) {
            self.held.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(20));
        }
        self.time.now()
    }
}

#[test]
fn a_known_key_is_used_while_somebody_holds_the_cache_s_lock() {
    let test = "key_cache::blocked::a_known_key_is_used_while_somebody_holds_the_cache_s_lock";
    in_a_child(test, &[], verify_while_the_lock_is_held);
}

fn verify_while_the_lock_is_held() {
    let issuer = Issuer::new();
    let clock = Arc::new(Holding {
        time: issuer.clock.clone(),
        armed: AtomicBool::new(false),
        held: AtomicBool::new(false),
    });
    let verifier = issuer.builder().clock(clock.clone()).build().unwrap();
    verifier.warm_up_blocking().unwrap();
    let remembered = issuer.token();
    verifier.verify_blocking(&remembered).unwrap();
    issuer.endpoint.down();
    issuer.clock.advance(TTL);
    clock.armed.store(true, Ordering::SeqCst);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    eventually("the end of the fetch", || clock.held.load(Ordering::SeqCst));
    let (outcomes, took) =
        timed(|| [issuer.token(), remembered].map(|token| code(verifier.verify_blocking(&token))));
    assert_eq!(outcomes, ["ok", "ok"]);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

//! A model check of the key cache: its threads, in thousands of orders.
//!
//! The cache, its fetches and its decisions are the real ones; locks, atomics, threads and wake-ups are
//! [shuttle](https://docs.rs/shuttle)'s. A deadlock or a lost wake-up ends a run, because time stands still.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::{Config, Runner, thread};

use super::cache::RemoteKeys;
use super::fetch::Fetched;
use super::jwks::KeySet;
use super::refresher::Fetch;
use super::set::CacheSettings;
use crate::clock::ManualClock;
use crate::http_client::{Exchange, HttpClient, HttpError, HttpErrorKind, Limits};
use crate::verify::VerifierBuilder;
use crate::verify::error::{ErrorCode, VerifyError};

const ORDERS: usize = 2_000;
/// Most preemptions in one order of the priority-based search.
const DEPTH: usize = 4;

/// Runs `model` in orders found at random and in orders with few, well-placed preemptions.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let model = Arc::new(model);
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    let again = model.clone();
    Runner::new(RandomScheduler::new(ORDERS), config.clone()).run(move || again());
    Runner::new(PctScheduler::new(DEPTH, ORDERS), config).run(move || model());
}

#[test]
fn callers_without_keys_share_one_fetch_and_all_get_their_key() {
    check(|| {
        let issuer = Issuer::with([Some(key_set(&["a"]))]);
        issuer.together(3, |issuer| issuer.get("a").expect("it is in the set"));
        assert_eq!(issuer.asked(), 1);
    });
}

#[test]
fn a_failed_fetch_is_told_to_everybody_who_waits_for_it() {
    check(|| {
        let issuer = Issuer::with([]);
        issuer.together(3, |issuer| {
            let error = issuer.get("a").expect_err("there are no keys");
            assert_eq!(error.code(), ErrorCode::JwksUnavailable);
        });
        assert_eq!(
            issuer.asked(),
            2,
            "a fetch has two attempts, and the backoff allows no other"
        );
    });
}

#[test]
fn a_key_is_refused_once_its_removal_has_been_applied() {
    check(|| {
        let issuer = Issuer::with([Some(key_set(&["a"])), Some(key_set(&["b"]))]);
        issuer.get("a").expect("it is in the first set");
        issuer.clock.advance(Duration::from_secs(290));
        issuer.together(3, |issuer| {
            let removed = issuer.knows("b");
            let accepted = issuer.get("a").is_ok();
            assert!(!(removed && accepted), "a removed key was served");
        });
        issuer.get("b").expect("it is in the second set");
        assert!(issuer.get("a").is_err());
    });
}

#[test]
fn a_new_key_is_found_by_everybody_who_asks_while_it_is_fetched() {
    check(|| {
        let issuer = Issuer::with([Some(key_set(&["a"])), Some(key_set(&["a", "b"]))]);
        issuer.get("a").expect("it is in the first set");
        issuer.together(3, |issuer| {
            issuer.get("a").expect("a known key never suffers");
            issuer.get("b").expect("it is in the second set");
        });
        assert_eq!(issuer.asked(), 2);
    });
}

#[test]
fn a_fetch_that_is_not_the_one_under_way_changes_nothing() {
    check(|| {
        let issuer = Issuer::with([Some(key_set(&["new"]))]);
        let abandoned = {
            let issuer = issuer.clone();
            thread::spawn(move || {
                let set = KeySet::from_jwks(key_set(&["old"]).as_bytes()).expect("a usable set");
                let fetched = Fetched {
                    keys: Some(set),
                    freshness: None,
                    etag: None,
                };
                let abandoned = Fetch::new(VerifierBuilder::DEFAULT_FETCH_TIMEOUT, 1, false);
                issuer.keys.finish(&Arc::new(abandoned), Ok(fetched));
            })
        };
        issuer.get("new").expect("it is in the set");
        abandoned.join().expect("no assertion failed");
        assert!(issuer.knows("new") && !issuer.knows("old"));
    });
}

/// An issuer, its keys as this process has them, and its endpoint.
#[derive(Clone)]
struct Issuer {
    keys: Arc<RemoteKeys>,
    clock: ManualClock,
    endpoint: Arc<Endpoint>,
}

impl Issuer {
    /// Its endpoint answers with these key sets, one after the other; `None` is a broken connection.
    fn with<const N: usize>(replies: [Option<String>; N]) -> Self {
        let clock = ManualClock::at(1_700_000_000);
        let endpoint = Arc::new(Endpoint {
            replies: Mutex::new(replies.into()),
            asked: AtomicUsize::new(0),
        });
        let keys = RemoteKeys::new(
            "http://127.0.0.1:1/keys".to_owned(),
            endpoint.clone(),
            Arc::new(clock.clone()),
            CacheSettings::default(),
            VerifierBuilder::DEFAULT_FETCH_TIMEOUT,
        );
        Self {
            keys: Arc::new(keys),
            clock,
            endpoint,
        }
    }

    fn knows(&self, kid: &str) -> bool {
        self.keys.knows(kid)
    }

    fn get(&self, kid: &str) -> Result<(), VerifyError> {
        self.keys.get_blocking(kid).map(drop)
    }

    fn asked(&self) -> usize {
        self.endpoint.asked.load(Ordering::SeqCst)
    }

    /// Runs `work` on so many threads, and waits for them.
    fn together(&self, threads: usize, work: fn(&Self)) {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                let issuer = self.clone();
                thread::spawn(move || work(&issuer))
            })
            .collect();
        for thread in threads {
            thread.join().expect("no assertion failed");
        }
    }
}

/// Answers at once, after as many other threads' steps as the order holds.
#[derive(Debug)]
struct Endpoint {
    replies: Mutex<VecDeque<Option<String>>>,
    asked: AtomicUsize,
}

impl HttpClient for Endpoint {
    fn send<'a>(&'a self, _: Request<Bytes>, _: Limits) -> Exchange<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        let reply = self.replies.lock().expect("nobody panics").pop_front().flatten();
        let reply = reply
            .map(|set| Response::new(Bytes::from(set)))
            .ok_or_else(|| HttpError::from(HttpErrorKind::Broken));
        Box::pin(std::future::ready(reply))
    }
}

/// A key set in which the key of RFC 7515, appendix A.3, has these names.
fn key_set(kids: &[&str]) -> String {
    let keys: Vec<_> = kids
        .iter()
        .map(|kid| {
            format!(
                r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}"#
            )
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

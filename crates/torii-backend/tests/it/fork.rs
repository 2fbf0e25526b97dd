//! The child of a fork: what it inherits works, and what its parent's other threads hold does not stop it.
//!
//! A safe program cannot fork. What a fork leaves behind can be had without one: threads that hold locks and never go on.
//! Each test has a process to itself, because what it does to the process concerns every verifier and client in it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use torii_backend::clock::{Clock, ManualClock, Moment};
use torii_backend::{Error, Verifier, VerifyError, process};

use crate::faults::{Client, Kind, RUNTIME, USER, found, in_a_child, made};
use crate::support::faultd::{Faultd, Reply, Script};
use crate::support::tokens::{Key, jwks};

const NOW: u64 = 1_800_000_000;
/// The time of a key set whose reply does not say.
const TTL: Duration = Duration::from_secs(300);
/// Less than any wait for keys takes that is given up.
const PROMPT: Duration = Duration::from_secs(1);

/// A clock on which whoever takes a fetch's outcome in stops for ever, with the cache's lock in hand.
#[derive(Clone, Debug)]
struct Trap {
    time: ManualClock,
    armed: Arc<AtomicBool>,
    caught: Arc<(Mutex<bool>, Condvar)>,
}

impl Trap {
    fn new() -> Self {
        Self {
            time: ManualClock::at(NOW),
            armed: Arc::default(),
            caught: Arc::default(),
        }
    }

    fn wait_for_the_catch(&self) {
        let (caught, changed) = &*self.caught;
        let caught = changed.wait_while(caught.lock().unwrap(), |caught| !*caught);
        drop(caught.unwrap());
    }
}

impl Clock for Trap {
    fn now(&self) -> Moment {
        let fetching = thread::current().name() == Some("torii-http");
        if fetching && self.armed.swap(false, Ordering::SeqCst) {
            *self.caught.0.lock().unwrap() = true;
            self.caught.1.notify_all();
            // Longer than the test takes. If it hangs, it ends with this.
            thread::sleep(Duration::from_secs(60));
        }
        self.time.now()
    }
}

/// An issuer with one key, and a verifier that has fetched it.
struct Parent {
    endpoint: Faultd,
    key: Key,
    trap: Trap,
    verifier: Verifier,
}

impl Parent {
    fn new() -> Self {
        let (key, trap) = (Key::new("first"), Trap::new());
        let endpoint = Faultd::start(Reply::json(jwks(&[&key])));
        let verifier = Verifier::builder(endpoint.url())
            .clock(trap.clone())
            .build()
            .unwrap();
        verifier.warm_up_blocking().unwrap();
        Self {
            endpoint,
            key,
            trap,
            verifier,
        }
    }

    fn token_by(&self, key: &Key) -> String {
        key.sign(&json!({
            "iss": self.endpoint.url(), "sub": "user", "pid": "environment", "iat": NOW, "exp": NOW + 86_400,
        }))
    }

    /// Publishes another key beside the first.
    fn rotate(&self) -> Key {
        let second = Key::new("second");
        self.endpoint.set(Reply::json(jwks(&[&self.key, &second])));
        second
    }

    /// Verifies, and tells how: nobody may wait for what the parent began.
    fn verify(&self, token: &str) -> Result<(), VerifyError> {
        let started = Instant::now();
        let outcome = self.verifier.verify_blocking(token);
        assert!(started.elapsed() < PROMPT, "waited {:?}", started.elapsed());
        outcome.map(drop)
    }
}

#[test]
fn keys_are_inherited_and_a_fetch_under_way_is_not() {
    in_a_child(
        "fork::keys_are_inherited_and_a_fetch_under_way_is_not",
        &[],
        || {
            let parent = Parent::new();
            let token = parent.token_by(&parent.key);
            parent.endpoint.set(Script::hang());
            parent.trap.time.advance(TTL);
            parent.verify(&token).unwrap();
            eventually("the refresh hangs", || parent.endpoint.count() == 2);

            process::forked();
            let second = parent.rotate();
            assert_eq!(parent.verifier.status().age, Some(TTL));
            parent.verify(&token).unwrap();
            eventually("a refresh of its own", || {
                parent.verifier.status().generation == 2
            });
            parent.verify(&parent.token_by(&second)).unwrap();
            assert_eq!(parent.endpoint.count(), 3);
        },
    );
}

#[test]
fn an_unknown_key_is_fetched_while_the_parents_fetch_hangs() {
    in_a_child(
        "fork::an_unknown_key_is_fetched_while_the_parents_fetch_hangs",
        &[],
        || {
            let parent = Parent::new();
            parent.endpoint.set(Script::hang());
            let second = Key::new("second");
            let token = parent.token_by(&second);
            let (verifier, stranger) = (parent.verifier.clone(), token.clone());
            thread::spawn(move || verifier.verify_blocking(&stranger));
            eventually("the fetch hangs", || parent.endpoint.count() == 2);

            process::forked();
            parent.endpoint.set(Reply::json(jwks(&[&parent.key, &second])));
            parent.verify(&token).unwrap();
            assert_eq!(parent.endpoint.count(), 3);
        },
    );
}

#[test]
fn a_first_fetch_that_only_the_parent_made_is_made_again() {
    in_a_child(
        "fork::a_first_fetch_that_only_the_parent_made_is_made_again",
        &[],
        || {
            let parent = Parent::new();
            let token = parent.token_by(&parent.key);
            let cold = Verifier::builder(parent.endpoint.url()).clock(parent.trap.clone());
            let cold = cold.build().unwrap();
            parent.endpoint.set(Script::hang());
            let (verifier, stranger) = (cold.clone(), token.clone());
            thread::spawn(move || verifier.verify_blocking(&stranger));
            eventually("the fetch hangs", || parent.endpoint.count() == 2);

            process::forked();
            parent.rotate();
            let started = Instant::now();
            cold.verify_blocking(&token).unwrap();
            assert!(started.elapsed() < PROMPT, "waited {:?}", started.elapsed());
        },
    );
}

#[test]
fn a_lock_that_a_thread_of_the_parent_holds_stops_nobody() {
    in_a_child(
        "fork::a_lock_that_a_thread_of_the_parent_holds_stops_nobody",
        &[],
        || {
            let parent = Parent::new();
            let token = parent.token_by(&parent.key);
            parent.trap.armed.store(true, Ordering::SeqCst);
            parent.trap.time.advance(TTL);
            parent.verify(&token).unwrap();
            parent.trap.wait_for_the_catch();

            process::forked();
            let second = parent.rotate();
            parent.verify(&token).unwrap();
            parent.verify(&parent.token_by(&second)).unwrap();
            assert_eq!(parent.verifier.status().kids.len(), 2);
            assert!(parent.verifier.export_keys().is_some());
            let shown = format!("{:?}", parent.verifier);
            assert!(!shown.is_empty());
            drop(parent);
        },
    );
}

#[test]
fn remembered_tokens_are_not_inherited() {
    in_a_child("fork::remembered_tokens_are_not_inherited", &[], || {
        let parent = Parent::new();
        let token = parent.token_by(&parent.key);
        for _ in 0..3 {
            assert!(parent.verifier.verify_remembered(&token).is_none());
            parent.verify(&token).unwrap();
            assert!(parent.verifier.verify_remembered(&token).unwrap().is_ok());
            process::forked();
        }
        assert_eq!(parent.endpoint.count(), 1, "the keys are");
        assert_eq!(parent.verifier.counts().accepted, 6, "and so are the counts");
    });
}

#[test]
fn clients_open_connections_of_their_own_and_leave_the_parents_open() {
    let test = "fork::clients_open_connections_of_their_own_and_leave_the_parents_open";
    in_a_child(test, &[], || {
        for kind in Kind::BOTH {
            let server = Faultd::start(found());
            let client = kind.client(server.url());
            let call = |client: &Client| made!(client, torii => torii.users().get(USER)).unwrap();
            // A call opens a second connection if the last one is not idle yet, so they are not counted one by one.
            call(&client);
            let parents = server.accepted();

            process::forked();
            call(&client);
            call(&client);
            assert!(server.accepted() > parents, "{kind:?}");
            assert_eq!(server.connections(), server.accepted(), "{kind:?}");

            // Even when the child drops what it inherited.
            process::forked();
            drop(client);
            RUNTIME.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
            assert_eq!(server.connections(), server.accepted(), "{kind:?}");
        }
    });
}

/// As when a signal's handler forks during a call: what the parent's threads do never reaches the child.
#[test]
fn a_call_under_way_goes_on_in_the_child() {
    let test = "fork::a_call_under_way_goes_on_in_the_child";
    in_a_child(test, &[], || {
        let server = Faultd::start(found());
        let forks = || {
            let forked = AtomicBool::new(false);
            let fork = move || {
                if !forked.swap(true, Ordering::SeqCst) {
                    process::forked();
                }
                false
            };
            let client = Kind::Blocking.client_with(server.url(), |builder| builder.interrupt(fork));
            let Client::Blocking(torii) = client else {
                unreachable!()
            };
            torii.users()
        };
        let throttled = Reply::new(429).header("retry-after", 20);
        for begun in [Script::hang(), throttled.into()] {
            server.play([begun, found().into()]);
            let reply = forks().get(USER).send_with_reply().unwrap();
            assert_eq!(reply.attempts(), 2);
        }
        server.play([Script::hang(), found().into()]);
        let error = forks().delete(USER).send().unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(_)), "{error:?}");
    });
}

#[test]
fn the_keys_that_a_process_shares_are_inherited() {
    in_a_child("fork::the_keys_that_a_process_shares_are_inherited", &[], || {
        let key = Key::new("first");
        let endpoint = Faultd::start(Reply::json(jwks(&[&key])));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap().as_secs();
        let token = key.sign(&json!({
            "iss": endpoint.url(), "sub": "user", "pid": "environment", "iat": now, "exp": now + 3600,
        }));
        for _ in 0..3 {
            torii_backend::verify_token_blocking(&token, &endpoint.url()).unwrap();
            Verifier::new(endpoint.url())
                .unwrap()
                .verify_blocking(&token)
                .unwrap();
            process::forked();
        }
        assert_eq!(endpoint.count(), 1);
    });
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "did not come: {what}"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

//! The key cache: when keys are fetched, waited for, kept and refused. The network is real, the clock is manual.

mod blocked;
pub(crate) mod cold;
mod issuers;
mod logs;
mod many;
pub(crate) mod outage;
pub(crate) mod refresh;
mod remembered;
pub(crate) mod replies;
pub(crate) mod sharing;
pub(crate) mod traffic;
pub(crate) mod unknown_keys;

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::{Auth, Verifier, VerifierBuilder, VerifyError};

use crate::support::faultd::{Faultd, Reply};
use crate::support::tokens::{Key, jwks};

/// Where the manual clock starts.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The time of a key set whose reply does not say, and at most an eighth less by chance.
pub(crate) const TTL: Duration = Duration::from_secs(300);
/// More than anything takes that does not wait, on a busy machine too, and less than any wait.
pub(crate) const PROMPT: Duration = Duration::from_secs(1);
/// Young enough to be used without a refresh, whatever chance takes off the TTL.
pub(crate) const YOUNG: Duration = Duration::from_secs(209);

/// An issuer that publishes one key, and the clock of those who verify its tokens.
pub(crate) struct Issuer {
    pub(crate) endpoint: Faultd,
    pub(crate) clock: ManualClock,
    pub(crate) key: Key,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let key = Key::new("first");
        Self {
            endpoint: Faultd::start(key_set(&[&key])),
            clock: ManualClock::at(NOW),
            key,
        }
    }

    /// An issuer whose endpoint refuses connections.
    pub(crate) fn new_down() -> Self {
        let issuer = Self::new();
        issuer.endpoint.down();
        issuer
    }

    /// A verifier with a cache of its own.
    pub(crate) fn verifier(&self) -> Verifier {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> VerifierBuilder {
        Verifier::builder(self.endpoint.url()).clock(self.clock.clone())
    }

    /// A verifier that has fetched the key set.
    pub(crate) fn warm_verifier(&self) -> Verifier {
        let verifier = self.verifier();
        verifier.warm_up_blocking().unwrap();
        verifier
    }

    /// A token by the issuer's key, valid for longer than any test's clock runs.
    pub(crate) fn token(&self) -> String {
        self.key.sign(&self.claims())
    }

    pub(crate) fn token_by(&self, key: &Key) -> String {
        key.sign(&self.claims())
    }

    /// A token that names a key, without being signed by it.
    pub(crate) fn token_naming(&self, kid: &str) -> String {
        self.key
            .sign_as(&json!({"alg": "ES256", "kid": kid}), &self.claims())
    }

    pub(crate) fn claims(&self) -> Value {
        claims(&self.endpoint.url(), NOW)
    }

    /// Lets time pass until the endpoint may be asked again.
    pub(crate) fn outlast_backoff(&self, verifier: &Verifier) {
        let left = verifier.status().next_attempt_in.unwrap();
        // The clock counts in whole milliseconds.
        self.clock.advance(left + Duration::from_millis(1));
    }

    pub(crate) fn requests(&self) -> usize {
        self.endpoint.count()
    }
}

pub(crate) fn claims(issuer: &str, now: u64) -> Value {
    let (past, future) = (2 * DAY.as_secs(), 30 * DAY.as_secs());
    json!({"iss": issuer, "sub": "user", "pid": "environment", "iat": now - past, "exp": now + future})
}

pub(crate) fn key_set(keys: &[&Key]) -> Reply {
    Reply::json(jwks(keys))
}

/// The code of the refusal, or `ok`.
pub(crate) fn code(outcome: Result<Auth, VerifyError>) -> String {
    outcome.map_or_else(|error| error.code().to_string(), |_| "ok".to_owned())
}

/// An error's message and those of all its sources, as `anyhow` and `eyre` print them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The outcome, and how long it took to come.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let outcome = act();
    (outcome, started.elapsed())
}

/// Waits for something that another thread is about to bring about.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) {
    const PATIENCE: Duration = Duration::from_secs(10);
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "did not come: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until so many fetches have failed.
pub(crate) fn eventually_failed(verifier: &Verifier, fetches: u64) {
    eventually("a failed fetch", || verifier.status().fetches_failed == fetches);
}

/// Waits until so many fetches have succeeded.
pub(crate) fn eventually_fetched(verifier: &Verifier, fetches: u64) {
    eventually("a successful fetch", || {
        verifier.status().fetches_succeeded == fetches
    });
}

/// Gives a request that must not come the time to come.
pub(crate) fn let_requests_come() {
    thread::sleep(Duration::from_millis(50));
}

//! What a key cache logs: once for each change between success and failure, with the whole reason.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use torii_backend::Verifier;
use tracing::Level;
use tracing::subscriber::with_default;

use super::{Issuer, TTL, code, eventually, eventually_failed, eventually_fetched, key_set};
use crate::support::log::Log;

#[test]
fn an_outage_is_a_warning_when_it_begins_and_when_it_ends() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    with_default(subscriber, || {
        let issuer = Issuer::new();
        let verifier = issuer.warm_verifier();
        let verify = || assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
        issuer.endpoint.down();
        issuer.clock.advance(TTL);
        for failures in 1..=5 {
            verify();
            eventually_failed(&verifier, failures);
            issuer.outlast_backoff(&verifier);
        }
        issuer.endpoint.up();
        issuer.endpoint.set(key_set(&[&issuer.key]));
        verify();
        eventually_fetched(&verifier, 2);
        // The last that is logged about it.
        eventually("the line", || log.text().contains("can be fetched again"));
    });
    let text = log.text();
    let lines = |level: &str, said: &str| {
        let lines = text
            .lines()
            .filter(|line| line.contains(level) && line.contains(said));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let warnings = lines(" WARN ", "the key set could not be fetched");
    assert_eq!(warnings.len(), 1, "{text}");
    assert!(warnings[0].contains("refused"), "{text}");
    assert_eq!(
        lines("DEBUG ", "the key set could not be fetched again").len(),
        4,
        "{text}"
    );
    assert_eq!(
        lines(" WARN ", "the key set can be fetched again").len(),
        1,
        "{text}"
    );
    let fetched = lines("DEBUG ", "the key set was fetched");
    assert_eq!(fetched.len(), 2, "{text}");
    assert!(
        fetched[0].contains("first") && fetched[0].contains("ttl="),
        "{text}"
    );
}

/// Writes a line after it has asked for the status of the keys that the line is about.
#[derive(Clone, Default)]
struct Curious {
    verifier: Arc<OnceLock<Verifier>>,
    log: Log,
}

impl Write for Curious {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(verifier) = self.verifier.get() {
            verifier.status();
        }
        self.log.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_reads_the_log_can_ask_for_the_status() {
    let curious = Curious::default();
    let writer = curious.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    with_default(subscriber, || {
        let issuer = Issuer::new();
        let verifier = issuer.warm_verifier();
        curious.verifier.set(verifier.clone()).unwrap();
        issuer.endpoint.down();
        issuer.clock.advance(TTL);
        assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
        eventually("the failure is logged", || {
            curious.log.text().contains("could not be fetched")
        });
        issuer.outlast_backoff(&verifier);
        issuer.endpoint.up();
        assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
        eventually("the end of the outage is logged", || {
            curious.log.text().contains("can be fetched again")
        });
    });
}

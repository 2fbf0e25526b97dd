//! Verifies a token with a key that is given, without a network: `cargo run -p torii-backend --example verify`.
//!
//! With an account, `Verifier::new("https://<your>.torii.so")` is all: the keys are fetched when the first token comes.

use std::error::Error;
use std::time::Duration;

use torii_backend::clock::ManualClock;
use torii_backend::{KeySource, Verifier};

const JWKS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"key-1","x":"dZgstSXQ5J2JpGbnDuAi47fd87jlM0HxJIykpqotW5k","y":"uVlKsvjfuVrUjbqFWQkkRpwtdMNaucfPKWa5QTrQGFg"},{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"key-2","x":"8KtD4RCbYnpb1stuBMUX8UQlXLRCmnk6T3aq3M7ZNjs","y":"ws60MONBQuC-Vvaqtd2420HjhCt4tj0VLeqDzSf9PHI"}]}"#;
const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtleS0xIn0.eyJpc3MiOiJodHRwczovL2FjbWUudG9yaWkuc28iLCJzdWIiOiIwMTk5MWYzYy03YTEwLTdjNDEtOWQyZS01YjZmMGE4YzFlMDEiLCJwaWQiOiIwMTk5MWYzYy0wMDAwLTdiOGUtOGYwMC0zYzJkMWUwZjlhMDIiLCJpYXQiOjE3ODk5OTk5NDAsImV4cCI6MTc5MDAwMDMwMCwiZW1haWxfdmVyaWZpZWQiOnRydWUsInByb2ZpbGVfY29tcGxldGUiOnRydWV9.cWuSo5NmqDdawI4BqJtU6zFKKNtBwkvkOCOTpi1aGaZ29HdqgNw_hiNHLqS-hFBf4nvMu8ESzaVSfwbzAIiH2g";

#[allow(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Box<dyn Error>> {
    // The token of this example is of the day when it was written, and so is the clock.
    let clock = ManualClock::at(1_790_000_000);
    let verifier = Verifier::builder("https://acme.torii.so")
        .key_source(KeySource::Jwks(JWKS.to_owned()))
        .clock(clock.clone())
        .build()?;

    let auth = verifier.verify_blocking(TOKEN)?;
    println!("user {} of environment {}", auth.user_id(), auth.environment_id());

    clock.advance(Duration::from_secs(600));
    match verifier.verify_blocking(TOKEN) {
        Ok(_) => println!("still valid"),
        Err(error) => println!("ten minutes later: {} ({error})", error.http_status()),
    }
    Ok(())
}

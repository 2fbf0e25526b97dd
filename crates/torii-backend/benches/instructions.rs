//! Instructions that one verification takes, the cryptography aside: `cargo bench -p torii-backend --bench instructions`.
//!
//! Times differ from run to run, and machine to machine; the count of instructions hardly does, so it can pass or fail.
//! The program runs itself under valgrind, which is there for Linux. What aws-lc does (the signature check, and the
//! keyed hash under which a token is remembered) is not counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for people who develop this crate"
)]

#[path = "../tests/it/support/tokens.rs"]
mod tokens;

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use serde_json::json;
use torii_backend::clock::ManualClock;
use torii_backend::{KeySource, Verifier};

use tokens::{Key, jwks};

/// Each path, and the instructions that it takes as of now. What takes over a tenth more has become slower.
const BUDGETS: [(&str, u64); 3] = [("new", 15_100), ("new, remembered", 15_900), ("seen", 600)];
const TOLERANCE: f64 = 0.1;
/// Where counting begins or pauses, until the function returns: the loop, and the cryptography in it.
const COUNTED: [&str; 3] = [
    "instructions::verify_all",
    "*VerifyingKey::verifies",
    "*TokenDigest::of",
];
const TIMES: usize = 300;

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://acme.torii.so";

fn main() -> ExitCode {
    // Under valgrind, the path follows; from cargo, something else.
    let path = env::args().nth(1).unwrap_or_default();
    if BUDGETS.iter().any(|(known, _)| *known == path) {
        verify(&path);
        return ExitCode::SUCCESS;
    }
    let mut within = true;
    println!("| path | instructions | budget | |\n|---|---|---|---|");
    for (path, budget) in BUDGETS {
        let taken = instructions(path) / TIMES as u64;
        let (least, most) = (1.0 - TOLERANCE, 1.0 + TOLERANCE);
        let verdict = match taken as f64 / budget as f64 {
            ratio if ratio > most => {
                within = false;
                "slower than it was"
            }
            ratio if ratio < least => "faster: lower the budget",
            _ => "as it was",
        };
        println!("| {path} | {taken} | {budget} | {verdict} |");
    }
    if within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Instructions of [`TIMES`] verifications.
fn instructions(path: &str) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.args(COUNTED.map(|function| format!("--toggle-collect={function}")));
    let run = valgrind.arg(env::current_exe().unwrap()).arg(path).output();
    let report = String::from_utf8(run.expect("valgrind is needed").stderr).unwrap();
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.unwrap_or_else(|| panic!("{report}"));
    count.trim().parse().unwrap()
}

fn verify(path: &str) {
    let key = Key::new("a-key-with-a-name-of-43-characters-as-usual");
    let builder = Verifier::builder(ISSUER).clock(ManualClock::at(NOW));
    let builder = builder.key_source(KeySource::Jwks(jwks(&[&key])));
    let remembered = if path == "new" { 0 } else { TIMES };
    let verifier = builder.remember_verified(remembered).build().unwrap();
    let mut tokens: Vec<String> = (0..TIMES).map(|index| token(&key, index)).collect();
    if path == "seen" {
        tokens = vec![tokens[0].clone(); TIMES];
    }
    verify_all(&verifier, &tokens);
}

#[inline(never)]
fn verify_all(verifier: &Verifier, tokens: &[String]) {
    for token in tokens {
        black_box(verifier.verify_blocking(token)).unwrap();
    }
}

/// With the claims that torii gives to a member of an organization.
fn token(key: &Key, index: usize) -> String {
    key.sign(&json!({
        "iss": ISSUER, "sub": format!("01931a73-8b00-7000-8000-{index:012x}"), "iat": NOW, "exp": NOW + 300,
        "pid": "01931a73-8b00-7000-8000-0000000000e1", "email_verified": true, "profile_complete": true,
        "impersonating": false, "locale": "en", "org_id": "01931a73-8b00-7000-8000-00000000cafe", "org_role": "member",
    }))
}

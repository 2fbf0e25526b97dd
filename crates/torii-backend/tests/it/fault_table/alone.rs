//! Rows that are measured in a process of their own, because they count what a process has, or limit it.

use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;

use super::met::Met;
use super::{Figure, HUNDRED_A_SECOND, floods, is_full, millis, seconds, shown};
use crate::key_cache::cold::endless;
use crate::key_cache::replies::{Cold, SOON, announced, endless_chunks, good};
use crate::key_cache::traffic::real_traffic;
use crate::key_cache::{Issuer, TTL, code, eventually, eventually_failed, eventually_fetched, key_set};
use crate::support::faultd::Reply;
use crate::tokens::corpus;

const ROW: &str = "TORII_FAULT_ROW";
const FIGURE: &str = "figure: ";
pub(super) const MIB: f64 = 1024.0;

/// Measures a row in a child of this process, under the limits that the shell commands set.
pub(super) fn measure(row: &str, limits: &str) -> Figure {
    // `:` is the command that does nothing.
    let limits = if limits.is_empty() { ":" } else { limits };
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args([
            "fault_table::alone::one_row",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(ROW, row)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let figure = said.lines().find_map(|line| line.split_once(FIGURE));
    match figure {
        Some((_, figure)) if output.status.success() => serde_json::from_str(figure).unwrap(),
        _ => Figure::of(false, format!("{}: {said:?}", output.status)),
    }
}

#[test]
#[ignore = "the fault table runs it in a process of its own"]
fn one_row() {
    let figure = match std::env::var(ROW).as_deref() {
        Ok("D9") => floods::flood(),
        Ok("D10") => floods::garbage(),
        Ok("D11") => floods::giants(),
        Ok("D12") => large_replies(),
        Ok("D20") => stopped(),
        Ok("D22") => without_descriptors(),
        Ok("D23") => in_little_memory(),
        Ok("n14") => made_and_dropped(),
        _ => return,
    };
    println!("\n{FIGURE}{}", serde_json::to_string(&figure).unwrap());
}

/// A figure of this process in KiB, as the system accounts for it.
pub(super) fn kib(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The sockets of this process, but for the two ends of each connection to the issuer.
fn sockets_of_no_connection(issuer: &Issuer) -> usize {
    sockets() - 2 * issuer.endpoint.connections()
}

/// Ends the connections to the issuer, and waits until the client has closed its ends as well.
fn end_connections(issuer: &Issuer, sockets_without: usize) {
    issuer.endpoint.down();
    issuer.endpoint.up();
    eventually("the client closes its connections", || {
        sockets() <= sockets_without
    });
}

fn sockets() -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

fn large_replies() -> Figure {
    let bomb = Reply::json(good()).header("content-encoding", "gzip");
    let [.., (_, drip)] = endless();
    // What every fetch leaves behind, an ordinary one too.
    Met::with_statuses(&[404; 3]);
    let before = kib("VmHWM");
    let large = Met::at([announced(10 << 20), endless_chunks(), bomb.into()]).within(SOON);
    let grown = (kib("VmHWM") - before) / MIB;
    let dripping = Met::at([drip]).within(millis(5_100));
    let figure = Figure {
        measured: format!(
            "large: {}, peak memory {grown:+.1} MiB; drip: {} (2 attempts)",
            large.measured, dripping.measured
        ),
        verdict: large.verdict.max(dripping.verdict),
        short: false,
    };
    figure.in_time(grown <= 1.0)
}

/// The shell stops this process, and lets it go on after a second.
fn stopped() -> Figure {
    let issuer = Issuer::new();
    let (verifier, tokens) = (issuer.warm_verifier(), [issuer.token()]);
    issuer.clock.advance(TTL);
    let mut shell = Command::new("sh")
        .args(["-c", "sleep 0.3; kill -STOP $PPID; sleep 1; kill -CONT $PPID"])
        .spawn()
        .unwrap();
    let met = real_traffic(&issuer, &verifier, &tokens, HUNDRED_A_SECOND, seconds(2, 2));
    shell.wait().unwrap();
    let stood = met.longest().max(Duration::from_secs(1));
    Figure::of(
        met.refused.is_empty() && verifier.status().fetches_failed == 0,
        format!(
            "{} of {} refused over a stop of {}",
            met.refused.len(),
            met.times.len(),
            shown(stood)
        ),
    )
}

fn without_descriptors() -> Figure {
    let issuer = Issuer::new();
    let (cold, warm, token) = (issuer.verifier(), issuer.warm_verifier(), issuer.token());
    end_connections(&issuer, sockets_of_no_connection(&issuer));
    let hoard: Vec<_> = (0..1_000).map_while(|_| File::open("/dev/null").ok()).collect();
    let without = [code(cold.verify_blocking(&token)), {
        issuer.clock.advance(TTL);
        code(warm.verify_blocking(&token))
    }];
    eventually_failed(&warm, 1);
    let hoarded = hoard.len();
    drop(hoard);
    issuer.outlast_backoff(&warm);
    let with = [&cold, &warm].map(|verifier| code(verifier.verify_blocking(&token)));
    eventually_fetched(&warm, 2);
    Figure::of(
        hoarded < 64 && without == ["jwks_unavailable", "ok"] && with == ["ok", "ok"],
        format!(
            "none left: cold {}, warm {}; then {}, {} and refreshed",
            without[0], without[1], with[0], with[1]
        ),
    )
}

fn in_little_memory() -> Figure {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let mut dice = Rng::with_seed(23);
    let mut hostile = corpus();
    hostile.extend(["x".repeat(1 << 20), ".".repeat(1 << 20), "A.".repeat(8 << 20)]);
    let count = if is_full() { 200_000 } else { 20_000 };
    for _ in 0..count {
        let token = &hostile[dice.usize(..hostile.len())];
        assert!(verifier.verify_blocking(token).is_err());
    }
    for reply in [announced(1 << 40), announced(10 << 20), endless_chunks()] {
        assert!(Cold::meeting(reply).is_told_to_try_again());
    }
    let outcome = code(verifier.verify_blocking(&issuer.token()));
    Figure::of(
        outcome == "ok",
        format!(
            "{count} hostile tokens, 3 large replies: no abort, address space {:.0} MiB at most",
            kib("VmPeak") / MIB
        ),
    )
    .longer_in_full()
}

fn made_and_dropped() -> Figure {
    let issuer = Issuer::new();
    let token = issuer.token();
    assert_eq!(code(issuer.warm_verifier().verify_blocking(&token)), "ok");
    let sockets = sockets_of_no_connection(&issuer);
    let make = |count: u32| {
        for _ in 0..count {
            assert_eq!(code(issuer.verifier().verify_blocking(&token)), "ok");
        }
        // Idle ones stay open for the next fetch, whichever verifier makes it.
        end_connections(&issuer, sockets);
        issuer.endpoint.set(key_set(&[&issuer.key]));
        let entries = |path: &str| fs::read_dir(path).unwrap().count() as i64;
        [
            entries("/proc/self/fd"),
            entries("/proc/self/task"),
            kib("VmRSS") as i64,
        ]
    };
    make(200);
    let before = make(1);
    let after = make(1_000);
    let [descriptors, threads, memory] = std::array::from_fn(|place| after[place] - before[place]);
    Figure::of(
        descriptors <= 2 && threads <= 2,
        format!(
            "{descriptors:+} fds, {threads:+} threads, {:+.1} MiB",
            memory as f64 / MIB
        ),
    )
    .in_time(memory as f64 / MIB <= 1.0)
}

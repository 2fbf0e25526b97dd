//! Many calls: what retrying gains when little fails, and what it costs when everything does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use torii_backend::{Torii, UserId};

use super::{Client, Kind, RUNTIME, USER, found, in_a_child, lost, made, timed, with_both};
use crate::support::faultd::{Faultd, Reply, Script, Step};

/// D26, with a fixed row of dice for every run.
#[test]
fn most_reads_survive_a_third_of_resets() {
    const CALLERS: u64 = 8;
    const CALLS: usize = 125;
    const RESETS: f64 = 0.3;
    with_both(|kind| {
        let (done, requests) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for seed in 0..CALLERS {
                let (done, requests) = (&done, &requests);
                scope.spawn(move || {
                    let mut dice = fastrand::Rng::with_seed(seed);
                    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n".to_vec();
                    let scripts: VecDeque<Script> = (0..3 * CALLS)
                        .map(|_| match dice.f64() {
                            reset if reset < RESETS / 2.0 => lost(),
                            reset if reset < RESETS => Script::new([Step::Send(head.clone()), Step::Reset]),
                            _ => found().into(),
                        })
                        .collect();
                    let server = Faultd::start(found());
                    server.play(scripts);
                    let client = kind.client(server.url());
                    for _ in 0..CALLS {
                        let outcome = made!(client, torii => torii.users().get(USER));
                        done.fetch_add(usize::from(outcome.is_ok()), Ordering::Relaxed);
                    }
                    requests.fetch_add(server.count(), Ordering::Relaxed);
                });
            }
        });
        let (calls, done) = (CALLERS as usize * CALLS, done.into_inner());
        println!(
            "D26 {kind:?}: {calls} reads, {:.0} % reset: {done} succeed with {} requests",
            RESETS * 100.0,
            requests.into_inner()
        );
        assert!(done * 100 >= calls * 97, "{kind:?}: {done} of {calls}");
    });
}

/// D25: the quota lets a burst of retries through, and then no more.
#[test]
fn a_failing_service_is_not_buried_under_retries() {
    const CALLS: usize = 200;
    with_both(|kind| {
        let server = Faultd::start(Reply::new(503));
        let client = kind.client(server.url());
        let burst = || {
            let before = server.count();
            let slowest = std::sync::Mutex::new(Duration::ZERO);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..CALLS / 8 {
                            let (outcome, took) = timed(|| made!(client, torii => torii.users().get(USER)));
                            assert_eq!(outcome.unwrap_err().status().unwrap(), 503);
                            let mut slowest = slowest.lock().unwrap();
                            *slowest = took.max(*slowest);
                        }
                    });
                }
            });
            (server.count() - before - CALLS, slowest.into_inner().unwrap())
        };
        let (retries, _) = burst();
        let (more, slowest) = burst();
        println!(
            "D25 {kind:?}: {CALLS} reads of a failing service: {retries} retries; {CALLS} more: {more} retries \
             (load × {:.2}), slowest {} ms",
            (CALLS + more) as f64 / CALLS as f64,
            slowest.as_millis()
        );
        assert_eq!((retries, more), (35, 0), "{kind:?}");

        // What recovers is trusted again, step by step.
        server.set(found());
        for _ in 0..20 {
            made!(client, torii => torii.users().get(USER)).unwrap();
        }
        server.play([Reply::new(503).into(), found().into()]);
        assert_eq!(
            made!(client, torii => torii.users().get(USER))
                .unwrap()
                .attempts(),
            2,
            "{kind:?}"
        );
    });
}

/// D29: nobody comes back before the time that was asked for.
#[test]
fn a_throttled_call_never_comes_back_early() {
    const CALLS: u128 = 20;
    let asked = Duration::from_secs(2);
    std::thread::scope(|scope| {
        for kind in Kind::BOTH {
            scope.spawn(move || {
                let throttled = Script::from(Reply::new(429).header("retry-after", asked.as_secs()));
                let server = Faultd::start(found());
                server.play((0..CALLS).map(|_| throttled.clone()).chain([found().into()]).collect::<VecDeque<_>>());
                let client = kind.client(server.url());
                let started = Instant::now();
                std::thread::scope(|scope| {
                    for call in 0..CALLS {
                        let client = &client;
                        let id = uuid(call);
                        scope.spawn(move || {
                            let reply = made!(client, torii => torii.users().get(id.as_str())).unwrap();
                            assert_eq!(reply.attempts(), 2);
                        });
                    }
                });
                let mut arrivals = BTreeMap::<String, Vec<Instant>>::new();
                for request in server.requests() {
                    arrivals.entry(request.line().to_owned()).or_default().push(request.at);
                }
                let earliest = arrivals.values().map(|at| at[1] - at[0]).min().unwrap();
                let latest = arrivals.values().map(|at| at[1] - at[0]).max().unwrap();
                println!(
                    "D29 {kind:?}: {CALLS} calls told to wait 2 s: back after {:.3} to {:.3} s, all done in {:.2} s",
                    earliest.as_secs_f64(),
                    latest.as_secs_f64(),
                    started.elapsed().as_secs_f64()
                );
                assert!(earliest >= asked, "{kind:?}: {earliest:?}");
                assert_eq!(server.count(), 2 * CALLS as usize);
            });
        }
    });
}

#[test]
fn clients_with_different_keys_share_nothing() {
    const CALLS: usize = 3_334;
    for kind in Kind::BOTH {
        let server = Faultd::start(found());
        let keyed = |key: &str| match kind {
            Kind::Async => Client::Async(Torii::builder(key).api_url(server.url()).build().unwrap()),
            Kind::Blocking => Client::Blocking(
                Torii::builder(key)
                    .api_url(server.url())
                    .build_blocking()
                    .unwrap(),
            ),
        };
        let id = |owner: usize, call: usize| uuid((owner * CALLS + call) as u128);
        std::thread::scope(|scope| {
            for (owner, key) in ["sk_test_zero", "sk_test_one", "sk_test_two"]
                .into_iter()
                .enumerate()
            {
                let client = keyed(key);
                scope.spawn(move || {
                    for call in 0..CALLS {
                        made!(client, torii => torii.users().get(id(owner, call).as_str())).unwrap();
                    }
                });
            }
        });
        let requests = server.requests();
        assert_eq!(requests.len(), 3 * CALLS);
        for request in requests {
            let id: UserId = request.line().split(['/', ' ']).nth(6).unwrap().parse().unwrap();
            let owner = id.as_uuid().as_u128() as usize / CALLS;
            let key = ["sk_test_zero", "sk_test_one", "sk_test_two"][owner];
            assert_eq!(
                request.header("authorization").unwrap(),
                format!("Bearer {key}"),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn a_thousand_calls_at_once_leave_no_descriptor_open() {
    let test = "faults::load::a_thousand_calls_at_once_leave_no_descriptor_open";
    in_a_child(test, &[], call_a_thousand_at_once);
}

/// In a child, because it counts the process's descriptors.
fn call_a_thousand_at_once() {
    const CALLS: usize = 1_000;
    let server = Faultd::start(Script::from(found()).after(Duration::from_millis(20)));
    let Client::Async(torii) = Kind::Async.client(server.url()) else {
        unreachable!()
    };
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    RUNTIME.block_on(async {});
    let before = descriptors();
    let done = RUNTIME.block_on(async {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| tokio::spawn(torii.users().get(USER).into_future()))
            .collect();
        let mut done = 0;
        for call in calls {
            done += usize::from(call.await.unwrap().is_ok());
        }
        done
    });
    let started = Instant::now();
    // 16 connections stay, and each has a descriptor here and one at the server, which notices late.
    while descriptors() > before + 40 && started.elapsed() < super::PROMPT {
        std::thread::sleep(Duration::from_millis(10));
    }
    let idle = descriptors() - before;
    drop(torii);
    while descriptors() > before + 4 && started.elapsed() < super::PROMPT {
        std::thread::sleep(Duration::from_millis(10));
    }
    let left = descriptors().saturating_sub(before);
    println!(
        "figure: l29 {CALLS} calls at once: {done} done, {idle} descriptors while idle, {left} after the client"
    );
    assert_eq!(done, CALLS);
    assert!(idle <= 40 && left <= 4);
}

fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

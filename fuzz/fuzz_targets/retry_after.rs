//! A reply's header lines: how long it asks to be left alone.
#![no_main]

use std::time::{SystemTime, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use torii_backend::hazmat_for_test_vectors::retry_after;
use torii_oracle::Wait;

fuzz_target!(|data: &[u8]| {
    let lines = torii_fuzz::lines(data);
    let headers = torii_fuzz::header_map(&lines);
    let earliest = torii_oracle::retry_after(&lines, now());
    let ours = retry_after(&headers);
    let latest = torii_oracle::retry_after(&lines, now());
    match (earliest, ours, latest) {
        (Wait::Open, _, _) | (_, _, Wait::Open) => {}
        // A date without one of the reply's own is compared with the clock, which runs on.
        (Wait::Of(most), Some(ours), Wait::Of(least)) => {
            let seconds = ours.as_secs() + u64::from(ours.subsec_nanos() > 0);
            assert!(
                (least..=most).contains(&seconds),
                "{ours:?}, and not from {least} to {most}"
            );
        }
        (earliest, ours, _) => assert_eq!((earliest, ours), (Wait::Unsaid, None)),
    }
});

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

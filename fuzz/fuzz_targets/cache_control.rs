//! A reply's header lines: how long it stays fresh.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use torii_backend::hazmat_for_test_vectors::freshness;
use torii_oracle::Freshness;

fuzz_target!(|data: &[u8]| {
    let lines = torii_fuzz::lines(data);
    let ours = freshness(&torii_fuzz::header_map(&lines));
    match torii_oracle::freshness(&lines) {
        Freshness::Open => {}
        Freshness::Unsaid => assert_eq!(ours, None),
        Freshness::Of(seconds) => assert_eq!(ours, Some(Duration::from_secs(seconds))),
    }
});

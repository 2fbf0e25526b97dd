//! A request's header lines: from them to a token, or the code that says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines = torii_fuzz::lines(data);
    for bench in torii_fuzz::benches() {
        bench.hold_request(&lines);
    }
});

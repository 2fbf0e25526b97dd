//! A token: accepted or refused, with which code, and what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((bench, token)) = torii_fuzz::token(data) {
        bench.hold_token(&token);
    }
});

//! Login tokens, signed by us and judged by the lab.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::token::check(data);
});

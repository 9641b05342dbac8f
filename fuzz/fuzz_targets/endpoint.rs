//! The grammar of RDS host names.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::endpoint::check(data);
});

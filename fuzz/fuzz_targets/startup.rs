//! The first packets of a Postgres client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::startup::check(data);
});

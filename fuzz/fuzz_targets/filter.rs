//! The text of a filter.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::filter::check(data);
});

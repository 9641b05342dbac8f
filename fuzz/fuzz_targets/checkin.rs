//! The check-in's body, from bytes to a submission.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::checkin::check(data);
});

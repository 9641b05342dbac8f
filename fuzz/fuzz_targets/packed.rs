//! The packed fields of forms.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sal_fuzz::packed::check(data);
});

//! Every seed through its check once: what a seed is for stands at the start of its name.

use std::path::Path;

// The instrumented code calls into it.
use libfuzzer_sys as _;
use sal_fuzz::{Outcome, checkin, endpoint, filter, packed, startup, token};

#[test]
fn every_seed_of_a_checkin_is_taken_or_refused_as_its_name_says() {
    replay("checkin", checkin::check);
}

#[test]
fn every_seed_of_an_endpoint_is_taken_or_refused_as_its_name_says() {
    replay("endpoint", endpoint::check);
}

#[test]
fn every_seed_of_a_filter_is_taken_or_refused_as_its_name_says() {
    replay("filter", filter::check);
}

#[test]
fn every_seed_of_a_packed_field_is_taken_or_refused_as_its_name_says() {
    replay("packed", packed::check);
}

#[test]
fn every_seed_of_a_first_packet_is_taken_or_refused_as_its_name_says() {
    replay("startup", startup::check);
}

#[test]
fn every_seed_of_a_token_is_taken_or_refused_as_its_name_says() {
    replay("token", token::check);
}

fn replay(target: &str, check: impl Fn(&[u8]) -> Outcome) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut counts = [0, 0];
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = match name.split('-').next() {
            Some("taken") => Outcome::Accepted,
            Some("refused") => Outcome::Refused,
            _ => panic!("{name} is named neither `taken-…` nor `refused-…`"),
        };
        assert_eq!(
            check(&std::fs::read(&path).unwrap()),
            expected,
            "{target}/{name}"
        );
        counts[usize::from(expected == Outcome::Refused)] += 1;
    }
    assert!(
        counts.iter().all(|count| *count > 0),
        "{target}: {counts:?}"
    );
}

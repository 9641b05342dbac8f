//! The grammar of RDS host names, which decides what a token is signed for and whom the certificate must name.
//!
//! The dangerous mistake is to take a stranger's name for Amazon's: the token would be signed for it. So the
//! domains are written down here a second time.

use rds_iam::RdsEndpoint;
use rds_iam::endpoint::{EndpointKind, canonical};
use rds_iam::region;

use crate::Outcome;

/// Checks one host name; a second line, if there is one, is a region given by the operator.
pub fn check(data: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(data);
    let (host, explicit) = text.split_once('\n').unwrap_or((&text, ""));
    let parsed = RdsEndpoint::parse(host);
    the_region_is_never_guessed(host, explicit, parsed.as_ref().ok());
    match parsed {
        Ok(endpoint) => {
            is_a_database_of_amazon(&endpoint);
            is_canonical(host, &endpoint);
            Outcome::Accepted
        }
        Err(error) => {
            assert!(error.host.chars().count() <= 255, "a message without end");
            Outcome::Refused
        }
    }
}

fn is_a_database_of_amazon(endpoint: &RdsEndpoint) {
    let name = endpoint.name.as_str();
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    assert!(
        name.bytes().all(allowed),
        "{name:?} is no lower-case host name"
    );
    assert!(name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len())));
    assert!(
        DOMAINS.iter().any(|domain| name.ends_with(domain)),
        "{name} is not Amazon's"
    );
    let service =
        |label: &str| ["rds", "rds-fips", "dsql"].contains(&label) || label.starts_with("dsql-");
    assert!(name.split('.').any(service), "{name} is no database");
    match &endpoint.region {
        Some(region) => assert!(
            name.split('.').any(|label| label == region),
            "{region}: not in {name}"
        ),
        None => assert_eq!(endpoint.kind, EndpointKind::GlobalWriter),
    }
}

/// However a name is written, it is one value, and its text is that value.
fn is_canonical(host: &str, endpoint: &RdsEndpoint) {
    assert_eq!(endpoint.name, canonical(host));
    let name = &endpoint.name;
    for spelling in [name.clone(), name.to_ascii_uppercase(), format!("{name}.")] {
        assert_eq!(
            RdsEndpoint::parse(&spelling).as_ref(),
            Ok(endpoint),
            "{spelling}"
        );
    }
    for stranger in [
        format!("{name}.example"),
        format!("{name}:5432"),
        format!("{name}.."),
        format!("x@{name}"),
    ] {
        assert!(
            RdsEndpoint::parse(&stranger).is_err(),
            "{stranger} was accepted"
        );
    }
}

fn the_region_is_never_guessed(host: &str, explicit: &str, endpoint: Option<&RdsEndpoint>) {
    let named = endpoint.and_then(|endpoint| endpoint.region.as_deref());
    let Ok(choice) = region::choose(Some(explicit), endpoint, host) else {
        assert!(
            !explicit.trim().is_empty() || named.is_none(),
            "the endpoint's own region was refused"
        );
        return;
    };
    let known = [Some(explicit.trim()), named].contains(&Some(choice.region.as_str()));
    assert!(known, "{} comes from nowhere", choice.region);
    // A slash in the region would move the borders of the credential scope.
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    assert!(!choice.region.is_empty() && choice.region.bytes().all(allowed));
    let contradicts = named.is_some_and(|named| named != choice.region);
    assert_eq!(choice.warning.is_some(), contradicts);
}

const DOMAINS: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazonaws.au",
    ".amazonaws.uk",
    ".c2s.ic.gov",
    ".csp.hci.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".on.aws",
];

//! Which region signs for a database: the rules, in one pure function.
//!
//! A region given by the operator rules, because some names carry none and some set-ups differ on
//! purpose; a contradiction with the endpoint is returned as a warning. Without one the region
//! comes from the endpoint. There is no default: a token for a guessed region is refused with a
//! message that names neither region.

use thiserror::Error;

use crate::{endpoint::RdsEndpoint, status::LoginWarning};

/// The region to sign with, and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionChoice {
    /// The region's code, such as `eu-west-1`.
    pub region: String,
    /// Set when the operator's region is not the endpoint's.
    pub warning: Option<LoginWarning>,
}

/// No region can be told.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegionError {
    /// Neither the operator nor the endpoint names a region.
    #[error("no region is configured and `{host}` does not carry one")]
    Unknown {
        /// The host name that was looked at.
        host: String,
    },
    /// The configured text cannot be a region.
    #[error("`{region}` is not a region")]
    Malformed {
        /// The configured text.
        region: String,
    },
}

/// Chooses the region to sign with.
///
/// # Errors
/// When `explicit` is not the code of a region, or when nothing names one.
pub fn choose(
    explicit: Option<&str>,
    endpoint: Option<&RdsEndpoint>,
    host: &str,
) -> Result<RegionChoice, RegionError> {
    let named = endpoint.and_then(|endpoint| endpoint.region.as_deref());
    let explicit = explicit.map(str::trim).filter(|text| !text.is_empty());
    let Some(explicit) = explicit else {
        return named
            .map(|region| RegionChoice {
                region: region.to_owned(),
                warning: None,
            })
            .ok_or_else(|| RegionError::Unknown {
                host: host.to_owned(),
            });
    };
    if !looks_like_a_region(explicit) {
        return Err(RegionError::Malformed {
            region: explicit.chars().take(64).collect(),
        });
    }
    let warning = named.filter(|region| *region != explicit).map(|region| {
        LoginWarning::RegionContradiction {
            configured: explicit.to_owned(),
            endpoint: region.to_owned(),
        }
    });
    Ok(RegionChoice {
        region: explicit.to_owned(),
        warning,
    })
}

/// New partitions may name regions in ways not known here: only the alphabet is checked.
fn looks_like_a_region(text: &str) -> bool {
    text.len() <= 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> RdsEndpoint {
        RdsEndpoint::parse("sal.abc123.eu-west-1.rds.amazonaws.com").unwrap()
    }

    #[test]
    fn the_endpoint_names_the_region() {
        let choice = choose(None, Some(&endpoint()), "sal").unwrap();
        assert_eq!(
            (choice.region.as_str(), choice.warning),
            ("eu-west-1", None)
        );
    }

    #[test]
    fn an_explicit_region_rules_and_a_contradiction_is_reported() {
        let choice = choose(Some("us-east-1"), Some(&endpoint()), "sal").unwrap();
        assert_eq!(choice.region, "us-east-1");
        assert_eq!(
            choice.warning,
            Some(LoginWarning::RegionContradiction {
                configured: "us-east-1".to_owned(),
                endpoint: "eu-west-1".to_owned()
            })
        );
        assert_eq!(
            choose(Some("eu-west-1"), Some(&endpoint()), "sal")
                .unwrap()
                .warning,
            None
        );
    }

    #[test]
    fn there_is_no_default_region() {
        let error = choose(None, None, "db.example.com").unwrap_err();
        assert!(matches!(error, RegionError::Unknown { .. }));
        assert!(choose(Some("  "), None, "db.example.com").is_err());
    }

    #[test]
    fn a_zone_or_a_sentence_is_not_a_region() {
        for text in ["US-EAST-1", "us-east-1 ", "us east", "eu-west-1/x"] {
            let result = choose(Some(text), None, "db");
            assert_eq!(result.is_ok(), text.trim() == "us-east-1", "{text}");
        }
    }
}

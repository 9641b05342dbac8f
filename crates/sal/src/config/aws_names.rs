//! What AWS calls things, as people have it at hand: each is understood, or refused with what to write instead.
//!
//! Pure. Where a name comes from, a flag or a variable, is said by whoever reads it.

/// Reads a region's code.
///
/// # Errors
/// What it is instead.
pub(crate) fn region(text: &str) -> Result<String, String> {
    if rds_iam::endpoint::is_region(text) {
        return Ok(text.to_owned());
    }
    let zone = text.strip_suffix(|c: char| c.is_ascii_lowercase());
    Err(
        match zone.filter(|rest| rds_iam::endpoint::is_region(rest)) {
            Some(region) => format!("`{text}` is an availability zone; write {region}"),
            None => format!("`{text}` is not a region; write its code, such as us-west-2"),
        },
    )
}

/// Reads the id that policies name: of an instance, a cluster or a proxy.
///
/// # Errors
/// What it is instead, and where the id is found.
pub(crate) fn resource_id(text: &str) -> Result<String, String> {
    let upper = |rest: &str| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let of_database = ["db-", "cluster-"]
        .iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .any(upper);
    let of_proxy = text.strip_prefix("prx-").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if of_database || of_proxy {
        return Ok(text.to_owned());
    }
    let what = match text {
        "" => "it is empty".to_owned(),
        _ if text.starts_with("arn:") => format!("`{text}` is an ARN"),
        _ if text.contains('*') => {
            return Err(format!(
                "`{text}` is a wildcard; every database of the account is --any-database"
            ));
        }
        _ if text.contains('.') => format!("`{text}` is a host name"),
        _ => format!("`{text}` looks like an identifier"),
    };
    Err(format!(
        "{what}; a resource id is db-…, cluster-… or prx-… with capitals and digits, such as db-ABCDEFGHIJKL01234567890123: under Configuration in the RDS console, or from aws rds describe-db-instances --query 'DBInstances[].[DBInstanceIdentifier,DbiResourceId]'"
    ))
}

/// Reads the number of an account.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn account(text: &str) -> Result<String, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.len() == 12 {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is not the number of an AWS account: twelve digits, without dashes, zeros in front included; aws sts get-caller-identity prints it"
    ))
}

/// Reads a Postgres user to log in as.
///
/// # Errors
/// When it is empty, or cannot be in a start-up message.
pub(crate) fn postgres_user(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty; name the Postgres user, such as salawsiam".to_owned());
    }
    if text.contains('\0') {
        return Err("a NUL byte is no part of a name".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids_are_those_of_instances_clusters_and_proxies() {
        for id in [
            "db-ABCDEFGHIJKL01234567890123",
            "cluster-ABCDEFGHIJKL01234",
            "prx-0123456789abcdef01",
            "prx-ABCDEFGHIJKL01234",
            "db-MINE",
        ] {
            assert_eq!(resource_id(id).as_deref(), Ok(id));
        }
        for (id, words) in [
            ("sal-sandbox", "an identifier"),
            ("db-sandbox", "an identifier"),
            ("cluster-sal", "an identifier"),
            ("db-", "an identifier"),
            ("", "empty"),
            (
                "arn:aws:rds:us-west-2:123456789012:db:sal-sandbox",
                "an ARN",
            ),
            ("arn:aws:rds-db:us-west-2:1:dbuser:db-ABC/u", "an ARN"),
            ("sal.abc.us-west-2.rds.amazonaws.com", "a host name"),
            ("db-ABC/salawsiam", "an identifier"),
            (" db-ABC", "an identifier"),
            ("*", "--any-database"),
            ("db-*", "--any-database"),
        ] {
            let why = resource_id(id).unwrap_err();
            assert!(why.contains(words), "{id}: {why}");
        }
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert_eq!(account("012345678901").as_deref(), Ok("012345678901"));
        for text in ["12", "", "1234-5678-9012", "1234567890123", "12345678901x"] {
            assert!(account(text).is_err(), "{text}");
        }
    }

    #[test]
    fn regions_of_every_partition_are_read_and_nonsense_is_not() {
        for text in ["us-west-2", "us-gov-east-1", "us-isob-east-1", "cn-north-1"] {
            assert_eq!(region(text).as_deref(), Ok(text));
        }
        for text in ["", "nonsense", "us-west", "US-WEST-2", "us_west_2", "-1"] {
            assert!(region(text).unwrap_err().contains("us-west-2"), "{text}");
        }
        let zone = region("eu-west-1b").unwrap_err();
        assert!(zone.ends_with("write eu-west-1"), "{zone}");
    }
}

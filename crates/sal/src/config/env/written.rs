//! How values come to be written: in quotes that `docker --env-file` keeps, with the remark of the wiki page's line, under a
//! name with a blank.

use std::collections::BTreeMap;

/// A value as it was found.
pub(super) enum Written {
    Text(String),
    /// Bytes that are no text.
    Unreadable,
}

/// The values of these names. The wiki page writes `AWS_RDS_REGION ="us-west-2"`: a blank around a name is none of it, and
/// the name without one wins.
#[expect(
    clippy::disallowed_methods,
    reason = "a part of the one place that reads the environment"
)]
pub(super) fn found_names(names: &[&'static str]) -> BTreeMap<&'static str, Written> {
    let mut found = BTreeMap::new();
    for name in names {
        match std::env::var(name) {
            Ok(text) => drop(found.insert(*name, Written::Text(text))),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                drop(found.insert(*name, Written::Unreadable))
            }
        }
    }
    for (written, value) in std::env::vars_os() {
        let (Some(written), Some(value)) = (written.to_str(), value.to_str()) else {
            continue;
        };
        let name = names.iter().find(|name| **name == written.trim());
        if let Some(name) = name.filter(|name| **name != written) {
            found
                .entry(*name)
                .or_insert_with(|| Written::Text(value.to_owned()));
        }
    }
    found
}

/// Everything that is set, by name without the blanks around it; what is not UTF-8 is made so.
pub(super) fn all() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name).trim().to_owned(), text(value)))
        .collect()
}

/// What stands between the quotes around a value, where the quotes are all that an env file kept: `"x"`, `'x'`, and the
/// wiki page's `"x" # a remark`.
pub(super) fn unquoted(value: &str) -> Option<String> {
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inner, rest) = value.get(1..)?.split_once(quote)?;
    let rest = rest.trim_start();
    let is_remark = rest.starts_with('#');
    (rest.is_empty() || is_remark).then(|| inner.trim().to_owned())
}

/// A message without what stands before an `@` in it: the user and the password of a URL, or of something like one.
pub(super) fn without_passwords(text: String) -> String {
    if !text.contains('@') {
        return text;
    }
    let ends_a_value = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '=');
    let mut shown = String::new();
    for part in text.split_inclusive(ends_a_value) {
        match part.rsplit_once('@') {
            Some((before, after)) => {
                if let Some((scheme, _)) = before.split_once("://") {
                    shown.push_str(scheme);
                    shown.push_str("://");
                }
                shown.push_str("***@");
                shown.push_str(after);
            }
            None => shown.push_str(part),
        }
    }
    shown
}

/// Names that the AWS libraries and the HTTP client read for themselves: quotes around them cannot be taken off here, and
/// would lead to another identity or to none.
#[expect(
    clippy::disallowed_methods,
    reason = "a part of the one place that reads the environment"
)]
pub(super) fn quoted_for_the_sdk() -> Vec<String> {
    let quoted = |name: &str| std::env::var(name).is_ok_and(|value| unquoted(&value).is_some());
    let told = |name: &str| {
        format!(
            "{name} stands in quotes, which are taken for a part of it; `docker --env-file` keeps them: take them off"
        )
    };
    let found = READ_BY_OTHERS.iter().filter(|name| quoted(name));
    found.map(|name| told(name)).collect()
}

const READ_BY_OTHERS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_remarks_of_an_env_file_are_no_part_of_a_value() {
        for (value, inner) in [
            ("\"true\"", Some("true")),
            ("'db.example'", Some("db.example")),
            (" \"sal\" ", Some("sal")),
            ("\"\"", Some("")),
            (
                "\"us-west-2\" # Or whatever region your RDS database exists in",
                Some("us-west-2"),
            ),
            ("\"a\",\"b\"", None),
            ("\"", None),
            ("\"half", None),
            ("it's", None),
            ("", None),
            ("plain", None),
        ] {
            assert_eq!(unquoted(value).as_deref(), inner, "{value}");
        }
    }
}

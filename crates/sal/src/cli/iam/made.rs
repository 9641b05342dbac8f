//! What organizations demand of what is made in IAM, as it is written on a command line.

/// The ARN of a policy.
pub(super) fn boundary(text: &str) -> Result<String, String> {
    let name = text
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":iam::"))
        .and_then(|(_, rest)| rest.split_once(":policy/"));
    match name {
        Some((_, name)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err(
            "write the ARN of a policy, such as arn:aws:iam::123456789012:policy/edge".to_owned(),
        ),
    }
}

/// A path of IAM: begins and ends with a slash.
pub(super) fn path(text: &str) -> Result<String, String> {
    // IAM API Reference, `Path`: printable ASCII between two slashes.
    let inside = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() > 512 || !inside || !text.starts_with('/') || !text.ends_with('/') {
        return Err("a path begins and ends with a slash, such as /apps/".to_owned());
    }
    Ok(text.to_owned())
}

/// `KEY=VALUE`; the value may be empty and may hold more signs of equality.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write KEY=VALUE".to_owned())?;
    let (length, of_value) = (key.chars().count(), value.chars().count());
    if length == 0 || length > 128 || of_value > 256 {
        return Err("a key has 1 to 128 characters, a value 256 at most".to_owned());
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Err("keys that begin with `aws:` are AWS's own".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iam_would_refuse_is_refused_here() {
        for text in ["edge", "arn:aws:iam::1:role/edge", "arn:aws:iam::1:policy/"] {
            assert!(boundary(text).is_err(), "{text}");
        }
        assert!(boundary("arn:aws:iam::aws:policy/PowerUserAccess").is_ok());
        for text in ["", "apps", "/apps", "apps/", "/a b/"] {
            assert!(path(text).is_err(), "{text}");
        }
        assert_eq!(path("/apps/mac/").as_deref(), Ok("/apps/mac/"));
        for text in ["", "team", "=x", "aws:x=y", "AWS:x=y"] {
            assert!(tag(text).is_err(), "{text}");
        }
        let read = tag("team=a=b").unwrap();
        assert_eq!(read, ("team".to_owned(), "a=b".to_owned()));
        assert_eq!(tag("team=").unwrap().1, "");
    }
}

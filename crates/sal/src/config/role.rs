//! A role's name, as people have it at hand: the name itself, or one of the ARNs that hold it.

use std::str::FromStr;

/// The name of an IAM role, and its account where an ARN said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleName {
    /// Without its path.
    pub(crate) name: String,
    pub(crate) account: Option<String>,
}

impl RoleName {
    /// Reads `sal-task`, `arn:aws:iam::123456789012:role/path/sal-task`, or the ARN of a session that assumed it.
    ///
    /// # Errors
    /// What it is instead, and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, account) = match text.strip_prefix("arn:") {
            None => (text, None),
            Some(rest) => {
                let (account, name) = of_arn(rest).ok_or_else(|| {
                    format!("`{text}` is not the ARN of a role; write its name, or arn:aws:iam::ACCOUNT:role/NAME")
                })?;
                (name, Some(account.to_owned()))
            }
        };
        // IAM API Reference, `RoleName`.
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(format!(
                "`{name}` is not the name of a role: letters, digits and _+=,.@- without a path, 64 at most"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            account,
        })
    }
}

impl FromStr for RoleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// Account and name, behind `arn:`.
fn of_arn(rest: &str) -> Option<(&str, &str)> {
    let mut parts = rest.splitn(5, ':');
    let (partition, service, region, account, resource) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    );
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !partition.starts_with("aws") || !region.is_empty() || !is_account {
        return None;
    }
    let name = match (service, resource.split_once('/')?) {
        // A path stands before the name.
        ("iam", ("role", path)) => path.rsplit('/').next()?,
        ("sts", ("assumed-role", session)) => session.split('/').next()?,
        _ => return None,
    };
    Some((account, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_its_name_or_an_arn_that_holds_it() {
        for (text, name, account) in [
            ("sal-task", "sal-task", None),
            (
                "arn:aws:iam::123456789012:role/sal-task",
                "sal-task",
                Some("123456789012"),
            ),
            (
                "arn:aws-us-gov:iam::123456789012:role/service-role/x",
                "x",
                Some("123456789012"),
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/sal-task/abc",
                "sal-task",
                Some("123456789012"),
            ),
        ] {
            let role = RoleName::parse(text).unwrap();
            assert_eq!(
                (role.name.as_str(), role.account.as_deref()),
                (name, account),
                "{text}"
            );
        }
        for text in [
            "",
            "role/sal-task",
            "arn:aws:iam::123456789012:user/sal",
            "arn:aws:iam::123456789012:policy/sal",
            "arn:aws:iam::12:role/sal",
            "arn:aws:rds:us-west-2:123456789012:db:sal",
            "arn:aws:iam::123456789012:role/",
        ] {
            assert!(RoleName::parse(text).is_err(), "{text}");
        }
    }
}

//! What organizations demand of everything that is made in IAM: a permissions boundary, a path, tags.

use serde::Serialize;

/// What every policy and role gets that is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The ARN of the policy that limits a role.
    pub boundary: Option<String>,
    /// Such as `/apps/`; begins and ends with a slash.
    pub path: Option<String>,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
}

impl Made {
    /// The path as it stands in an ARN: without the slash before it, empty where there is none.
    #[must_use]
    pub fn path_in_arn(&self) -> &str {
        let path = self.path.as_deref().unwrap_or("/");
        path.strip_prefix('/').unwrap_or(path)
    }

    /// The ARN that a policy of this name has.
    #[must_use]
    pub fn policy_arn(&self, partition: &str, account: &str, name: &str) -> String {
        format!(
            "arn:{partition}:iam::{account}:policy/{}{name}",
            self.path_in_arn()
        )
    }

    /// Parameters of IAM's Query API for what every kind of thing takes.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        parameters.extend(self.path.clone().map(|path| ("Path".to_owned(), path)));
        for ((key, value), number) in self.tags.iter().zip(1..) {
            parameters.push((format!("Tags.member.{number}.Key"), key.clone()));
            parameters.push((format!("Tags.member.{number}.Value"), value.clone()));
        }
        parameters
    }

    /// The same for the AWS CLI; empty or with a blank in front.
    pub(super) fn options(&self, shell: fn(&str) -> String) -> String {
        let mut text = String::new();
        if let Some(path) = &self.path {
            text.push_str(&format!(" --path {}", shell(path)));
        }
        if !self.tags.is_empty() {
            let tags: Vec<String> = self
                .tags
                .iter()
                .map(|(key, value)| {
                    shell(&serde_json::json!({"Key": key, "Value": value}).to_string())
                })
                .collect();
            text.push_str(&format!(" --tags {}", tags.join(" ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_part_of_the_arn() {
        let arn = |path: Option<&str>| {
            let made = Made {
                path: path.map(str::to_owned),
                ..Made::default()
            };
            made.policy_arn("aws", "123456789012", "sal")
        };
        assert_eq!(arn(None), "arn:aws:iam::123456789012:policy/sal");
        assert_eq!(arn(Some("/")), "arn:aws:iam::123456789012:policy/sal");
        assert_eq!(
            arn(Some("/a/b/")),
            "arn:aws:iam::123456789012:policy/a/b/sal"
        );
    }
}

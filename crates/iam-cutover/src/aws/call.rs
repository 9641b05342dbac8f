//! The calls that change something, as values: shown before they are made, and undone by others.

use serde::Serialize;

use super::{
    made::Made,
    rds::{AUTH_LOG, TargetKind},
};

/// A call that changes something in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwsCall {
    /// `rds:ModifyDBInstance` or `rds:ModifyDBCluster`, at once, and waiting until it is live.
    SetIamAuthentication {
        /// Instance or cluster.
        kind: TargetKind,
        /// Its identifier.
        identifier: String,
        /// On or off.
        enabled: bool,
    },
    /// `rds:ModifyDBInstance` or `rds:ModifyDBCluster`, at once: whether [`AUTH_LOG`] is exported to CloudWatch.
    ExportAuthLog {
        /// Instance or cluster.
        kind: TargetKind,
        /// Its identifier.
        identifier: String,
        /// Exported or not.
        enabled: bool,
    },
    /// `iam:CreatePolicy`.
    CreatePolicy {
        /// The policy's name.
        name: String,
        /// The document.
        document: String,
        /// What everything made gets.
        made: Box<Made>,
    },
    /// `iam:DeletePolicy`.
    DeletePolicy {
        /// The policy's ARN.
        arn: String,
    },
    /// `iam:CreateRole`.
    CreateRole {
        /// The role's name.
        name: String,
        /// Who may assume it.
        trust: String,
        /// What everything made gets.
        made: Box<Made>,
    },
    /// `iam:DeleteRole`.
    DeleteRole {
        /// The role's name.
        name: String,
    },
    /// `iam:AttachRolePolicy`.
    AttachRolePolicy {
        /// The role's name.
        role: String,
        /// The policy's ARN.
        arn: String,
    },
    /// `iam:DetachRolePolicy`.
    DetachRolePolicy {
        /// The role's name.
        role: String,
        /// The policy's ARN.
        arn: String,
    },
}

impl AwsCall {
    /// The same as a line for the AWS CLI.
    #[must_use]
    pub fn cli(&self) -> String {
        match self {
            Self::SetIamAuthentication {
                kind,
                identifier,
                enabled,
            } => {
                let no = if *enabled { "" } else { "no-" };
                format!(
                    "{} --{no}enable-iam-database-authentication --apply-immediately",
                    modify(*kind, identifier)
                )
            }
            Self::ExportAuthLog {
                kind,
                identifier,
                enabled,
            } => format!(
                "{} --cloudwatch-logs-export-configuration {} --apply-immediately",
                modify(*kind, identifier),
                shell(&log_change(*enabled))
            ),
            Self::CreatePolicy {
                name,
                document,
                made,
            } => format!(
                "aws iam create-policy --policy-name {} --policy-document {}{}",
                shell(name),
                shell(document),
                made.options(shell)
            ),
            Self::DeletePolicy { arn } => {
                format!("aws iam delete-policy --policy-arn {}", shell(arn))
            }
            Self::CreateRole { name, trust, made } => {
                let boundary = made.boundary.as_ref().map_or_else(String::new, |arn| {
                    format!(" --permissions-boundary {}", shell(arn))
                });
                format!(
                    "aws iam create-role --role-name {} --assume-role-policy-document {}{boundary}{}",
                    shell(name),
                    shell(trust),
                    made.options(shell)
                )
            }
            Self::DeleteRole { name } => format!("aws iam delete-role --role-name {}", shell(name)),
            Self::AttachRolePolicy { role, arn } => format!(
                "aws iam attach-role-policy --role-name {} --policy-arn {}",
                shell(role),
                shell(arn)
            ),
            Self::DetachRolePolicy { role, arn } => format!(
                "aws iam detach-role-policy --role-name {} --policy-arn {}",
                shell(role),
                shell(arn)
            ),
        }
    }

    /// The call that takes this one back, when it needs nothing but this one's values.
    #[must_use]
    pub(crate) fn inverse(&self, policy_arn: &str) -> Option<Self> {
        Some(match self {
            Self::SetIamAuthentication {
                kind,
                identifier,
                enabled,
            } => Self::SetIamAuthentication {
                kind: *kind,
                identifier: identifier.clone(),
                enabled: !enabled,
            },
            Self::ExportAuthLog {
                kind,
                identifier,
                enabled,
            } => Self::ExportAuthLog {
                kind: *kind,
                identifier: identifier.clone(),
                enabled: !enabled,
            },
            Self::CreatePolicy { .. } => Self::DeletePolicy {
                arn: policy_arn.to_owned(),
            },
            Self::CreateRole { name, .. } => Self::DeleteRole { name: name.clone() },
            Self::AttachRolePolicy { role, arn } => Self::DetachRolePolicy {
                role: role.clone(),
                arn: arn.clone(),
            },
            Self::DeletePolicy { .. } | Self::DeleteRole { .. } | Self::DetachRolePolicy { .. } => {
                return None;
            }
        })
    }
}

fn modify(kind: TargetKind, identifier: &str) -> String {
    let word = match kind {
        TargetKind::Cluster => "cluster",
        TargetKind::Instance | TargetKind::Proxy => "instance",
    };
    format!(
        "aws rds modify-db-{word} --db-{word}-identifier {}",
        shell(identifier)
    )
}

fn log_change(enabled: bool) -> String {
    let list = if enabled { "Enable" } else { "Disable" };
    format!("{{\"{list}LogTypes\":[\"{AUTH_LOG}\"]}}")
}

/// A word for a POSIX shell.
pub fn shell(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_line_a_shell_takes() {
        let call = AwsCall::SetIamAuthentication {
            kind: TargetKind::Instance,
            identifier: "sal sandbox's".to_owned(),
            enabled: true,
        };
        assert_eq!(
            call.cli(),
            r"aws rds modify-db-instance --db-instance-identifier 'sal sandbox'\''s' --enable-iam-database-authentication --apply-immediately"
        );
        assert_eq!(call.inverse("").unwrap().inverse(""), Some(call));
    }
}

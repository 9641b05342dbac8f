//! What whoever talks to AWS may do there: the server, the doctor, the operator of a move. One table for all of them.
//!
//! Not a wish list: each action is one that a command calls, and a test compares both (`sal/tests/it/rights.rs`).

use serde_json::{Value, json};

use super::ConnectPolicy;
use crate::aws::{Made, TargetKind};

/// Who a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// `sal serve`: logs in, and asks AWS nothing.
    Server,
    /// `sal iam doctor`: reads, and changes nothing.
    Doctor,
    /// `sal iam plan`, `apply`, `verify` and `rollback`, with `--aws`.
    Operator,
}

/// Everything a policy for somebody depends on.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// Who it is for.
    pub holder: Holder,
    /// The logins that the move is about.
    pub connect: &'a ConnectPolicy,
    /// The deployment's role; without it every role of the account.
    pub role: Option<&'a str>,
    /// The policy that the operator makes.
    pub policy_name: &'a str,
    /// What the operator gives to what it makes.
    pub made: &'a Made,
    /// Whether the operator makes the role, too.
    pub makes_role: MakesRole,
    /// Whose flag the operator switches, where that is known.
    pub database: Option<(TargetKind, &'a str)>,
}

/// Whether a missing role is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakesRole {
    /// It is there.
    No,
    /// It is made, with a trust policy.
    Yes,
}

impl Rights<'_> {
    /// The policy document.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut statements = Vec::new();
        if self.holder != Holder::Doctor {
            statements.push(self.connect.statement());
        }
        if self.holder >= Holder::Doctor {
            statements.extend(self.reading());
        }
        if self.holder == Holder::Operator {
            statements.extend(self.changing());
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn reading(&self) -> Vec<Value> {
        let ConnectPolicy {
            partition,
            region,
            account,
            ..
        } = self.connect;
        let roles = match self.holder {
            // Its own role, too, whatever that is: whether it may log in is read before the first step.
            Holder::Operator => json!(self.role_arn("*")),
            Holder::Server | Holder::Doctor => self.roles(),
        };
        vec![
            allow("DescribeDatabases", DESCRIBE, &json!("*")),
            allow("ReadRole", READ_ROLE, &roles),
            // Any policy may be attached to the role.
            allow("ReadPolicies", READ_POLICIES, &json!("*")),
            allow("ReadLoginMetrics", READ_METRICS, &json!("*")),
            allow(
                "ReadLoginLog",
                READ_LOG,
                &json!(format!(
                    "arn:{partition}:logs:{region}:{account}:log-group:/aws/rds/*"
                )),
            ),
        ]
    }

    fn changing(&self) -> Vec<Value> {
        let policy = self.policy_arn();
        let tagged = !self.made.tags.is_empty();
        let mut of_policy = MAKE_POLICY.to_vec();
        if tagged {
            of_policy.push("iam:TagPolicy");
        }
        let mut attach = allow("AttachPolicy", ATTACH, &self.roles());
        // Without it the holder could give the role every right of the account.
        put(
            &mut attach,
            "Condition",
            json!({"ArnEquals": {"iam:PolicyARN": policy}}),
        );
        let mut statements = vec![
            self.switching(),
            allow("MakePolicy", &of_policy, &json!(policy)),
            attach,
        ];
        if self.makes_role == MakesRole::Yes {
            let mut make = allow("MakeRole", &["iam:CreateRole"], &self.made_role());
            if let Some(boundary) = &self.made.boundary {
                let only = json!({"StringEquals": {"iam:PermissionsBoundary": boundary}});
                put(&mut make, "Condition", only);
            }
            statements.push(make);
            if tagged {
                statements.push(allow("TagRole", &["iam:TagRole"], &self.made_role()));
            }
        }
        statements
    }

    fn switching(&self) -> Value {
        let ConnectPolicy {
            partition,
            region,
            account,
            ..
        } = self.connect;
        let arn = |kind: &str, name: &str| {
            format!("arn:{partition}:rds:{region}:{account}:{kind}:{name}")
        };
        let (actions, resources): (&[&str], Vec<String>) = match self.database {
            Some((TargetKind::Cluster, name)) => {
                (&["rds:ModifyDBCluster"], vec![arn("cluster", name)])
            }
            Some((_, name)) => (&["rds:ModifyDBInstance"], vec![arn("db", name)]),
            None => (
                &["rds:ModifyDBCluster", "rds:ModifyDBInstance"],
                vec![arn("cluster", "*"), arn("db", "*")],
            ),
        };
        allow("SwitchIamAuthentication", actions, &json!(resources))
    }

    /// The role, wherever it stands: the path of one that is there is not known, and that of one that is missing is none.
    fn roles(&self) -> Value {
        let names = match self.role {
            None => vec!["*".to_owned()],
            Some(name) => vec![name.to_owned(), format!("*/{name}")],
        };
        let arns = names.iter().map(|name| json!(self.role_arn(name)));
        arns.collect()
    }

    /// The role that is made.
    fn made_role(&self) -> Value {
        let name = self.role.unwrap_or("*");
        json!(self.role_arn(&format!("{}{name}", self.made.path_in_arn())))
    }

    fn role_arn(&self, name: &str) -> String {
        let ConnectPolicy {
            partition, account, ..
        } = self.connect;
        format!("arn:{partition}:iam::{account}:role/{name}")
    }

    fn policy_arn(&self) -> String {
        self.made.policy_arn(
            &self.connect.partition,
            &self.connect.account,
            self.policy_name,
        )
    }
}

fn allow(sid: &str, actions: &[&str], resource: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

fn put(statement: &mut Value, name: &str, value: Value) {
    if let Some(statement) = statement.as_object_mut() {
        statement.insert(name.to_owned(), value);
    }
}

const DESCRIBE: &[&str] = &[
    "rds:DescribeDBInstances",
    "rds:DescribeDBClusters",
    "rds:DescribeDBClusterEndpoints",
    "rds:DescribeGlobalClusters",
    "rds:DescribeBlueGreenDeployments",
    "rds:DescribeDBProxies",
    "rds:DescribeDBProxyEndpoints",
    "rds:DescribeDBProxyTargets",
    "rds:DescribeDBEngineVersions",
    "rds:DescribeDBParameters",
];
const READ_ROLE: &[&str] = &[
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:SimulatePrincipalPolicy",
];
const READ_POLICIES: &[&str] = &["iam:GetPolicy", "iam:GetPolicyVersion"];
const READ_METRICS: &[&str] = &["cloudwatch:GetMetricStatistics"];
const READ_LOG: &[&str] = &["logs:FilterLogEvents"];
const MAKE_POLICY: &[&str] = &["iam:CreatePolicy", "iam:DeletePolicy"];
const ATTACH: &[&str] = &["iam:AttachRolePolicy", "iam:DetachRolePolicy"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Verdict, example, judge};

    fn document(holder: Holder, made: &Made, makes_role: MakesRole) -> String {
        let connect = example();
        let rights = Rights {
            holder,
            connect: &connect,
            role: Some("sal-task"),
            policy_name: "sal-rds-iam",
            made,
            makes_role,
            database: Some((TargetKind::Instance, "sal-sandbox")),
        };
        rights.document().to_string()
    }

    #[test]
    fn the_server_may_log_in_and_the_doctor_may_change_nothing() {
        let made = Made::default();
        let server = document(Holder::Server, &made, MakesRole::No);
        assert_eq!(judge(&server, &example().arns()[0], None), Verdict::Allows);
        assert!(!server.contains("Describe") && !server.contains("iam:"));
        let doctor = document(Holder::Doctor, &made, MakesRole::No);
        for change in ["rds-db:", "Create", "Delete", "Attach\"", "Modify", "Tag"] {
            assert!(!doctor.contains(change), "{change}: {doctor}");
        }
        assert!(doctor.contains("arn:aws:iam::123456789012:role/sal-task"));
    }

    #[test]
    fn the_operator_attaches_only_the_policy_of_the_move_and_tags_only_where_asked() {
        let plain = document(Holder::Operator, &Made::default(), MakesRole::No);
        assert!(plain.contains(
            r#"{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::123456789012:policy/sal-rds-iam"}}"#
        ));
        assert!(plain.contains("arn:aws:rds:us-west-2:123456789012:db:sal-sandbox"));
        assert!(!plain.contains("CreateRole") && !plain.contains("Tag"));
        let made = Made {
            boundary: Some("arn:aws:iam::123456789012:policy/edge".to_owned()),
            path: Some("/apps/".to_owned()),
            tags: vec![("team".to_owned(), "mac".to_owned())],
        };
        let whole = document(Holder::Operator, &made, MakesRole::Yes);
        for part in [
            "iam:CreateRole",
            "iam:TagRole",
            "iam:TagPolicy",
            "role/apps/sal-task",
            "policy/apps/sal-rds-iam",
            r#"{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/edge"}"#,
        ] {
            assert!(whole.contains(part), "{part} in {whole}");
        }
    }
}

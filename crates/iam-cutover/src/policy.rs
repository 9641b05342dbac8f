//! The exact IAM policy for a login, in every form it is wanted in, and a judge of policies that exist.
//!
//! `arn:PARTITION:rds-db:REGION:ACCOUNT:dbuser:RESOURCE-ID/USER` (AWS, "Creating and using an IAM
//! policy for IAM database access"). The resource id is not the identifier: `db-…` for an instance,
//! `cluster-…` for a cluster, `prx-…` for a proxy.

mod judge;
mod rights;
mod template;
mod trust;

use serde::Serialize;
use serde_json::{Value, json};

pub use self::{
    judge::{Verdict, judge},
    rights::{Holder, MakesRole, Rights},
    template::{Code, aws_cli, cloudformation, terraform},
    trust::{Trust, TrustError},
};

/// What a policy is to allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectPolicy {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// The database's region.
    pub region: String,
    /// The database's account.
    pub account: String,
    /// Resource ids; `*` only when somebody asked for it.
    pub resources: Vec<String>,
    /// The Postgres user; `*` only when somebody asked for it.
    pub user: String,
}

impl ConnectPolicy {
    /// The resources of `rds-db:connect`.
    #[must_use]
    pub fn arns(&self) -> Vec<String> {
        let Self {
            partition,
            region,
            account,
            user,
            ..
        } = self;
        let arn =
            |id: &String| format!("arn:{partition}:rds-db:{region}:{account}:dbuser:{id}/{user}");
        self.resources.iter().map(arn).collect()
    }

    /// The statement that lets somebody log in.
    pub(crate) fn statement(&self) -> Value {
        json!({
            "Sid": "ConnectWithIam",
            "Effect": "Allow",
            "Action": ["rds-db:connect"],
            "Resource": self.arns(),
        })
    }

    /// The policy document of Sal's wiki page: what the server needs, and the part of the doctor's that the page has.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "Version": "2012-10-17",
            "Statement": [
                self.statement(),
                {
                    "Sid": "DescribeDatabases",
                    "Effect": "Allow",
                    "Action": DESCRIBE,
                    "Resource": "*",
                },
            ],
        })
    }

    /// Whether a document grants all of it.
    #[must_use]
    pub fn is_granted_by(&self, document: &str) -> bool {
        let arns = self.arns();
        arns.iter()
            .all(|arn| judge(document, arn, None) == Verdict::Allows)
    }
}

/// What Sal's wiki page lists; only `sal iam doctor` makes use of it.
const DESCRIBE: [&str; 3] = [
    "rds:DescribeDBInstances",
    "rds:DescribeDBClusters",
    "rds:DescribeDBEngineVersions",
];

#[cfg(test)]
pub(crate) fn example() -> ConnectPolicy {
    ConnectPolicy {
        partition: "aws".to_owned(),
        region: "us-west-2".to_owned(),
        account: "123456789012".to_owned(),
        resources: vec!["db-ABC".to_owned(), "db-REPLICA".to_owned()],
        user: "salawsiam".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_every_resource_id_and_the_user() {
        let policy = example();
        assert_eq!(
            policy.arns(),
            [
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-ABC/salawsiam",
                "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-REPLICA/salawsiam",
            ]
        );
        let document = policy.document().to_string();
        assert!(policy.is_granted_by(&document));
        assert!(!document.contains("dbuser:*"));
    }
}

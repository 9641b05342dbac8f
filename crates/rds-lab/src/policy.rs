//! Which principal may `rds-db:connect` as which database user.
//!
//! A list of allowances, as attached IAM policies would be; nothing is allowed by default.

use std::sync::{Mutex, PoisonError};

use crate::credentials::Identity;
use crate::pattern::fits;

/// The policy table of the lab's AWS account.
#[derive(Debug)]
pub(crate) struct Policy {
    /// `arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE/`, to which the user is added.
    resource_prefix: String,
    allowed: Mutex<Vec<Allowance>>,
}

#[derive(Debug)]
struct Allowance {
    principal: String,
    resource: String,
}

impl Policy {
    pub(crate) fn new(region: &str, account: &str, resource_id: &str) -> Self {
        Self {
            resource_prefix: format!("arn:aws:rds-db:{region}:{account}:dbuser:{resource_id}/"),
            allowed: Mutex::default(),
        }
    }

    /// Allows `principal` (an ARN, wildcards allowed) to connect to `user_or_arn`.
    pub(crate) fn allow(&self, principal: &str, user_or_arn: &str) {
        let resource = if user_or_arn.starts_with("arn:") {
            user_or_arn.to_owned()
        } else {
            self.resource(user_or_arn)
        };
        let principal = principal.to_owned();
        self.list(|allowed| {
            allowed.push(Allowance {
                principal,
                resource,
            });
        });
    }

    /// Takes back everything that was allowed to exactly this principal.
    pub(crate) fn revoke(&self, principal: &str) {
        self.list(|allowed| allowed.retain(|allowance| allowance.principal != principal));
    }

    pub(crate) fn allows(&self, identity: &Identity, resource: &str) -> bool {
        self.list(|allowed| {
            allowed.iter().any(|allowance| {
                let principal = &allowance.principal;
                (fits(principal, &identity.principal) || fits(principal, &identity.caller))
                    && fits(&allowance.resource, resource)
            })
        })
    }

    pub(crate) fn resource(&self, user: &str) -> String {
        format!("{}{user}", self.resource_prefix)
    }

    fn list<T>(&self, use_it: impl FnOnce(&mut Vec<Allowance>) -> T) -> T {
        use_it(&mut self.allowed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_counts_only_for_its_principal_user_and_resource() {
        let policy = Policy::new("us-west-2", "123456789012", "db-ONE");
        let role = Identity {
            principal: "arn:aws:iam::123456789012:role/sal".to_owned(),
            caller: "arn:aws:sts::123456789012:assumed-role/sal/one".to_owned(),
        };
        assert!(!policy.allows(&role, &policy.resource("salawsiam")));
        policy.allow("arn:aws:iam::123456789012:role/other", "*");
        policy.allow("*", "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-TWO/*");
        assert!(!policy.allows(&role, &policy.resource("salawsiam")));
        policy.allow("arn:aws:iam::123456789012:role/sal", "sal*");
        assert!(policy.allows(&role, &policy.resource("salawsiam")));
        assert!(!policy.allows(&role, &policy.resource("postgres")));
        policy.revoke("arn:aws:iam::123456789012:role/sal");
        assert!(!policy.allows(&role, &policy.resource("salawsiam")));
    }
}

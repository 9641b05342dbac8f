//! The IAM of the lab's account: roles, managed policies, and what they allow. Documents count as IAM reads them.
//!
//! Users are administrators; roles have what their policies give them. A judge of its own: the reader of policies in
//! the tool under test is another one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::credentials::Identity;
use crate::pattern::fits;

/// Everything IAM knows.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<State>);

#[derive(Debug, Default)]
pub(crate) struct State {
    /// By name.
    pub(crate) roles: BTreeMap<String, Role>,
    /// By ARN.
    pub(crate) policies: BTreeMap<String, String>,
    /// Denied by the organisation, whatever policies say.
    pub(crate) organization_denies: Vec<String>,
}

/// A role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) arn: String,
    /// Who may assume it, as JSON.
    pub(crate) trust: String,
    /// The ARN of the policy that limits it.
    pub(crate) boundary: Option<String>,
    /// ARNs of managed policies.
    pub(crate) attached: Vec<String>,
    /// Inline policies by name.
    pub(crate) inline: BTreeMap<String, String>,
}

/// What IAM decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

impl Directory {
    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a caller may do something.
    pub(crate) fn decide(
        &self,
        identity: &Identity,
        action: &str,
        resource: &str,
        keys: &[(&str, &str)],
    ) -> Decision {
        if identity.principal.contains(":user/") && !action.starts_with("rds-db:") {
            return Decision::Allowed;
        }
        let name = identity.principal.rsplit('/').next().unwrap_or_default();
        self.with(|state| state.decide(name, action, resource, keys))
    }

    /// Whether an AWS service may assume a role; a role without a document has no opinion.
    pub(crate) fn trusts_service(&self, role: &str, service: &str) -> bool {
        self.with(|state| {
            let Some(role) = state.roles.get(role) else {
                return true;
            };
            role.trust.is_empty() || trusts(&role.trust, "Service", service)
        })
    }

    /// Whether a principal may assume a role by its document.
    pub(crate) fn trusts_principal(&self, role: &str, identity: &Identity) -> bool {
        self.with(|state| {
            let trust = state
                .roles
                .get(role)
                .map(|role| role.trust.as_str())
                .unwrap_or_default();
            [&identity.principal, &identity.caller]
                .iter()
                .any(|arn| trusts(trust, "AWS", arn))
        })
    }
}

impl State {
    pub(crate) fn decide(
        &self,
        role: &str,
        action: &str,
        resource: &str,
        keys: &[(&str, &str)],
    ) -> Decision {
        if self
            .organization_denies
            .iter()
            .any(|denied| fits(denied, action))
        {
            return Decision::ExplicitDeny;
        }
        let Some(role) = self.roles.get(role) else {
            return Decision::ImplicitDeny;
        };
        let managed = role
            .attached
            .iter()
            .filter_map(|arn| self.policies.get(arn));
        let mut decision = Decision::ImplicitDeny;
        for document in managed.chain(role.inline.values()) {
            match judge(document, action, resource, keys) {
                Decision::ExplicitDeny => return Decision::ExplicitDeny,
                Decision::Allowed => decision = Decision::Allowed,
                Decision::ImplicitDeny => {}
            }
        }
        let limits = role.boundary.iter();
        let mut limits = limits.filter_map(|arn| self.policies.get(arn));
        if limits.any(|limit| judge(limit, action, resource, keys) != Decision::Allowed) {
            return Decision::ImplicitDeny;
        }
        decision
    }
}

/// What one document says.
fn judge(document: &str, action: &str, resource: &str, keys: &[(&str, &str)]) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in statements(document) {
        let about = list(&statement, "Action")
            .iter()
            .any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()))
            && list(&statement, "Resource")
                .iter()
                .any(|pattern| fits(pattern, resource));
        if !about {
            continue;
        }
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") => return Decision::ExplicitDeny,
            Some("Allow") if holds(statement.get("Condition"), keys) => {
                decision = Decision::Allowed;
            }
            _ => {}
        }
    }
    decision
}

/// Whether a condition holds for a request with these keys; a login's request carries none.
fn holds(condition: Option<&Value>, keys: &[(&str, &str)]) -> bool {
    let operators = condition.and_then(Value::as_object).into_iter().flatten();
    operators
        .flat_map(|(operator, wanted)| {
            wanted
                .as_object()
                .into_iter()
                .flatten()
                .map(move |one| (operator, one))
        })
        .all(|(operator, (key, _))| {
            let known = matches!(operator.as_str(), "ArnEquals" | "ArnLike" | "StringEquals");
            let wanted = condition
                .and_then(|condition| condition.get(operator))
                .map(|wanted| list(wanted, key))
                .unwrap_or_default();
            let given = keys
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(key));
            known
                && given
                    .map(|(_, value)| value)
                    .any(|value| wanted.iter().any(|pattern| fits(pattern, value)))
        })
}

/// Whether a document can be a policy; IAM refuses one without statements, actions or resources.
pub(crate) fn is_policy(document: &str) -> bool {
    let all = statements(document);
    !all.is_empty()
        && all.iter().all(|statement| {
            !list(statement, "Action").is_empty()
                && !list(statement, "Resource").is_empty()
                && matches!(
                    statement.get("Effect").and_then(Value::as_str),
                    Some("Allow" | "Deny")
                )
        })
}

fn trusts(document: &str, kind: &str, who: &str) -> bool {
    statements(document).iter().any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let assume = list(statement, "Action")
            .iter()
            .any(|action| action.starts_with("sts:AssumeRole"));
        let principal = statement.get("Principal");
        let everybody = principal.and_then(Value::as_str) == Some("*");
        let named = principal
            .map(|principal| list(principal, kind))
            .unwrap_or_default();
        allows && assume && (everybody || named.iter().any(|pattern| fits(pattern, who)))
    })
}

fn statements(document: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

fn list(value: &Value, name: &str) -> Vec<String> {
    match value.get(name) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_its_documents_say_and_no_more() {
        let directory = Directory::default();
        let role = Identity {
            principal: "arn:aws:iam::1:role/sal".to_owned(),
            caller: "arn:aws:sts::1:assumed-role/sal/x".to_owned(),
        };
        let resource = "arn:aws:rds-db:us-west-2:1:dbuser:db-ONE/salawsiam";
        let may = || directory.decide(&role, "rds-db:connect", resource, &[]);
        assert_eq!(may(), Decision::ImplicitDeny);
        let allow = format!(
            "{{\"Statement\": {{\"Effect\": \"Allow\", \"Action\": \"rds-db:connect\", \"Resource\": \"{resource}\"}}}}"
        );
        directory.with(|state| {
            let entry = state.roles.entry("sal".to_owned()).or_default();
            entry.inline.insert("connect".to_owned(), allow.clone());
        });
        assert_eq!(may(), Decision::Allowed);
        assert_eq!(
            directory.decide(
                &role,
                "rds-db:connect",
                "arn:aws:rds-db:us-west-2:1:dbuser:db-TWO/salawsiam",
                &[]
            ),
            Decision::ImplicitDeny
        );
        let deny = allow.replace("Allow", "Deny");
        directory.with(|state| {
            let entry = state.roles.entry("sal".to_owned()).or_default();
            entry.inline.insert("deny".to_owned(), deny);
        });
        assert_eq!(may(), Decision::ExplicitDeny);
        // A condition counts for requests that carry its key, and for no login.
        let condition = r#""Condition": {"ArnEquals": {"iam:PolicyARN": "arn:x"}}, "Effect""#;
        let limited = allow.replace("\"Effect\"", condition);
        let with = |keys: &[(&str, &str)]| judge(&limited, "rds-db:connect", resource, keys);
        assert_eq!(with(&[("iam:policyarn", "arn:x")]), Decision::Allowed);
        assert_eq!(with(&[("iam:PolicyARN", "arn:y")]), Decision::ImplicitDeny);
        assert_eq!(with(&[]), Decision::ImplicitDeny);
        assert!(is_policy(&allow));
        assert!(!is_policy(
            "{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"x\"}]}"
        ));
    }
}

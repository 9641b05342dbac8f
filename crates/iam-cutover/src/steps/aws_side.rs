//! The AWS side: IAM authentication on, an exact policy, and the role that has it.

use serde_json::Value;

use crate::{
    aws::{AwsCall, AwsSide, TargetKind},
    plan::Extent,
    steps::{Action, Context, Part, Step},
};

pub(super) struct AwsPart;

impl Part for AwsPart {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let Some(side) = context.aws else {
            return Vec::new();
        };
        let steps = [enable(side), policy(side), role(side), attach(side)];
        steps.into_iter().flatten().collect()
    }

    /// Takes the policy off the role and away. IAM authentication stays on: others may use it, and it harms nobody.
    fn reverse(&self, context: &Context<'_>, _extent: Extent) -> Vec<Step> {
        let Some((side, role)) = context
            .aws
            .and_then(|side| Some((side, side.role.as_ref()?)))
        else {
            return Vec::new();
        };
        // By what it says, not by its name alone: another deployment may have taken the name.
        let exact = side.policy.document();
        let same = |document: &str| {
            serde_json::from_str(document).is_ok_and(|found: Value| found == exact)
        };
        let name = &side.wish.policy_name;
        let policies = role.policies.iter();
        policies
            .filter(|policy| policy.name == *name && same(&policy.document))
            .filter_map(|policy| policy.arn.clone())
            .flat_map(|arn| {
                let detach = AwsCall::DetachRolePolicy {
                    role: role.name.clone(),
                    arn: arn.clone(),
                };
                [
                    taken_back(
                        "detach-policy",
                        format!("Detach {name} from {}", role.name),
                        detach,
                    ),
                    taken_back(
                        "delete-policy",
                        format!("Delete the policy {name}, unless something else uses it"),
                        AwsCall::DeletePolicy { arn },
                    ),
                ]
            })
            .collect()
    }
}

fn taken_back(id: &str, what: String, call: AwsCall) -> Step {
    Step::new(id, what, Action::Aws(call))
        .because("The deployment logs in with its password again.")
        .verified_by("IAM has it no more")
}

fn enable(side: &AwsSide) -> Option<Step> {
    let target = &side.target;
    // A proxy has its own settings, and a busy status says nothing about the flag.
    let on = target.iam_enabled == Some(true) && target.iam_pending != Some(false);
    if on || target.kind == TargetKind::Proxy {
        return None;
    }
    let call = AwsCall::SetIamAuthentication {
        kind: target.kind,
        identifier: target.identifier.clone(),
        enabled: true,
    };
    // What somebody else switched on stays on; a change that was pending counts as somebody else's.
    let undo = match (target.iam_enabled, target.iam_pending) {
        (Some(false), None) => lines(&call, side),
        _ => Vec::new(),
    };
    Some(step(
        "enable-iam-authentication",
        format!(
            "Switch IAM authentication of {} on, at once",
            target.identifier
        ),
        "Without it RDS takes the token for a password. Password logins of other users go on. Without --apply-immediately the change waits for the maintenance window while everything reports success.",
        call,
        match target.kind {
            TargetKind::Cluster => {
                "DescribeDBClusters says enabled, nothing is pending, and the status is available again"
            }
            _ => {
                "DescribeDBInstances says enabled, nothing is pending, and the status is available again"
            }
        },
        undo,
    ))
}

fn policy(side: &AwsSide) -> Option<Step> {
    let attached = side.role.iter().flat_map(|role| &role.policies);
    if attached
        .into_iter()
        .any(|policy| side.policy.is_granted_by(&policy.document))
    {
        return None;
    }
    let call = AwsCall::CreatePolicy {
        name: side.wish.policy_name.clone(),
        document: side.policy.document().to_string(),
        made: Box::new(side.wish.made.clone()),
    };
    let undo = lines(&call, side);
    Some(step(
        "create-policy",
        format!("Make the policy {}", side.wish.policy_name),
        "It allows rds-db:connect as this user on these resource ids, and nothing else but describing databases. The resource id is not the identifier.",
        call,
        "GetPolicy has it",
        undo,
    ))
}

fn role(side: &AwsSide) -> Option<Step> {
    let (name, trust) = (side.wish.role.as_ref()?, side.wish.trust.as_ref()?);
    if side.role.is_some() {
        return None;
    }
    let call = AwsCall::CreateRole {
        name: name.clone(),
        trust: trust.clone(),
        made: Box::new(side.wish.made.clone()),
    };
    let undo = lines(&call, side);
    Some(step(
        "create-iam-role",
        format!("Make the IAM role {name}"),
        "The deployment assumes it and gets temporary credentials; its trust policy says who may.",
        call,
        "GetRole has it",
        undo,
    ))
}

fn attach(side: &AwsSide) -> Option<Step> {
    let name = side.wish.role.as_ref()?;
    let known = side.role.is_some() || side.wish.trust.is_some();
    let granted = side.role.iter().flat_map(|role| &role.policies);
    if !known
        || granted
            .into_iter()
            .any(|policy| side.policy.is_granted_by(&policy.document))
    {
        return None;
    }
    let call = AwsCall::AttachRolePolicy {
        role: name.clone(),
        arn: policy_arn(side),
    };
    let undo = lines(&call, side);
    Some(step(
        "attach-policy",
        format!("Attach {} to {name}", side.wish.policy_name),
        "IAM takes some seconds until a new attachment counts; the login is tried again meanwhile.",
        call,
        "ListAttachedRolePolicies has it, and the new user logs in",
        undo,
    ))
}

fn policy_arn(side: &AwsSide) -> String {
    let (policy, wish) = (&side.policy, &side.wish);
    wish.made
        .policy_arn(&policy.partition, &policy.account, &wish.policy_name)
}

fn lines(call: &AwsCall, side: &AwsSide) -> Vec<String> {
    let inverse = call.inverse(&policy_arn(side));
    inverse.iter().map(AwsCall::cli).collect()
}

fn step(
    id: &str,
    what: String,
    why: &str,
    call: AwsCall,
    verified_by: &str,
    undo: Vec<String>,
) -> Step {
    Step::new(id, what, Action::Aws(call))
        .because(why)
        .verified_by(verified_by)
        .undone_by(undo)
}

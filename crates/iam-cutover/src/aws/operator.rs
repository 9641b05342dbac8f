//! Whether whoever runs a move may log in with a token, as far as policies can be read: before the first step, when
//! the new user does not exist yet and nothing can be tried.

use jiff::Timestamp;
use rds_iam::RdsEndpoint;

use super::{
    client::AwsApi,
    iam::RoleFacts,
    side::{Answer, look_at_database},
    sts::Caller,
};
use crate::policy::{Verdict, judge};

/// Whose credentials sign the proof of the new user's login, and whether they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who AWS says it is; `None` where AWS could not be asked.
    pub arn: Option<String>,
    /// Whether it may log in as the new user.
    pub may: MayConnect,
}

/// Whether somebody may `rds-db:connect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayConnect {
    /// Its policies say so.
    Yes,
    /// They do not; says why.
    No(String),
    /// That cannot be read; says why.
    Unknown(String),
}

/// Asks AWS who signs, and what its policies say of the database's new user.
pub async fn operator(
    api: &AwsApi,
    endpoint: Result<&RdsEndpoint, &str>,
    user: &str,
    now: Timestamp,
) -> Operator {
    let facts = look_at_database(api, endpoint).await;
    let Some(caller) = facts.caller.known() else {
        return Operator {
            arn: None,
            may: MayConnect::Unknown(facts.caller.why_not()),
        };
    };
    let resource = facts
        .policy(api, user)
        .and_then(|policy| policy.arns().into_iter().next());
    let may = match resource {
        Some(resource) => may_connect(api, caller, &resource, now).await,
        None => MayConnect::Unknown(format!(
            "the resource id is not known: {}",
            facts.target.why_not()
        )),
    };
    Operator {
        arn: Some(caller.arn.clone()),
        may,
    }
}

async fn may_connect(api: &AwsApi, caller: &Caller, resource: &str, now: Timestamp) -> MayConnect {
    if let Some(name) = caller.role_name() {
        match Answer::of(api.role(&name).await) {
            Answer::Known(Some(role)) => return by_policies(&role, resource, now),
            Answer::Known(None) => {}
            other => return MayConnect::Unknown(other.why_not()),
        }
    }
    // A user's policies come from groups, too: the simulator reads them, and only its yes is believed.
    let principal = caller.principal();
    let simulated = api.simulate(&principal, "rds-db:connect", resource).await;
    match Answer::of(simulated) {
        Answer::Known(found) if found.decision == "allowed" => MayConnect::Yes,
        Answer::Known(found) => MayConnect::Unknown(format!(
            "IAM's simulator says {}, which it does at times of who may",
            found.decision
        )),
        other => MayConnect::Unknown(other.why_not()),
    }
}

/// A role's policies are all there is that can allow it; boundaries and organizations can only take away.
fn by_policies(role: &RoleFacts, resource: &str, now: Timestamp) -> MayConnect {
    let mut allowed = false;
    let (mut mistaken, mut uncertain) = (None, None);
    for policy in &role.policies {
        match judge(&policy.document, resource, Some(now)) {
            Verdict::Allows => allowed = true,
            Verdict::Denies => {
                return MayConnect::No(format!("its policy {} denies it", policy.name));
            }
            Verdict::Mistaken(why) => mistaken = Some(format!("its policy {}: {why}", policy.name)),
            Verdict::Uncertain(why) => {
                uncertain = Some(format!("its policy {}: {why}", policy.name));
            }
            Verdict::Silent => {}
        }
    }
    match (uncertain, allowed) {
        (Some(why), _) => MayConnect::Unknown(why),
        (None, true) => MayConnect::Yes,
        (None, false) => MayConnect::No(mistaken.unwrap_or_else(|| {
            format!(
                "none of its {} policies allows rds-db:connect on {resource}",
                role.policies.len()
            )
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aws::AttachedPolicy, policy::example};

    #[test]
    fn a_role_may_what_its_policies_say_and_what_is_uncertain_is_unknown() {
        let resource = &example().arns()[0];
        let judged = |documents: &[String]| {
            let policies = documents.iter().map(|document| AttachedPolicy {
                name: "p".to_owned(),
                arn: None,
                document: document.clone(),
            });
            let role = RoleFacts {
                name: "r".to_owned(),
                arn: String::new(),
                trust: String::new(),
                boundary: None,
                policies: policies.collect(),
            };
            by_policies(&role, resource, Timestamp::UNIX_EPOCH)
        };
        let exact = example().document().to_string();
        let deny = exact.replace("\"Allow\"", "\"Deny\"");
        let variable = exact.replace("salawsiam", "${aws:username}");
        assert_eq!(judged(std::slice::from_ref(&exact)), MayConnect::Yes);
        assert!(matches!(judged(&[]), MayConnect::No(_)));
        assert!(matches!(judged(&[exact, deny]), MayConnect::No(_)));
        assert!(matches!(judged(&[variable]), MayConnect::Unknown(_)));
    }
}

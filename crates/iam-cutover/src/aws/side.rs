//! Looks at everything AWS will show, and keeps apart "is not so" from "may not be asked".

use jiff::{SignedDuration, Timestamp};
use rds_iam::RdsEndpoint;
use serde::Serialize;

use super::{
    client::{AwsApi, AwsError},
    cloudwatch::{AuthErrorLine, AuthMetric},
    iam::{RoleFacts, Simulation},
    made::Made,
    rds::{DatabaseTarget, EngineVersion, TargetKind},
    sts::Caller,
};
use crate::{plan::Finding, policy::ConnectPolicy};

/// What AWS said to one question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "value")]
pub enum Answer<T> {
    /// This.
    Known(T),
    /// The caller may not ask; names the permission.
    Denied {
        /// Such as `rds:DescribeDBInstances`.
        permission: String,
    },
    /// No answer; says why.
    Failed(String),
    /// It was not asked; says why: the failure before it, where there was one.
    NotAsked(String),
}

/// What is wanted in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AwsWish {
    /// The role that the deployment assumes.
    pub role: Option<String>,
    /// The policy to make and attach.
    pub policy_name: String,
    /// Who may assume the role; then a missing role is made.
    pub trust: Option<String>,
    /// What everything made gets.
    pub made: Made,
}

/// Everything that AWS shows of the move.
#[derive(Clone, Debug, Serialize)]
pub struct AwsFacts {
    /// Who asks.
    pub caller: Answer<Caller>,
    /// What the endpoint belongs to.
    pub target: Answer<Option<DatabaseTarget>>,
    /// The cluster of an instance in one: its flag counts.
    pub cluster: Answer<Option<DatabaseTarget>>,
    /// Read replicas; each has a resource id of its own.
    pub replicas: Vec<DatabaseTarget>,
    /// Its engine version.
    pub engine: Answer<Option<EngineVersion>>,
    /// The parameter `rds.iam_auth_for_replication`.
    pub replication: Answer<Option<String>>,
    /// The role.
    pub role: Answer<Option<RoleFacts>>,
    /// What the simulator thinks of its connecting.
    pub simulation: Answer<Simulation>,
    /// Recent lines of `iam-db-auth-error`.
    pub auth_errors: Answer<Option<Vec<AuthErrorLine>>>,
    /// The seven metrics of the last quarter of an hour.
    pub metrics: Answer<Vec<AuthMetric>>,
}

/// What the plan needs to know of AWS.
#[derive(Clone, Debug, Serialize)]
pub struct AwsSide {
    /// What is wanted.
    pub wish: AwsWish,
    /// Whose flag counts: the instance, or its cluster.
    pub target: DatabaseTarget,
    /// The exact policy.
    pub policy: ConnectPolicy,
    /// The role, when it is there.
    pub role: Option<RoleFacts>,
    /// What should be known.
    pub warnings: Vec<Finding>,
}

impl<T> Answer<T> {
    /// The answer, if there is one.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Why there is none; empty when there is.
    #[must_use]
    pub fn why_not(&self) -> String {
        match self {
            Self::Known(_) => String::new(),
            Self::Denied { permission } => format!("not permitted to ask; it takes {permission}"),
            Self::Failed(why) => why.clone(),
            Self::NotAsked(why) => why.clone(),
        }
    }

    /// The same, said of something that needs this answer.
    fn instead<U>(&self) -> Answer<U> {
        match self {
            Self::Denied { permission } => Answer::Denied {
                permission: permission.clone(),
            },
            other => Answer::NotAsked(other.why_not()),
        }
    }

    pub(super) fn of(result: Result<T, AwsError>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(AwsError::Denied { action, .. }) => Self::Denied { permission: action },
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl AwsFacts {
    /// Facts of nothing, with one reason.
    #[must_use]
    pub fn not_asked(why: &str) -> Self {
        let why = || why.to_owned();
        Self {
            caller: Answer::NotAsked(why()),
            target: Answer::NotAsked(why()),
            cluster: Answer::NotAsked(why()),
            replicas: Vec::new(),
            engine: Answer::NotAsked(why()),
            replication: Answer::NotAsked(why()),
            role: Answer::NotAsked(why()),
            simulation: Answer::NotAsked(why()),
            auth_errors: Answer::NotAsked(why()),
            metrics: Answer::NotAsked(why()),
        }
    }

    /// The instance or cluster whose flag counts.
    #[must_use]
    pub fn flag_owner(&self) -> Option<&DatabaseTarget> {
        let cluster = self.cluster.known().and_then(Option::as_ref);
        cluster.or_else(|| self.target.known().and_then(Option::as_ref))
    }

    /// The resource ids a policy has to name, the endpoint's own first.
    #[must_use]
    pub fn resource_ids(&self) -> Vec<String> {
        let owner = self.flag_owner().into_iter();
        owner
            .chain(&self.replicas)
            .filter_map(|target| target.resource_id.clone())
            .collect()
    }

    /// The exact policy for a user; `None` when account or resource id are not known.
    #[must_use]
    pub fn policy(&self, api: &AwsApi, user: &str) -> Option<ConnectPolicy> {
        let resources = self.resource_ids();
        let account = self
            .flag_owner()
            .and_then(|target| target.arn.as_deref()?.split(':').nth(4));
        let account =
            account.or_else(|| self.caller.known().map(|caller| caller.account.as_str()))?;
        (!resources.is_empty()).then(|| ConnectPolicy {
            partition: api.partition().to_owned(),
            region: api.region().to_owned(),
            account: account.to_owned(),
            resources,
            user: user.to_owned(),
        })
    }
}

/// Asks AWS everything, as far as the caller may.
///
/// Where there is no endpoint, its error says why.
pub async fn look(
    api: &AwsApi,
    endpoint: Result<&RdsEndpoint, &str>,
    user: &str,
    role: Option<&str>,
    now: Timestamp,
) -> AwsFacts {
    let mut facts = look_at_database(api, endpoint).await;
    if matches!(facts.caller, Answer::Failed(_)) {
        return facts;
    }
    if endpoint.is_ok() {
        look_at_logs(api, now, &mut facts).await;
    }
    let named = role.map(str::to_owned);
    let role = named.or_else(|| facts.caller.known().and_then(Caller::role_name));
    facts.role = match &role {
        Some(role) => Answer::of(api.role(role).await),
        None => Answer::NotAsked(NO_ROLE.to_owned()),
    };
    let principal = match (&role, &facts.role) {
        (_, Answer::Known(Some(role))) => Some(role.arn.clone()),
        // What the caller itself may says nothing about a role that is not there, or that cannot be looked at.
        (Some(_), _) => None,
        (None, _) => facts.caller.known().map(Caller::principal),
    };
    if let (Some(principal), Some(policy)) = (principal, facts.policy(api, user)) {
        let resource = policy.arns().into_iter().next().unwrap_or_default();
        facts.simulation = Answer::of(api.simulate(&principal, "rds-db:connect", &resource).await);
    } else if facts.target.known().is_none() {
        facts.simulation = facts.target.instead();
    } else {
        facts.simulation = facts.role.instead();
    }
    facts
}

/// Asks AWS who the caller is and what the endpoint belongs to, and nothing else.
pub async fn look_at_database(api: &AwsApi, endpoint: Result<&RdsEndpoint, &str>) -> AwsFacts {
    let caller = Answer::of(api.caller().await);
    if let Answer::Failed(why) = &caller {
        // Without credentials or without a way to AWS every other question would fail the same way.
        return AwsFacts {
            caller: Answer::Failed(why.clone()),
            ..AwsFacts::not_asked(why)
        };
    }
    let mut facts = AwsFacts::not_asked(endpoint.err().unwrap_or_default());
    facts.caller = caller;
    if let Ok(endpoint) = endpoint {
        look_at_target(api, endpoint, &mut facts).await;
    }
    facts
}

async fn look_at_target(api: &AwsApi, endpoint: &RdsEndpoint, facts: &mut AwsFacts) {
    facts.target = Answer::of(api.target(endpoint).await);
    let Some(target) = facts.target.known().and_then(Option::as_ref).cloned() else {
        not_without_target(facts);
        return;
    };
    if let Some(cluster) = &target.cluster {
        facts.cluster = Answer::of(api.describe(TargetKind::Cluster, cluster).await);
    }
    for replica in &target.replicas {
        if let Ok(Some(replica)) = api.describe(TargetKind::Instance, replica).await {
            facts.replicas.push(replica);
        }
    }
    if target.kind != TargetKind::Proxy {
        let version = api
            .engine_version(&target.engine, &target.engine_version)
            .await;
        facts.engine = Answer::of(version);
    }
    if let (Some(group), TargetKind::Instance) = (&target.parameter_group, target.kind) {
        let value = api.parameter(group, "rds.iam_auth_for_replication").await;
        facts.replication = Answer::of(value);
    }
}

/// What depends on the database was not asked for the reason for which that is not known.
fn not_without_target(facts: &mut AwsFacts) {
    facts.cluster = facts.target.instead();
    facts.engine = facts.target.instead();
    facts.replication = facts.target.instead();
    facts.auth_errors = facts.target.instead();
    facts.metrics = facts.target.instead();
}

async fn look_at_logs(api: &AwsApi, now: Timestamp, facts: &mut AwsFacts) {
    let Some(target) = facts.target.known().and_then(Option::as_ref).cloned() else {
        return;
    };
    let hour = now
        .saturating_sub(SignedDuration::from_hours(1))
        .unwrap_or(now);
    let quarter = now
        .saturating_sub(SignedDuration::from_mins(15))
        .unwrap_or(now);
    facts.auth_errors = Answer::of(api.auth_errors(&target, hour).await);
    if target.kind == TargetKind::Instance {
        let metrics = api.auth_metrics(&target.identifier, quarter, now).await;
        facts.metrics = Answer::of(metrics);
    }
}

impl AwsSide {
    /// What the plan needs, when it is all known.
    ///
    /// # Errors
    /// Says what is not known, and which permission is missing.
    pub fn from_facts(
        facts: &AwsFacts,
        wish: AwsWish,
        policy: Option<ConnectPolicy>,
    ) -> Result<Self, String> {
        if let Answer::Failed(why) = &facts.caller {
            return Err(format!(
                "AWS cannot be asked: {why}. Fix that (`sal iam doctor` says more), or leave --aws out and do the AWS side by hand"
            ));
        }
        let Some(target) = facts.flag_owner().cloned() else {
            return Err(missing("the database", &facts.target));
        };
        let policy = policy.ok_or_else(|| missing("the resource id", &facts.target))?;
        let role = match (&wish.role, &facts.role) {
            (None, _) => None,
            (Some(_), Answer::Known(role)) => role.clone(),
            (Some(_), other) => return Err(missing("the role", other)),
        };
        let mut warnings = Vec::new();
        if wish.role.is_none() {
            warnings.push(Finding::new(
                "no_role_named",
                "No role is named, so the policy is made but attached to nothing.",
                "name the deployment's role with --role.",
            ));
        }
        if let (Some(name), None, None) = (&wish.role, &role, &wish.trust) {
            warnings.push(Finding::new(
                "role_missing",
                format!("There is no role `{name}`, and no --trust to make it with."),
                "name an existing role, or say who may assume it: --trust ecs, eks-irsa, eks-pod-identity or ec2.",
            ));
        }
        Ok(Self {
            wish,
            target,
            policy,
            role,
            warnings,
        })
    }
}

/// What a plan lacks, with the reason and what to do about it.
fn missing<T>(what: &str, answer: &Answer<T>) -> String {
    let (why, next) = match answer {
        Answer::Known(_) => (
            "nothing in this account and region has this endpoint".to_owned(),
            "check the account, the region and DB_HOST",
        ),
        Answer::Denied { .. } => (answer.why_not(), "give the permission"),
        Answer::Failed(_) | Answer::NotAsked(_) => (answer.why_not(), "fix that"),
    };
    format!("{what} is not known ({why}); {next}, or leave --aws out and do the AWS side by hand")
}

const NO_ROLE: &str = "the caller is no role, and none is named with --role";

//! Looks at everything AWS will show, and keeps apart "is not so" from "may not be asked".

use jiff::{SignedDuration, Timestamp};
use rds_iam::{RdsEndpoint, endpoint::EndpointKind};
use serde::Serialize;

use super::{
    client::{AwsApi, AwsError},
    cloudwatch::{AuthErrorLine, AuthMetric},
    iam::{RoleFacts, Simulation},
    made::Made,
    neighbours::BlueGreen,
    proxy::ProxyMode,
    rds::{AUTH_LOG, DatabaseTarget, EngineVersion, TargetKind},
    sts::Caller,
};
use crate::{
    plan::{Finding, target},
    policy::ConnectPolicy,
};

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
    /// The region that was asked; none where AWS was not asked.
    pub asked_region: Option<String>,
    /// What the endpoint belongs to.
    pub target: Answer<Option<DatabaseTarget>>,
    /// The cluster of an instance in one: its flag counts.
    pub cluster: Answer<Option<DatabaseTarget>>,
    /// The database behind a proxy.
    pub behind: Answer<Option<DatabaseTarget>>,
    /// `ANY` or `READER`: what a custom endpoint of a cluster leads to.
    pub custom_endpoint: Answer<Option<String>>,
    /// Read replicas; each has a resource id of its own.
    pub replicas: Vec<DatabaseTarget>,
    /// The blue/green deployment whose switch is still to come.
    pub blue_green: Answer<Option<BlueGreen>>,
    /// Proxies before the database.
    pub proxies: Answer<Vec<DatabaseTarget>>,
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
    /// Whether the engine can export the log of refused tokens; as far as RDS said so.
    pub exports_auth_log: bool,
    /// Why no move can be made at this endpoint.
    pub refusals: Vec<Finding>,
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
            asked_region: None,
            target: Answer::NotAsked(why()),
            cluster: Answer::NotAsked(why()),
            behind: Answer::NotAsked(why()),
            custom_endpoint: Answer::NotAsked(why()),
            replicas: Vec::new(),
            blue_green: Answer::NotAsked(why()),
            proxies: Answer::NotAsked(why()),
            engine: Answer::NotAsked(why()),
            replication: Answer::NotAsked(why()),
            role: Answer::NotAsked(why()),
            simulation: Answer::NotAsked(why()),
            auth_errors: Answer::NotAsked(why()),
            metrics: Answer::NotAsked(why()),
        }
    }

    /// The instance or cluster whose flag counts; of a standard proxy that is nobody but itself.
    #[must_use]
    pub fn flag_owner(&self) -> Option<&DatabaseTarget> {
        let cluster = self.cluster.known().and_then(Option::as_ref);
        let behind = self.behind.known().and_then(Option::as_ref);
        let target = self.target.known().and_then(Option::as_ref);
        cluster
            .or(behind.filter(|_| self.proxy_mode() == Some(ProxyMode::EndToEnd)))
            .or(target)
    }

    /// How the proxy that the endpoint belongs to logs in to its database.
    #[must_use]
    pub fn proxy_mode(&self) -> Option<ProxyMode> {
        let target = self.target.known().and_then(Option::as_ref)?;
        target.proxy.as_ref().map(|proxy| proxy.mode)
    }

    /// The instance or cluster itself, also where a proxy stands before it.
    #[must_use]
    pub fn database(&self) -> Option<&DatabaseTarget> {
        let target = self.target.known().and_then(Option::as_ref);
        match target.map(|target| target.kind) {
            Some(TargetKind::Proxy) => self.behind.known().and_then(Option::as_ref),
            _ => target,
        }
    }

    /// The resource ids a policy has to name, the endpoint's own first: with a proxy that logs in end to end also its
    /// database's, whose logins are proved without it, and before a blue/green switch those of the side to come.
    #[must_use]
    pub fn resource_ids(&self) -> Vec<String> {
        let target = self.target.known().and_then(Option::as_ref);
        let proxy = target.filter(|target| target.kind == TargetKind::Proxy);
        let blue_green = self.blue_green.known().and_then(Option::as_ref);
        let green = blue_green.into_iter().flat_map(|found| &found.green);
        let all = proxy
            .into_iter()
            .chain(self.flag_owner())
            .chain(&self.replicas)
            .chain(green);
        let mut ids: Vec<String> = Vec::new();
        for id in all.filter_map(|target| target.resource_id.clone()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// The region of the database: a global writer's endpoint does not say it.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.flag_owner()?.arn.as_deref()?.split(':').nth(3)
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
            region: self.region().unwrap_or(api.region()).to_owned(),
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

/// Asks AWS only what an endpoint belongs to, and what stands before and behind that.
pub async fn look_at_place(api: &AwsApi, endpoint: &RdsEndpoint) -> AwsFacts {
    let mut facts = AwsFacts::not_asked("not needed");
    place(api, endpoint, &mut facts).await;
    facts
}

async fn place(
    api: &AwsApi,
    endpoint: &RdsEndpoint,
    facts: &mut AwsFacts,
) -> Option<DatabaseTarget> {
    facts.asked_region = Some(api.region().to_owned());
    facts.target = Answer::of(api.target(endpoint).await);
    let target = facts.target.known()?.clone()?;
    if let Some(cluster) = &target.cluster {
        facts.cluster = Answer::of(api.describe(TargetKind::Cluster, cluster).await);
    }
    if target.kind == TargetKind::Proxy {
        facts.behind = Answer::of(api.behind_proxy(&target.identifier).await);
    }
    if endpoint.kind == EndpointKind::Custom {
        let found = api
            .custom_endpoint(&target.identifier, &endpoint.name)
            .await;
        facts.custom_endpoint = Answer::of(found);
    }
    Some(target)
}

async fn look_at_target(api: &AwsApi, endpoint: &RdsEndpoint, facts: &mut AwsFacts) {
    let Some(target) = place(api, endpoint, facts).await else {
        not_without_target(facts);
        return;
    };
    if let Some(database) = facts.flag_owner().cloned()
        && database.kind != TargetKind::Proxy
    {
        facts.blue_green = Answer::of(api.blue_green(&database).await);
        facts.proxies = Answer::of(api.proxies_before(&database).await);
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
    facts.behind = facts.target.instead();
    facts.custom_endpoint = facts.target.instead();
    facts.blue_green = facts.target.instead();
    facts.proxies = facts.target.instead();
    facts.engine = facts.target.instead();
    facts.replication = facts.target.instead();
    facts.auth_errors = facts.target.instead();
    facts.metrics = facts.target.instead();
}

async fn look_at_logs(api: &AwsApi, now: Timestamp, facts: &mut AwsFacts) {
    let Some(target) = facts.database().cloned() else {
        facts.auth_errors = facts.behind.instead();
        facts.metrics = facts.behind.instead();
        return;
    };
    let hour = now
        .saturating_sub(SignedDuration::from_hours(1))
        .unwrap_or(now);
    let quarter = now
        .saturating_sub(SignedDuration::from_mins(15))
        .unwrap_or(now);
    facts.auth_errors = Answer::of(api.auth_errors(&target, hour).await);
    // They are counted for instances, and nearly all logins are the writer's.
    let instance = match target.kind {
        TargetKind::Cluster => target.writer.as_ref(),
        TargetKind::Instance | TargetKind::Proxy => Some(&target.identifier),
    };
    facts.metrics = match instance {
        Some(instance) => Answer::of(api.auth_metrics(instance, quarter, now).await),
        None => Answer::NotAsked("the cluster has no writer".to_owned()),
    };
}

impl AwsSide {
    /// With what is to be said of the endpoint.
    #[must_use]
    pub fn at(mut self, endpoint: &RdsEndpoint, facts: &AwsFacts) -> Self {
        self.refusals
            .extend(target::refusals(endpoint, Some(facts)));
        self.warnings
            .extend(target::warnings(endpoint, Some(facts)));
        self
    }

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
        let mut refusals = Vec::new();
        if let (Some(name), None, None) = (&wish.role, &role, &wish.trust) {
            refusals.push(Finding::new(
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
            exports_auth_log: facts.engine.known().is_some_and(|engine| {
                let logs = engine.iter().flat_map(|engine| &engine.exportable_logs);
                logs.into_iter().any(|log| log == AUTH_LOG)
            }),
            refusals,
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

//! `sal iam policy`: the exact policy, the role's trust, or both as code. Data on stdout, remarks on stderr.

use anyhow::{Result, bail};
use iam_cutover::aws::{AwsApi, AwsFacts, Made, ProxyMode, TargetKind, look_at_database};
use iam_cutover::policy::{
    Code, ConnectPolicy, Holder, MakesRole, Rights, aws_cli, cloudformation, terraform,
};
use rds_iam::{Partition, RdsEndpoint};
use serde_json::Value;

use crate::cli::{self, POLICY_NAME, Policy, PolicyFormat};
use crate::config::Environment;
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Prints it.
pub(crate) async fn run(arguments: Policy) -> Result<Exit> {
    if arguments.format == PolicyFormat::Trust {
        let Some(trust) = super::trust(&arguments.aws, partition())? else {
            bail!("say who may assume the role: --trust ecs, eks-irsa, eks-pod-identity or ec2");
        };
        super::print_json(&trust)?;
        return Ok(Exit::Done);
    }
    let cutover = match super::cutover(&super::only_user(arguments.user.as_ref())).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    let trust = super::trust(&arguments.aws, cutover.partition())?;
    let known = known(&arguments, &cutover).await?;
    let made = arguments.aws.made();
    let document = document(&arguments, &known, &made);
    let name = name(&arguments);
    let attached = arguments.holder != Some(cli::Holder::Operator);
    let code = Code {
        document: &document,
        partition: &known.connect.partition,
        account: &known.connect.account,
        name: &name,
        role: arguments.aws.role_name().filter(|_| attached),
        trust: trust.as_ref(),
        made: &made,
    };
    remarks(&arguments, &cutover);
    match arguments.format {
        PolicyFormat::Cli => output::data(&aws_cli(&code)),
        PolicyFormat::Terraform => output::data(&terraform(&code)),
        PolicyFormat::Cloudformation => output::data(&cloudformation(&code)),
        PolicyFormat::Policy | PolicyFormat::Trust => super::print_json(&document)?,
    }
    Ok(Exit::Done)
}

/// The part of AWS that the environment's region or endpoint is in: a trust policy needs nothing else of it.
fn partition() -> Partition {
    let environment = Environment::read();
    let region = environment.text("AWS_RDS_REGION");
    let host = environment.given("DB_HOST");
    let endpoint = host.and_then(|host| RdsEndpoint::parse(&host).ok());
    match (endpoint, region) {
        (Some(endpoint), _) => endpoint.partition,
        (None, Some(region)) => Partition::of_region(&region),
        (None, None) => Partition::Aws,
    }
}

/// What a policy is made from.
struct Known {
    connect: ConnectPolicy,
    /// Whose flag counts, where RDS was asked.
    database: Option<(TargetKind, String)>,
}

fn document(arguments: &Policy, known: &Known, made: &Made) -> Value {
    let holder = match arguments.holder {
        None => return known.connect.document(),
        Some(cli::Holder::Server) => Holder::Server,
        Some(cli::Holder::Doctor) => Holder::Doctor,
        Some(cli::Holder::Operator) => Holder::Operator,
    };
    let rights = Rights {
        holder,
        connect: &known.connect,
        role: arguments.aws.role_name(),
        policy_name: &arguments.aws.policy_name,
        made,
        makes_role: match arguments.aws.trust {
            Some(_) => MakesRole::Yes,
            None => MakesRole::No,
        },
        database: known
            .database
            .as_ref()
            .map(|(kind, name)| (*kind, name.as_str())),
    };
    rights.document()
}

/// The doctor's and the operator's policies stand beside the deployment's.
fn name(arguments: &Policy) -> String {
    let given = &arguments.aws.policy_name;
    match arguments.holder {
        Some(cli::Holder::Doctor) if given == POLICY_NAME => format!("{given}-doctor"),
        Some(cli::Holder::Operator) => format!("{given}-operator"),
        _ => given.clone(),
    }
}

/// Whose policy it is, where that is not the role that is named.
fn remarks(arguments: &Policy, cutover: &Cutover) {
    if arguments.holder == Some(cli::Holder::Operator) {
        output::note(
            "Attach this to whoever runs `sal iam apply --aws`, not to the deployment's role.",
        );
    } else if let Some(role) = &cutover.config.database.role_arn {
        output::note(&format!(
            "SAL_IAM_ROLE_ARN is set: attach this to {role}; the container's own role needs sts:AssumeRole on it, and nothing else."
        ));
    }
}

async fn known(arguments: &Policy, cutover: &Cutover) -> Result<Known> {
    let new = &cutover.wish.new_user;
    if !arguments.any_user && new.contains(['*', '?', '$']) {
        bail!(
            "`{new}` would be a pattern in a policy, for others than that user; name a user without *, ? and $, or say --any-user"
        );
    }
    let user = match arguments.any_user {
        true => "*".to_owned(),
        false => cutover.wish.new_user.clone(),
    };
    let Some(api) = &cutover.aws else {
        bail!(
            "no region is known{}; set AWS_RDS_REGION or DB_HOST",
            cutover.without_endpoint()
        );
    };
    let mut resources = arguments.resource_ids.clone();
    if arguments.any_database {
        output::note("warning: --any-database allows every database of the account and region");
        resources = vec!["*".to_owned()];
    }
    if arguments.any_user {
        output::note("warning: --any-user allows every Postgres user, the master user too");
    }
    let given = ConnectPolicy {
        partition: api.partition().to_owned(),
        region: api.region().to_owned(),
        account: arguments.account.clone().unwrap_or_default(),
        resources,
        user,
    };
    if !given.account.is_empty() && !given.resources.is_empty() {
        return Ok(Known {
            connect: given,
            database: None,
        });
    }
    let facts = look_at_database(api, cutover.endpoint()).await;
    Ok(Known {
        connect: asked(given, api, &facts, cutover)?,
        database: facts
            .flag_owner()
            .map(|target| (target.kind, target.identifier.clone())),
    })
}

/// What the document does not say of itself: whose each resource is, where that is not the database alone.
fn say_whose(facts: &AwsFacts, user: &str) {
    if let Some(deployment) = facts.blue_green.known().and_then(Option::as_ref) {
        output::note(&format!(
            "note: the blue/green deployment `{}` ({}) has resource ids of its own; both sides are named until it is switched over",
            deployment.name, deployment.status
        ));
    }
    let target = facts.target.known().and_then(Option::as_ref);
    match (facts.proxy_mode(), target) {
        (Some(ProxyMode::Standard), Some(proxy)) => output::note(&format!(
            "note: this is for the proxy `{}` in its standard mode, which logs in to the database with a secret: `{user}` needs one there and must not be in rds_iam",
            proxy.identifier
        )),
        (Some(ProxyMode::EndToEnd), Some(proxy)) => output::note(&format!(
            "note: the proxy `{}` logs in end to end: its own role ({}) needs rds-db:connect on the database as `{user}`, the deployment's role on the proxy (prx-…), and on the database where it is to log in without the proxy",
            proxy.identifier,
            proxy
                .proxy
                .as_ref()
                .and_then(|facts| facts.role_arn.as_deref())
                .unwrap_or("not named"),
        )),
        _ => {}
    }
}

/// What was not given, AWS was asked for.
fn asked(
    given: ConnectPolicy,
    api: &AwsApi,
    facts: &AwsFacts,
    cutover: &Cutover,
) -> Result<ConnectPolicy> {
    let asked = facts.policy(api, &given.user);
    let account = asked
        .as_ref()
        .map(|policy| policy.account.clone())
        .or_else(|| facts.caller.known().map(|caller| caller.account.clone()));
    let Some(account) = Some(given.account.clone())
        .filter(|account| !account.is_empty())
        .or(account)
    else {
        bail!(
            "the account is not known ({}); name it with --account",
            facts.caller.why_not()
        );
    };
    if !given.resources.is_empty() {
        return Ok(ConnectPolicy { account, ..given });
    }
    say_whose(facts, &given.user);
    let Some(asked) = asked else {
        let why = match facts.target.known() {
            Some(None) => format!(
                "nothing in this account and region has the endpoint {}",
                cutover.config.database.host
            ),
            _ => facts.target.why_not(),
        };
        bail!(
            "the resource id is not known ({why}); name it with --resource-id: it is under Configuration in the RDS console, and is not the identifier"
        );
    };
    Ok(ConnectPolicy { account, ..asked })
}

//! `sal iam policy`: the exact policy, the role's trust, or both as code. Data on stdout, remarks on stderr.

use anyhow::{Result, bail};
use iam_cutover::aws::{AwsApi, AwsFacts, ProxyMode, look};
use iam_cutover::policy::{ConnectPolicy, aws_cli, cloudformation, terraform};
use rds_iam::{Partition, RdsEndpoint};

use crate::cli::{Policy, PolicyFormat};
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
    let policy = policy(&arguments, &cutover).await?;
    let (name, role) = (&arguments.aws.policy_name, arguments.aws.role_name());
    match arguments.format {
        PolicyFormat::Cli => output::data(&aws_cli(&policy, name, role, trust.as_ref())),
        PolicyFormat::Terraform => output::data(&terraform(&policy, name, role, trust.as_ref())),
        PolicyFormat::Cloudformation => {
            output::data(&cloudformation(&policy, name, role, trust.as_ref()))
        }
        PolicyFormat::Policy | PolicyFormat::Trust => super::print_json(&policy.document())?,
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

async fn policy(arguments: &Policy, cutover: &Cutover) -> Result<ConnectPolicy> {
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
        user: user.clone(),
    };
    if !given.account.is_empty() && !given.resources.is_empty() {
        return Ok(given);
    }
    asked(given, api, cutover).await
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

/// What was not given, AWS is asked for.
async fn asked(given: ConnectPolicy, api: &AwsApi, cutover: &Cutover) -> Result<ConnectPolicy> {
    let user = given.user.clone();
    let facts = look(api, cutover.endpoint(), &user, None, (cutover.clock)()).await;
    let asked = facts.policy(api, &user);
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
    say_whose(&facts, &user);
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

//! `sal iam`: one file for each command; here is what they share.

mod apply;
mod doctor;
mod env;
mod plan;
mod policy;
mod psql;
mod roots;
mod status;
mod target;
mod token;
mod unlock;
mod verify;

use anyhow::Result;
use iam_cutover::aws::{AwsSide, AwsWish, look};
use iam_cutover::policy::Trust;
use rds_iam::Partition;

use crate::cli::{self, Iam};
use crate::config::Environment;
use crate::config::cutover::CutoverConfig;
use crate::exit::Exit;
use crate::wiring::cutover::Cutover;
use crate::{commands, output};

/// Runs it.
pub(crate) async fn run(what: Iam) -> Result<Exit> {
    match what {
        Iam::Doctor(arguments) => doctor::run(arguments).await,
        Iam::Plan(arguments) => plan::run(arguments).await,
        Iam::Apply(arguments) => apply::to_iam(arguments).await,
        Iam::Verify(arguments) => verify::run(arguments).await,
        Iam::Finalize(arguments) => apply::finalize(arguments).await,
        Iam::Rollback(arguments) => apply::back(arguments).await,
        Iam::Unlock(arguments) => unlock::run(arguments).await,
        Iam::Status(arguments) => status::run(arguments).await,
        Iam::Policy(arguments) => policy::run(arguments).await,
        Iam::Token(arguments) => token::run(arguments).await,
        Iam::Env(arguments) => env::run(arguments).await,
        Iam::Psql(arguments) => psql::run(arguments).await,
        Iam::Roots => Ok(roots::run()),
    }
}

/// Reads the configuration and joins everything; a bad environment is printed whole.
async fn cutover(who: &cli::Who) -> Result<std::result::Result<Cutover, Exit>> {
    let mut environment = Environment::read();
    let config = CutoverConfig::read(who, &mut environment);
    match commands::checked(environment) {
        // What a server would be warned about is no news for whoever moves.
        Ok(_warnings) => Ok(Ok(Cutover::new(config).await?)),
        Err(exit) => Ok(Err(exit)),
    }
}

/// Only a user, for commands that need nothing else.
fn only_user(user: Option<&String>) -> cli::Who {
    cli::Who {
        user: user.cloned(),
        old_user: None,
        databases: Vec::new(),
        owner_role: None,
        grant_rds_superuser: false,
        leave_grants: false,
    }
}

/// The AWS side of a plan, as far as AWS answers.
async fn aws_side(arguments: &cli::Aws, cutover: &Cutover) -> Result<AwsSide> {
    let Some(api) = &cutover.aws else {
        anyhow::bail!(
            "no region is known{}; set AWS_RDS_REGION",
            cutover.without_endpoint()
        );
    };
    let trust = trust(arguments, cutover.partition())?;
    let wish = AwsWish {
        role: arguments.role_name().map(str::to_owned),
        policy_name: arguments.policy_name.clone(),
        trust: trust.map(|trust| trust.to_string()),
        made: arguments.made(),
    };
    let now = (cutover.clock)();
    let role = arguments.role_name();
    let facts = look(api, cutover.endpoint(), &cutover.wish.new_user, role, now).await;
    if let (Some(role), Some(caller)) = (&arguments.role, facts.caller.known())
        && let Some(account) = role
            .account
            .as_ref()
            .filter(|account| **account != caller.account)
    {
        anyhow::bail!(
            "the role `{}` is in account {account}, and these credentials are of account {}; use credentials of the role's account",
            role.name,
            caller.account
        );
    }
    let policy = facts.policy(api, &cutover.wish.new_user);
    let side = AwsSide::from_facts(&facts, wish, policy).map_err(|why| anyhow::anyhow!(why))?;
    Ok(match cutover.endpoint() {
        Ok(endpoint) => side.at(endpoint, &facts),
        Err(_) => side,
    })
}

/// The trust policy that the command line asks for.
fn trust(arguments: &cli::Aws, partition: Partition) -> Result<Option<serde_json::Value>> {
    let Some(kind) = arguments.trust else {
        return Ok(None);
    };
    let trust = match kind {
        cli::Trust::Ecs => Trust::Ecs,
        cli::Trust::EksPodIdentity => Trust::EksPodIdentity,
        cli::Trust::Ec2 => Trust::Ec2,
        cli::Trust::EksIrsa => Trust::EksIrsa {
            provider: arguments.oidc_provider.clone().unwrap_or_default(),
            service_account: arguments.service_account.clone().unwrap_or_default(),
        },
    };
    Ok(Some(trust.document(partition)?))
}

/// Prints JSON.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    output::data(&serde_json::to_string_pretty(value)?);
    Ok(())
}

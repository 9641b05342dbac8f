//! `sal iam token`: one token on stdout, nothing else anywhere.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rds_iam::{ChainSettings, CredentialCache, CredentialChain, RdsEndpoint};

use crate::cli::Token;
use crate::config::Environment;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Prints a token.
pub(crate) async fn run(arguments: Token) -> Result<Exit> {
    let mut environment = Environment::read();
    let Some(user) = arguments.user.or_else(|| environment.text("DB_USER")) else {
        output::problem("whose token? Name the Postgres user with --user, or set DB_USER");
        return Ok(Exit::Usage);
    };
    let (host, default_port, default_region) = match arguments.host {
        Some(host) => (host, 5432, None),
        None => {
            let Some(host) = environment.text("DB_HOST") else {
                output::problem("for which endpoint? Name it with --host, or set DB_HOST");
                return Ok(Exit::Usage);
            };
            let port = environment.parsed("DB_PORT", 5432, "a port");
            (host, port, environment.text("AWS_RDS_REGION"))
        }
    };
    if let Err(exit) = commands::checked(environment) {
        return Ok(exit);
    }
    let named = RdsEndpoint::parse(&host)
        .ok()
        .and_then(|endpoint| endpoint.region);
    let Some(region) = arguments.region.or(default_region).or(named) else {
        bail!("`{host}` carries no region; name it with --region");
    };
    let clock = wiring::clock();
    let at = match &arguments.at {
        Some(text) => parse_time(text)?,
        None => clock(),
    };
    let settings = ChainSettings {
        region: Some(region.clone()),
        ..ChainSettings::default()
    };
    let cache = CredentialCache::new(
        Arc::new(CredentialChain::new(settings, Arc::clone(&clock))),
        clock,
    );
    let fetched = cache
        .get()
        .await
        .context("no AWS credentials to sign with")?;
    let life = rds_iam::RDS_TOKEN_LIFE;
    let token = rds_iam::token(
        &host,
        arguments.port.unwrap_or(default_port),
        &user,
        &region,
        &fetched.credentials,
        at,
        life,
    );
    output::data(token.expose());
    Ok(Exit::Done)
}

/// The form of `X-Amz-Date`, always UTC.
fn parse_time(text: &str) -> Result<Timestamp> {
    let naive = DateTime::strptime("%Y%m%dT%H%M%SZ", text);
    let naive =
        naive.with_context(|| format!("--at `{text}` is not a time such as 20260102T030405Z"))?;
    TimeZone::UTC
        .to_timestamp(naive)
        .with_context(|| format!("--at `{text}` is out of range"))
}

//! `sal iam token`: one token on stdout, nothing else anywhere.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rds_iam::{ChainSettings, CredentialCache, CredentialChain, RdsEndpoint};

use crate::cli::Token;
use crate::exit::Exit;
use crate::{output, wiring};

/// Prints a token.
pub(crate) async fn run(arguments: Token) -> Result<Exit> {
    let named = RdsEndpoint::parse(&arguments.host)
        .ok()
        .and_then(|endpoint| endpoint.region);
    let Some(region) = arguments.region.clone().or(named) else {
        bail!(
            "`{}` carries no region; name it with --region",
            arguments.host
        );
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
        &arguments.host,
        arguments.port,
        &arguments.user,
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

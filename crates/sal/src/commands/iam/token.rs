//! `sal iam token`: one token on stdout, nothing else anywhere.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rds_iam::{ChainSettings, CredentialCache, CredentialChain, RdsEndpoint};

use crate::cli::Token;
use crate::config::Environment;
use crate::config::aws::AwsConfig;
use crate::config::aws_names;
use crate::config::host::Host;
use crate::config::target::Target;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Prints a token.
pub(crate) async fn run(arguments: Token) -> Result<Exit> {
    let mut environment = Environment::read();
    let user = arguments
        .user
        .clone()
        .or_else(|| environment.text("DB_USER"));
    let Some(user) = user else {
        output::problem("whose token? Name the Postgres user with --user, or set DB_USER");
        return Ok(Exit::Usage);
    };
    let place = match Place::read(&arguments, &mut environment) {
        Ok(place) => place,
        Err(why) => {
            output::problem(&why);
            return Ok(Exit::Usage);
        }
    };
    let aws = AwsConfig::read(&mut environment);
    if let Err(exit) = commands::checked(environment) {
        return Ok(exit);
    }
    let named = RdsEndpoint::parse(&place.host);
    let region = arguments.region.clone().or_else(|| place.region.clone());
    let of_name = named
        .as_ref()
        .ok()
        .and_then(|endpoint| endpoint.region.clone());
    let Some(region) = region.or(of_name) else {
        bail!("`{}` carries no region; name it with --region", place.host);
    };
    let clock = wiring::clock();
    let at = match &arguments.at {
        Some(text) => parse_time(text)?,
        None => clock(),
    };
    let settings = ChainSettings {
        region: Some(region.clone()),
        ca_bundle: aws.ca_bundle,
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
    if named.is_err() {
        output::note(&format!(
            "warning: `{}` is not an RDS endpoint, and RDS takes a token only for its own name",
            place.host
        ));
    }
    let Place { host, port, .. } = &place;
    let token = rds_iam::login_token(host, *port, &user, &region, &fetched.credentials, at);
    output::data(token.expose());
    Ok(Exit::Done)
}

/// What a token is for.
struct Place {
    host: String,
    port: u16,
    region: Option<String>,
}

impl Place {
    /// The endpoint of the arguments, else the deployment's.
    fn read(arguments: &Token, environment: &mut Environment) -> Result<Self, String> {
        let (name, host, port, region) = match &arguments.host {
            Some(text) => {
                let host = Host::parse(text).map_err(|why| format!("--host {why}"))?;
                if let (Some(of_host), Some(given)) = (host.port, arguments.port)
                    && of_host != given
                {
                    return Err(format!(
                        "--host ends in port {of_host} and --port is {given}; write the port once"
                    ));
                }
                let port = host.port.unwrap_or(USUAL_PORT);
                ("--host", host, port, None)
            }
            None if environment.given("DB_HOST").is_none() => {
                return Err("for which endpoint? Name it with --host, or set DB_HOST".to_owned());
            }
            None => {
                let target = Target::read(environment);
                let sign_host = Target::read_sign_host(environment);
                let sign_port = environment.given_number("SAL_DB_SIGN_PORT");
                let of_sign = sign_host.as_ref().and_then(|host| host.port);
                let port = sign_port.or(of_sign).unwrap_or(target.port);
                let region = environment.text("AWS_RDS_REGION");
                if let Some(Err(why)) = region.as_deref().map(aws_names::region) {
                    environment.problem(format!("AWS_RDS_REGION={why}"));
                }
                ("DB_HOST", sign_host.unwrap_or(target.host), port, region)
            }
        };
        let port = arguments.port.unwrap_or(port);
        if host.is_socket() {
            return Err(format!(
                "{name} is a folder of unix sockets; a token is for an RDS endpoint: name that with --host"
            ));
        }
        if matches!(port, 80 | 443) {
            return Err(format!(
                "a token cannot be signed for port {port}: RDS listens on 1150 to 65535"
            ));
        }
        Ok(Self {
            host: host.name,
            port,
            region,
        })
    }
}

const USUAL_PORT: u16 = 5432;

/// The form of `X-Amz-Date`, always UTC.
fn parse_time(text: &str) -> Result<Timestamp> {
    let naive = DateTime::strptime("%Y%m%dT%H%M%SZ", text);
    let naive =
        naive.with_context(|| format!("--at `{text}` is not a time such as 20260102T030405Z"))?;
    TimeZone::UTC
        .to_timestamp(naive)
        .with_context(|| format!("--at `{text}` is out of range"))
}

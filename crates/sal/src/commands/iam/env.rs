//! `sal iam env`: the variables of a deployment that logs in with IAM, and what other programs need.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use iam_cutover::logins::Who;
use iam_cutover::status;
use rds_iam::Authorities;

use crate::cli::{Env, EnvFormat};
use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Prints them.
pub(crate) async fn run(arguments: Env) -> Result<Exit> {
    let cutover = match super::cutover(&super::only_user(arguments.user.as_ref())).await? {
        Ok(cutover) => cutover,
        Err(exit) => return Ok(exit),
    };
    of_an_endpoint(&cutover)?;
    let text = match arguments.format {
        EnvFormat::Container => lines(&deployment(&arguments, &cutover).await, ""),
        EnvFormat::Shell => lines(&deployment(&arguments, &cutover).await, "export "),
        EnvFormat::Libpq => {
            let mut variables = libpq(&cutover).await?;
            let roots = roots(&arguments, &cutover)?;
            variables.push(("PGSSLROOTCERT", roots.display().to_string()));
            lines(&variables, "export ")
        }
        EnvFormat::Pgpass => pgpass(&cutover).await?,
        EnvFormat::Service => service(&roots(&arguments, &cutover)?, &cutover),
    };
    output::data(&text);
    Ok(Exit::Done)
}

/// Nobody logs in with IAM at a socket, unless it is a tunnel to an endpoint that is named.
pub(super) fn of_an_endpoint(cutover: &Cutover) -> Result<()> {
    let database = &cutover.config.database;
    if database.host.starts_with('/') && database.sign_host.is_none() {
        bail!(
            "DB_HOST is a folder of unix sockets; set it to the RDS endpoint for this command (programs reach a relay's socket as they are, with PGHOST={})",
            database.host
        );
    }
    Ok(())
}

type Variables = Vec<(&'static str, String)>;

async fn deployment(arguments: &Env, cutover: &Cutover) -> Variables {
    let database = &cutover.config.database;
    let mut variables = vec![("AWS_IAM", "true".to_owned())];
    let named = cutover
        .endpoint
        .as_ref()
        .and_then(|endpoint| endpoint.region.clone());
    variables.extend(
        database
            .region
            .clone()
            .or(named)
            .map(|region| ("AWS_RDS_REGION", region)),
    );
    variables.push(("DB_NAME", database.name.clone()));
    variables.push(("DB_USER", cutover.wish.new_user.clone()));
    variables.push(("DB_HOST", database.host.clone()));
    variables.push(("DB_PORT", database.port.to_string()));
    // What this run needed to reach the server and to trust it, the deployment needs, too.
    let address = database.host_address.map(|address| address.to_string());
    variables.extend(address.map(|address| ("SAL_DB_HOSTADDR", address)));
    if let Authorities::File(path) = &database.authorities {
        variables.push(("DB_SSLROOTCERT", path.display().to_string()));
    }
    match works_as(cutover).await {
        Ok(role) => variables.push(("SAL_DB_EXPECT_ROLE", role)),
        Err(why) => output::note(&format!(
            "SAL_DB_EXPECT_ROLE is left out ({why}): set it to the role that sessions of `{}` work as, so that a SET role that is reset is noticed.",
            cutover.wish.new_user
        )),
    }
    if let Some(old) = &arguments.fallback_user {
        // The password itself stays where it is: DB_PASS.
        variables.push(("SAL_DB_FALLBACK", "password".to_owned()));
        variables.push(("SAL_DB_FALLBACK_USER", old.clone()));
    }
    variables
}

/// The role that sessions of the new user work as, by whoever can log in.
async fn works_as(cutover: &Cutover) -> std::result::Result<String, String> {
    let mut why = "nobody can log in to look".to_owned();
    for who in [Who::New, Who::Admin, Who::Old] {
        let session = match cutover
            .logins
            .open(who, &cutover.config.database.name)
            .await
        {
            Ok(session) => session,
            Err(error) => {
                why = error.to_string();
                continue;
            }
        };
        let role = status::works_as(&cutover.wish.new_user, &session.client).await;
        session.end().await;
        return match role {
            Ok(Some(role)) => Ok(role),
            Ok(None) => Err(format!(
                "no SET role is there for `{}` yet; `sal iam apply` makes it",
                cutover.wish.new_user
            )),
            Err(error) => Err(error.to_string()),
        };
    }
    Err(why)
}

/// The name that libpq has to verify and the token is for; behind an alias it is not DB_HOST.
fn endpoint(cutover: &Cutover) -> &str {
    let configured = cutover.config.database.host.as_str();
    cutover
        .endpoint
        .as_ref()
        .map_or(configured, |endpoint| &endpoint.name)
}

pub(super) async fn libpq(cutover: &Cutover) -> Result<Variables> {
    let database = &cutover.config.database;
    let mut variables = vec![
        ("PGHOST", endpoint(cutover).to_owned()),
        ("PGPORT", database.port.to_string()),
        ("PGDATABASE", database.name.clone()),
        ("PGUSER", cutover.wish.new_user.clone()),
        ("PGSSLMODE", "verify-full".to_owned()),
        ("PGPASSWORD", token(cutover).await?),
    ];
    variables.extend(
        database
            .host_address
            .map(|address| ("PGHOSTADDR", address.to_string())),
    );
    Ok(variables)
}

/// The file with the authorities: the deployment's own, or the one that `sal iam roots` is to make.
fn roots(arguments: &Env, cutover: &Cutover) -> Result<PathBuf> {
    let (path, is_ours) = match &cutover.config.database.authorities {
        Authorities::File(path) => (path, false),
        Authorities::Embedded | Authorities::Pem(_) => (&arguments.roots, true),
    };
    // Whoever takes the variables over may be somewhere else.
    let path = std::path::absolute(path)
        .with_context(|| format!("finding where {} is", path.display()))?;
    if is_ours && !path.exists() {
        output::note(&format!(
            "note: make the file with the certificate authorities: sal iam roots > {}",
            path.display()
        ));
    }
    Ok(path)
}

async fn pgpass(cutover: &Cutover) -> Result<String> {
    let database = &cutover.config.database;
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    let token = token(cutover).await?;
    let port = database.port.to_string();
    let fields = [
        endpoint(cutover),
        &port,
        &database.name,
        &cutover.wish.new_user,
        &token,
    ];
    Ok(fields.map(escaped).join(":"))
}

fn service(roots: &Path, cutover: &Cutover) -> String {
    let database = &cutover.config.database;
    format!(
        "[sal]\nhost={}\nport={}\ndbname={}\nuser={}\nsslmode=verify-full\nsslrootcert={}\n# The password is a token: PGPASSWORD=$(sal iam token --host {} --port {} --user {}) psql service=sal",
        endpoint(cutover),
        database.port,
        database.name,
        cutover.wish.new_user,
        roots.display(),
        endpoint(cutover),
        database.port,
        cutover.wish.new_user
    )
}

async fn token(cutover: &Cutover) -> Result<String> {
    let database = &cutover.config.database;
    let named = cutover
        .endpoint
        .as_ref()
        .and_then(|endpoint| endpoint.region.clone());
    let Some(region) = database.region.clone().or(named) else {
        bail!("no region is known; set AWS_RDS_REGION");
    };
    let fetched = cutover
        .credentials
        .get()
        .await
        .context("no AWS credentials to sign with")?;
    let port = database.sign_port.unwrap_or(database.port);
    let now = (cutover.clock)();
    let (host, user) = (endpoint(cutover), &cutover.wish.new_user);
    let token = rds_iam::login_token(host, port, user, &region, &fetched.credentials, now);
    Ok(token.expose().to_owned())
}

/// One variable a line; values that a shell would take apart are quoted there.
fn lines(variables: &Variables, before: &str) -> String {
    let line = |(name, value): &(&str, String)| {
        let plain = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@,".contains(&byte));
        match before.is_empty() || (plain && !value.is_empty()) {
            true => format!("{before}{name}={value}"),
            false => format!("{before}{name}='{}'", value.replace('\'', r"'\''")),
        }
    };
    let all: Vec<String> = variables.iter().map(line).collect();
    all.join("\n")
}

//! `sal lab`: starts the rehearsal, and speaks to a running one.

mod control;
mod deployment;

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rds_lab::{BREAKAGES, IamAuthentication, LabOptions, Pam, Shape};
use serde_json::{Value, json};
use tokio::sync::Notify;

use self::control::{Control, Request};
use self::deployment::Deployment;
use crate::cli::{Lab, LabEnvironment, LabShape, LabUp, Running};
use crate::config::env::Signs;
use crate::exit::Exit;
use crate::{output, wiring};

/// Runs it.
pub(crate) async fn run(what: Lab) -> Result<Exit> {
    match what {
        Lab::Up(arguments) => up(&arguments).await,
        Lab::Env { whose, at, lab } => environment(whose, at, &lab).await,
        Lab::Break { name, list, lab } => break_it(name, list, &lab).await,
        Lab::Mend { lab } => {
            ask(&lab, &Request::Mend).await?;
            output::note("Everything is as it was.");
            Ok(Exit::Done)
        }
        Lab::Failover { lab } => {
            ask(&lab, &Request::Failover).await?;
            output::note("Another instance writes now, and every connection was cut.");
            Ok(Exit::Done)
        }
        Lab::Status { json, lab } => status(json, &lab).await,
        Lab::Down { lab } => {
            ask(&lab, &Request::Down).await?;
            output::note("The lab is down.");
            Ok(Exit::Done)
        }
    }
}

async fn up(arguments: &LabUp) -> Result<Exit> {
    let socket = socket(&arguments.lab)?;
    let control = Control::listen(&socket).await?;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    output::note("Starting a Postgres that behaves like RDS, and AWS around it …");
    let started = tokio::select! {
        started = start(arguments) => started,
        _ = &mut interrupted => return Ok(Exit::Done),
    };
    let deployment = Arc::new(started?);
    output::data(&welcome(&deployment, &arguments.lab));
    let down = Arc::new(Notify::new());
    tokio::select! {
        served = control.serve(&deployment, &down) => served.context("speaking to clients of the lab")?,
        () = down.notified() => {}
        _ = &mut interrupted => {}
    }
    drop(control);
    output::note("Stopping …");
    // The last request may still be on its way out.
    match Arc::try_unwrap(deployment) {
        Ok(deployment) => deployment.lab.stop().await,
        Err(shared) => drop(shared),
    }
    output::note("Everything that the lab started has ended.");
    Ok(Exit::Done)
}

async fn start(arguments: &LabUp) -> Result<Deployment> {
    let mut options = LabOptions::new(wiring::clock());
    options.iam_authentication = IamAuthentication::Off;
    options.shape = match arguments.shape {
        LabShape::Instance => Shape::Instance,
        LabShape::Aurora => Shape::Aurora,
        LabShape::MultiAz => Shape::MultiAz,
        LabShape::Proxy => Shape::Proxy,
        LabShape::ProxyEndToEnd => Shape::ProxyEndToEnd,
    };
    options.listen = arguments.listen;
    options.server_binaries.clone_from(&arguments.postgres);
    if arguments.pam {
        options.pam = Pam::OnMachineWeOwn;
    }
    options.search_path = Signs::read().path;
    let lab = rds_lab::Lab::start(options)
        .await
        .context("starting the lab")?;
    Deployment::populate(lab, arguments.master_deployment, arguments.machines).await
}

fn welcome(deployment: &Deployment, running: &Running) -> String {
    let lab = &deployment.lab;
    let socket = running
        .socket
        .as_ref()
        .map_or_else(String::new, |path| format!(" --socket {}", path.display()));
    let sal = "sal";
    format!(
        "A deployment of Sal with {machines} machines logs in to {endpoint} as `{old}` with a password.\n\
         IAM authentication of the instance is off, there is no user for IAM, and the role {role} has no policy.\n\
         \n\
         Go through the move in another terminal:\n\
         \n\
         \x20 eval \"$({sal} lab env{socket} admin)\"\n\
         \x20 {sal} iam doctor\n\
         \x20 {sal} iam plan --aws --role {role}\n\
         \x20 {sal} iam apply --aws --role {role}\n\
         \x20 eval \"$({sal} lab env{socket} moving)\"     # as the container, with the password as fallback\n\
         \x20 {sal} iam verify\n\
         \x20 {sal} serve --listen 127.0.0.1:8000\n\
         \x20 eval \"$({sal} lab env{socket} admin)\"\n\
         \x20 {sal} iam status\n\
         \x20 {sal} iam finalize\n\
         \x20 {sal} iam rollback\n\
         \n\
         {others}Break something and ask the doctor: {sal} lab break{socket} --list\n\
         Ctrl-C or `{sal} lab down{socket}` ends it and removes everything.",
        others = others(deployment, &socket),
        machines = deployment.machines,
        endpoint = lab.endpoint(),
        old = deployment.old_user,
        role = lab.task_role(),
    )
}

/// Where the lab has more than one name, each with the way to it.
fn others(deployment: &Deployment, socket: &str) -> String {
    let doors = deployment.lab.doors();
    if doors.len() < 2 {
        return String::new();
    }
    let lines: Vec<String> = doors
        .iter()
        .map(|door| format!("  {:<15} {} ({})\n", door.name, door.endpoint, door.address))
        .collect();
    let failover = match doors.iter().any(|door| door.name == "reader") {
        true => format!("`sal lab failover{socket}` makes another instance the writer.\n"),
        false => "The role may connect at the proxy, and the proxy's role behind it.\n".to_owned(),
    };
    format!(
        "The database has these names; `sal lab env{socket} iam --at NAME` leads to one:\n\n{}\n{failover}\n",
        lines.concat()
    )
}

async fn environment(whose: LabEnvironment, at: Option<String>, running: &Running) -> Result<Exit> {
    let name = match whose {
        LabEnvironment::Password => "password",
        LabEnvironment::Admin => "admin",
        LabEnvironment::Moving => "moving",
        LabEnvironment::Iam => "iam",
    };
    let answer = ask(
        running,
        &Request::Environment {
            whose: name.to_owned(),
            at,
        },
    )
    .await?;
    let variables: BTreeMap<String, String> =
        serde_json::from_value(answer).context("reading the lab's answer")?;
    let names: Vec<&str> = deployment::VARIABLES
        .iter()
        .copied()
        .filter(|name| !variables.contains_key(*name))
        .collect();
    output::data(&format!("unset {}", names.join(" ")));
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| deployment::VARIABLES.contains(&name.as_str()))
    {
        output::data(&format!("export {name}='{}'", value.replace('\'', r"'\''")));
    }
    Ok(Exit::Done)
}

async fn break_it(name: Option<String>, list: bool, running: &Running) -> Result<Exit> {
    let Some(name) = name.filter(|_| !list) else {
        for breakage in BREAKAGES {
            output::data(&format!("{:<22} {}", breakage.name, breakage.what));
        }
        return Ok(Exit::Done);
    };
    let Some(breakage) = BREAKAGES.iter().find(|breakage| breakage.name == name) else {
        output::problem(&format!(
            "`{name}` cannot be broken; `sal lab break --list` says what can"
        ));
        return Ok(Exit::Usage);
    };
    ask(running, &Request::Break { name }).await?;
    output::note(&format!(
        "Broken: {}. `sal lab mend` puts it back.",
        breakage.what
    ));
    Ok(Exit::Done)
}

async fn status(as_json: bool, running: &Running) -> Result<Exit> {
    let answer = ask(running, &Request::Status).await?;
    if as_json {
        output::data(&serde_json::to_string_pretty(&answer)?);
        return Ok(Exit::Done);
    }
    let text = |name: &str| answer.get(name).map(Value::to_string).unwrap_or_default();
    for door in answer
        .get("doors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        output::data(&format!("door       {}", door.as_str().unwrap_or_default()));
    }
    output::data(&format!(
        "endpoint   {}\nbroken     {}\nIAM logins {}",
        text("endpoint"),
        text("broken"),
        text("metrics")
    ));
    let lines = answer
        .get("log")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for line in lines {
        output::data(&format!("  {}", line.as_str().unwrap_or_default()));
    }
    Ok(Exit::Done)
}

async fn ask(running: &Running, request: &Request) -> Result<Value> {
    let socket = socket(running)?;
    let answer = control::ask(&socket, request).await?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("{error}");
    }
    Ok(answer.get("answer").cloned().unwrap_or(json!(null)))
}

/// One lab for each user, in a folder that nobody else can enter: what comes from the socket is given to a shell.
fn socket(running: &Running) -> Result<PathBuf> {
    if let Some(path) = &running.socket {
        return Ok(path.clone());
    }
    let signs = Signs::read();
    let folder = signs.runtime_folder.unwrap_or_else(|| {
        let user = if signs.user.is_empty() {
            "user"
        } else {
            &signs.user
        };
        std::env::temp_dir().join(format!("sal-lab-{user}"))
    });
    let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    if let Err(error) = made
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error).with_context(|| format!("making {}", folder.display()));
    }
    let found = std::fs::symlink_metadata(&folder)
        .with_context(|| format!("looking at {}", folder.display()))?;
    if !found.is_dir() || found.mode() & 0o077 != 0 || found.uid() != control::own_uid()? {
        bail!(
            "{} is not a folder of yours that nobody else can enter; remove it, or name a socket with --socket",
            folder.display()
        );
    }
    Ok(folder.join("sal-lab.sock"))
}

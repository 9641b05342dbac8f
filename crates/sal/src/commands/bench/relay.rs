//! `sal bench relay`: pgbench and COPY through the relay, next to the same over direct TLS, and through pgbouncer where
//! it is installed. One run, one Postgres, rounds that alternate; what counts are the ratios.
//!
//! With `--pam` the Postgres is reached itself, with its own TLS and PAM, as RDS does it; else through the lab's gate,
//! which costs as much as a relay and makes the comparison kinder than it should be. What is measured is in `route`.

mod bouncer;
mod figures;
mod route;
mod under_test;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use rds_iam::Credentials;
use rds_lab::{Lab, LabOptions, Pam};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::bouncer::Bouncer;
use self::figures::Figures;
use self::route::{Route, Tools, Way};
use self::under_test::{SocketFolder, start_relay};
use crate::cli::BenchRelay;
use crate::config::env::Signs;
use crate::exit::Exit;
use crate::{output, wiring};

const USER: &str = "bench";
const PASSWORD: &str = "a-local-password";

/// Runs the benchmark.
pub(crate) async fn run(arguments: &BenchRelay) -> Result<Exit> {
    let mut options = LabOptions::new(wiring::clock());
    options.login_limit = 1_000_000;
    options.settings = vec![("shared_buffers".to_owned(), "2GB".to_owned())];
    options.search_path = Signs::read().path;
    if arguments.pam {
        options.pam = Pam::OnMachineWeOwn;
    }
    let lab = Lab::start(options).await.context("starting the lab")?;
    let outcome = Box::pin(measure(&lab, arguments)).await;
    lab.stop().await;
    let figures = outcome?;
    match arguments.json {
        true => output::data(&serde_json::to_string_pretty(&figures.as_json())?),
        false => output::data(&figures.as_text()),
    }
    Ok(Exit::Done)
}

async fn measure(lab: &Lab, arguments: &BenchRelay) -> Result<Figures> {
    lab.create_iam_user(USER, &[]).await?;
    lab.create_database("bench", USER).await?;
    lab.allow_connect("*", USER);
    let tools = Tools {
        programs: lab.postgres().binaries().folder().to_owned(),
        folder: lab.postgres().folder().join("bench"),
    };
    std::fs::create_dir_all(&tools.folder).context("making a folder")?;
    let address = lab.pam_address().unwrap_or(lab.address());
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let folder = SocketFolder::new()?;
    let socket = folder.path().join(".s.PGSQL.5432");
    let port = start_relay(lab, (address, &socket), &shutdown, &tasks).await?;
    let mut routes = routes(lab, address, port, folder.path());
    Box::pin(take_turns(&mut routes, (lab, address), &tools, arguments)).await?;
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(Figures {
        routes,
        through_gate: lab.pam_address().is_none(),
        megabytes: arguments.megabytes,
    })
}

fn routes(lab: &Lab, address: SocketAddr, port: u16, socket: &Path) -> Vec<Route> {
    let direct = format!(
        "host={} hostaddr={} port={} user={USER} dbname=bench sslmode=verify-full sslrootcert={}",
        lab.endpoint(),
        address.ip(),
        address.port(),
        lab.ca_file().display()
    );
    let tcp = format!("host=127.0.0.1 port={port} user={USER} dbname=bench sslmode=disable");
    let socket = format!("host={} user={USER} dbname=bench", socket.display());
    let mut routes = vec![
        Route::new(Way::Direct, direct, token(lab, address.port())),
        Route::new(Way::RelayTcp, tcp, PASSWORD.to_owned()),
        Route::new(Way::RelaySocket, socket, String::new()),
    ];
    if Bouncer::program().is_some() {
        // Where it is, is known when its turn comes.
        let bouncer = Route::new(Way::Bouncer, String::new(), PASSWORD.to_owned());
        routes.push(bouncer);
    } else {
        output::note("pgbouncer is not installed, so it is not measured.");
    }
    routes
}

/// All routes in every round, each first in another one, so that drift of the machine hits all alike.
async fn take_turns(
    routes: &mut Vec<Route>,
    (lab, address): (&Lab, SocketAddr),
    tools: &Tools,
    arguments: &BenchRelay,
) -> Result<()> {
    output::note("Filling the tables …");
    let first = routes.first().context("a route")?;
    first.fill(tools, arguments.megabytes).await?;
    let mut order: Vec<Way> = routes.iter().map(|route| route.way).collect();
    for _ in 0..arguments.rounds {
        for way in &order {
            let Some(route) = routes.iter_mut().find(|route| route.way == *way) else {
                continue;
            };
            let mut bouncer = None;
            // Tokens are for logging in within 15 minutes, so that each turn has one of its own.
            if *way == Way::Direct {
                route.password = token(lab, address.port());
            }
            if *way == Way::Bouncer {
                bouncer = Bouncer::start(lab, address, &tools.folder).await?;
                let Some(started) = &bouncer else {
                    routes.retain(|route| route.way != Way::Bouncer);
                    continue;
                };
                route.target = started.target();
            }
            route.once(tools, arguments).await?;
            drop(bouncer);
        }
        order.rotate_left(1);
    }
    Ok(())
}

/// A token for a direct login, which the other routes do not need to know.
fn token(lab: &Lab, port: u16) -> String {
    let token = rds_iam::token(
        lab.endpoint(),
        port,
        USER,
        lab.region(),
        &credentials(lab),
        wiring::clock()(),
        rds_iam::RDS_TOKEN_LIFE,
    );
    token.expose().to_owned()
}

fn credentials(lab: &Lab) -> Credentials {
    let key = lab.static_credentials();
    Credentials::new(&key.access_key_id, &key.secret_access_key, None, None)
}

//! `sal relay`: doors, upstreams and health, until SIGTERM or Ctrl-C.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pg_relay::{
    Counters, Door, Ending, Local, LocalAccess, Relay, RelaySettings, health_routes, try_login,
};
use rds_iam::{
    Connector, IamConfig, LoginConfig, LoginLimiter, LoginSecret, Resolver, SystemResolver,
    TlsConfig,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli;
use crate::config::Environment;
use crate::config::relay::{DoorConfig, Place, RelayConfig};
use crate::exit::Exit;
use crate::logging::LogConfig;
use crate::open_files::room_for_connections;
use crate::{commands, output, wiring};

/// Runs it.
pub(crate) async fn run(arguments: cli::Relay) -> Result<Exit> {
    let arguments = arguments.sorted();
    if arguments.wait {
        return wait(&arguments).await;
    }
    let mut environment = Environment::read();
    let config = RelayConfig::read(&arguments, &mut environment);
    let log = LogConfig::read(&mut environment);
    if let Err(exit) = commands::checked(environment) {
        return Ok(exit);
    }
    log.start();
    let connectors = connectors(&config)?;
    if arguments.checks_once() {
        return check(&connectors).await;
    }
    let doors = doors(&config, &connectors).await?;
    // Before anybody hears that it listens: a signal that comes then must find its watcher.
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    for (door, connector) in doors.iter().zip(&config.doors) {
        output::note(&format!(
            "sal relay listens on {} for {} at {}:{}",
            door.local.place(),
            config.user,
            connector.host,
            connector.port
        ));
    }
    let counters = Arc::new(Counters::default());
    let ending = Ending::default();
    // Health outlives the relay: while it drains, the answer is "not ready", not silence.
    let over = CancellationToken::new();
    let tasks = TaskTracker::new();
    if let Some(address) = arguments.health {
        let routes = health_routes(
            Arc::clone(&counters),
            connectors.clone(),
            ending.quit.clone(),
        );
        health(address, routes, &over, &tasks)?;
    }
    if let Some(cli::Check::Every(pause)) = arguments.check {
        for connector in &connectors {
            tasks.spawn(keep_trying(Arc::clone(connector), pause, over.clone()));
        }
    }
    let settings = within_open_files(config.settings, doors.len());
    let stop = tasks.spawn(end_on_signal(signals, ending.clone(), settings.drain));
    Relay::new(doors, settings, counters).run(ending).await;
    stop.abort();
    over.cancel();
    tasks.close();
    // Somebody may hold half a request open.
    let _all = tokio::time::timeout(Duration::from_secs(2), tasks.wait()).await;
    output::note("sal relay has ended");
    Ok(Exit::Done)
}

/// SIGTERM begins the drain: an application beside the relay got it too, and needs connections for its last requests.
/// Ctrl-C, or a second SIGTERM, is of somebody who waits: nobody is let in any more.
async fn end_on_signal(
    signals: (io::Result<Signal>, io::Result<Signal>),
    ending: Ending,
    drain: Duration,
) {
    let (Ok(mut term), Ok(mut interrupt)) = signals else {
        tracing::warn!("signals cannot be watched; only SIGKILL will stop this relay");
        return;
    };
    tokio::select! {
        _ = term.recv() => {
            tracing::info!("SIGTERM: clients are taken for {} s more", drain.as_secs());
            ending.drain.cancel();
        }
        _ = interrupt.recv() => {
            tracing::info!("interrupted");
            ending.quit.cancel();
        }
    }
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    ending.quit.cancel();
}

/// Logs in and out again and again; the log has each change, `/readyz` the last outcome.
async fn keep_trying(connector: Arc<Connector>, pause: Duration, over: CancellationToken) {
    let mut worked = None;
    loop {
        let works = try_login(&connector).await;
        let status = connector.status();
        if worked.replace(works) != Some(works) {
            match (works, status.last_failure) {
                (false, Some(failure)) => {
                    tracing::warn!(host = %status.host, "logins do not work: {}", failure.explanation);
                }
                _ => tracing::info!(host = %status.host, "logins work"),
            }
        }
        tokio::select! {
            () = over.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Answers at an address of its own until the relay has ended.
fn health(
    address: SocketAddr,
    routes: axum::Router,
    over: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
    output::note(&format!(
        "health is at http://{}/readyz",
        listener.local_addr()?
    ));
    let over = over.clone();
    tasks.spawn(async move {
        let options = sal_server::Options {
            max_connections: HEALTH_CONNECTIONS,
            drain: Duration::from_secs(2),
            ..sal_server::Options::default()
        };
        if let Err(error) = sal_server::serve(routes, listener, &options, over).await {
            tracing::warn!(%error, "health ended early");
        }
    });
    Ok(())
}

/// Fewer clients may wait where there are not enough files: each is one, and so is each of those in the queue; a session
/// is two.
fn within_open_files(mut settings: RelaySettings, doors: usize) -> RelaySettings {
    let each = |waiting: usize| waiting.saturating_add(waiting.div_ceil(2)) * doors.max(1);
    let wanted = each(settings.most_waiting).saturating_add(HEALTH_CONNECTIONS);
    let room = room_for_connections(wanted, settings.most_connections);
    if room < wanted {
        let fewer =
            (room.saturating_sub(HEALTH_CONNECTIONS) / doors.max(1) * 2 / 3).max(FEWEST_WAITING);
        settings.most_waiting = fewer.min(settings.most_waiting);
        tracing::warn!(
            most_waiting = settings.most_waiting,
            "the limit on open files (ulimit -n) leaves {} places at each door for clients that have not said yet who they are",
            settings.most_waiting
        );
    }
    settings
}

/// Probes are few; whoever is silent there goes when somebody else comes.
const HEALTH_CONNECTIONS: usize = 16;
const FEWEST_WAITING: usize = 8;

/// One connector for each door, with one limit on logins for all.
fn connectors(config: &RelayConfig) -> Result<Vec<Arc<Connector>>> {
    let clock = wiring::clock();
    let resolver: Arc<dyn Resolver> = Arc::new(SystemResolver::new());
    let credentials = Arc::new(wiring::credentials(&config.database, &clock));
    let limiter = Arc::new(LoginLimiter::new(config.logins_per_second));
    let mut connectors = Vec::new();
    for door in &config.doors {
        let login = login(door, config, &credentials);
        let connector = Connector::new_sharing(
            login,
            Arc::clone(&resolver),
            Arc::clone(&clock),
            Arc::clone(&limiter),
        );
        connectors.push(Arc::new(
            connector.with_context(|| format!("setting up the login to {}", door.host))?,
        ));
    }
    Ok(connectors)
}

fn login(
    door: &DoorConfig,
    config: &RelayConfig,
    credentials: &Arc<rds_iam::CredentialCache>,
) -> LoginConfig {
    let database = &config.database;
    let configured = |value: &Option<String>| value.clone().filter(|_| door.is_configured);
    let secret = LoginSecret::Iam(IamConfig {
        region: database.region.clone(),
        sign_host: configured(&database.sign_host),
        sign_port: database.sign_port.filter(|_| door.is_configured),
        credentials: Arc::clone(credentials),
    });
    let name = if database.name.is_empty() {
        "postgres"
    } else {
        &database.name
    };
    LoginConfig {
        host_address: database.host_address.filter(|_| door.is_configured),
        tls: TlsConfig {
            mode: match database.tls {
                rds_iam::TlsMode::Disable => rds_iam::TlsMode::VerifyFull,
                other => other,
            },
            authorities: database.authorities.clone(),
            ..TlsConfig::default()
        },
        connect_timeout: database.connect_timeout,
        ..LoginConfig::new(&door.host, door.port, name, &config.user, secret)
    }
}

async fn doors(config: &RelayConfig, connectors: &[Arc<Connector>]) -> Result<Vec<Door>> {
    let tls = config
        .tls
        .as_ref()
        .map(pg_relay::LocalTls::acceptor)
        .transpose()?;
    let mut doors = Vec::new();
    for (door, connector) in config.doors.iter().zip(connectors) {
        let (local, access) = match (&door.place, &config.password) {
            (Place::Unix(path), _) => {
                if let Some(folder) = path.parent() {
                    let made = std::fs::DirBuilder::new()
                        .recursive(true)
                        .mode(0o700)
                        .create(folder);
                    made.with_context(|| format!("making {}", folder.display()))?;
                }
                (Local::unix(path).await?, LocalAccess::SameUser)
            }
            (Place::Tcp(address), Some(password)) => (
                Local::tcp(*address).await?,
                LocalAccess::Password(password.clone()),
            ),
            (Place::Tcp(address), None) => bail!("{address} needs SAL_RELAY_PASSWORD"),
        };
        doors.push(Door {
            local,
            access,
            tls: tls.clone(),
            only_tls: !door.place.is_local(),
            connector: Arc::clone(connector),
        });
    }
    Ok(doors)
}

/// Logs in once to each upstream; exit code 3 when one refuses.
async fn check(connectors: &[Arc<Connector>]) -> Result<Exit> {
    let mut exit = Exit::Done;
    for connector in connectors {
        match connector.connect().await {
            Ok(connection) => {
                drop(connection.client);
                let _ended = connection.task.await;
                let status = connector.status();
                output::data(&format!(
                    "ok       {} at {} ({})",
                    status.user,
                    status.host,
                    status.sign_name.unwrap_or_default()
                ));
            }
            Err(error) => {
                output::data(&format!(
                    "PROBLEM  {} at {}: {}",
                    error.context.user,
                    error.context.host,
                    error.explain()
                ));
                exit = Exit::FoundProblems;
            }
        }
    }
    Ok(exit)
}

/// Asks the other relay until it is ready.
async fn wait(arguments: &cli::Relay) -> Result<Exit> {
    let Some(address) = arguments.health else {
        bail!("--wait needs --health");
    };
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .build()
        .context("an HTTP client")?;
    let url = format!("http://{address}/readyz");
    let mut why = "nobody answers there".to_owned();
    let asking = async {
        loop {
            if let Ok(answer) = client.get(&url).send().await {
                if answer.status().is_success() {
                    return;
                }
                why = reasons(&answer.text().await.unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let within = Duration::from_secs(arguments.wait_timeout);
    match tokio::time::timeout(within, asking).await {
        Ok(()) => Ok(Exit::Done),
        Err(_elapsed) => {
            output::problem(&format!(
                "the relay at {address} was not ready within {} s: {why}",
                arguments.wait_timeout
            ));
            Ok(Exit::Failed)
        }
    }
}

/// Why a relay is not ready, by its own answer.
fn reasons(answer: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
    let of = |list: &str, part: &str| -> Vec<String> {
        let all = value.get(list).and_then(serde_json::Value::as_array);
        let texts = all.into_iter().flatten().filter_map(|item| item.get(part));
        texts
            .filter_map(serde_json::Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let mut found = of("upstreams", "failing");
    found.extend(of("doors", "full"));
    match found.is_empty() {
        true => "it takes no clients".to_owned(),
        false => found.join("; "),
    }
}

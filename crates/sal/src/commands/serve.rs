//! `sal serve`: configuration, login, tables, doors, until SIGTERM or Ctrl-C.
//!
//! The server listens at once and is ready (`/readyz`) when it could log in and the tables fit, so that a database
//! that starts later than its server costs nothing but time.

mod first_user;
mod legacy;
mod mounted;
mod ready;
mod status;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rds_iam::Clock;
use sal_http::access::oidc::Oidc;
use sal_http::app::AppParts;
use sal_http::{App, metric_names};
use sal_plugins::Registry;
use sal_store::Store;
use sal_store::pool::Connector;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::cli::Serve;
use crate::commands;
use crate::config::Environment;
use crate::config::server::ServerConfig;
use crate::exit::Exit;
use crate::logging::LogConfig;
use crate::open_files::room_for_connections;
use crate::wiring::outbound::{HttpOutbound, authorities};
use crate::wiring::{self, DatabaseLogin};

use self::ready::Ready;

/// Runs the server.
pub(crate) async fn run(arguments: Serve) -> Result<Exit> {
    let (config, warnings) = match configured() {
        Ok(configured) => configured,
        Err(exit) => return Ok(exit),
    };
    let clock = wiring::clock();
    let login = Arc::new(DatabaseLogin::new(&config.database, &clock)?);
    let connector: Arc<dyn Connector> = login.clone();
    let store = Store::new(connector, &config.database.pool);
    let recorder = metrics_recorder()?;
    let outside = Outside::read(&config)?;
    let app = app(&config, &login, &store, &clock, outside, warnings);
    let options = options(&config, &recorder);
    let status = status::listen(config.status_listen)?;
    let router = sal_server::router(app.clone(), &options)?;
    let (listener, address) = listen(arguments.listen.unwrap_or(config.listen))?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let ready = Ready {
        config: config.clone(),
        login,
        store: store.clone(),
        clock,
        address: address.to_string(),
        registry: app.registry(),
    };
    let (prepared, jobs) = start_tasks(ready, &tasks, &shutdown);
    let stop = tasks.spawn(commands::stop_on_signal(shutdown.clone()));
    let ending = app.clone();
    let notes = tasks.spawn(write_what_waits(app.clone(), shutdown.clone()));
    let counting = sal_server::keep_counts(app.clone());
    tasks.spawn(shutdown.clone().run_until_cancelled_owned(counting));
    if let Some(listener) = status {
        tasks.spawn(status::serve(
            listener,
            app,
            options.clone(),
            shutdown.clone(),
        ));
    }
    let serving = sal_server::serve(router, listener, &options, shutdown.clone());
    tokio::pin!(serving);
    let outcome = tokio::select! {
        served = &mut serving => served.map(|()| Exit::Done).context("serving"),
        unfit = unfit(prepared) => {
            shutdown.cancel();
            serving.await.context("stopping")?;
            Err(unfit)
        }
    };
    stop.abort();
    // Nothing is refused any more: what was, is written.
    shutdown.cancel();
    let_finish(Some(notes)).await;
    // What the last requests left, too.
    ending.write_late().await;
    ending.refusals().flush(ending.now(), &ending.store).await;
    let_finish(jobs).await;
    store.close();
    outcome
}

/// Reads the environment and starts the log; a bad environment is printed whole.
fn configured() -> std::result::Result<(ServerConfig, Vec<String>), Exit> {
    let mut environment = Environment::read();
    let mut config = ServerConfig::read(&mut environment);
    let log = LogConfig::read(&mut environment);
    for line in mounted::told(Path::new("/"), &environment) {
        environment.warn(line);
    }
    let warnings = commands::checked(environment)?;
    log.start();
    config.logs_json = log.json;
    warnings.iter().for_each(|warning| warn!("{warning}"));
    if config.plugin_folder.is_none() {
        config.plugin_folder = legacy::folder(Path::new("/"));
    }
    Ok((config, warnings))
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = bind(address).with_context(|| format!("listening on {address}"))?;
    let bound = listener
        .local_addr()
        .context("reading the address of the listener")?;
    Ok((listener, bound))
}

/// With room for a whole site that connects in the same moment: the standard library asks for 128, and whoever finds no
/// room tries again after seconds. The system has a bound of its own (`net.core.somaxconn`).
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // As the standard library does: a server that is started again finds its address free.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(NEWCOMERS)?.into_std()
}

const NEWCOMERS: u32 = 4096;

/// Writes what waits in memory: the journal of check-ins every second, the numbers of refused logins every minute, and
/// all of it at the end.
async fn write_what_waits(app: App, shutdown: CancellationToken) {
    for second in 1_u64.. {
        let pause = shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1)));
        let is_over = pause.await.is_none();
        app.write_late().await;
        if is_over || second.is_multiple_of(60) {
            app.refusals().flush(app.now(), &app.store).await;
        }
        if is_over {
            return;
        }
    }
}

/// The page of a machine waits no longer for the Crypt server.
const CRYPT_PATIENCE: Duration = Duration::from_secs(2);

/// What the server needs from outside the program, beside the database.
struct Outside {
    registry: Registry,
    outbound: HttpOutbound,
    oidc: Option<Arc<Oidc>>,
}

impl Outside {
    /// Reads the folder of plugins and the certificate authority. A plugin with a mistake is left out and named.
    fn read(config: &ServerConfig) -> Result<Self> {
        let registry = match &config.plugin_folder {
            None => Registry::builtin(),
            Some(folder) => {
                let loaded = commands::plugin::read(folder)?;
                for mistake in &loaded.mistakes {
                    warn!("a plugin was left out: {mistake}");
                }
                loaded.registry
            }
        };
        let authorities = match &config.root_ca {
            Some(path) => authorities("DOCKER_SAL_ROOT_CA", path)?,
            None => Vec::new(),
        };
        Ok(Self {
            registry,
            outbound: HttpOutbound::new(&authorities, CRYPT_PATIENCE)?,
            oidc: config
                .single_sign_on
                .as_ref()
                .map(wiring::single_sign_on::oidc)
                .transpose()?,
        })
    }
}

/// Starts the way to readiness and, where this server may do it, the maintenance that follows on it.
fn start_tasks(
    ready: Ready,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> (JoinHandle<Option<Result<()>>>, Option<JoinHandle<()>>) {
    let (is_ready, readiness) = tokio::sync::oneshot::channel();
    let jobs = ready.config.jobs.clone().map(|config| {
        let (connector, store): (Arc<dyn Connector>, _) =
            (ready.login.clone(), ready.store.clone());
        let (clock, shutdown) = (Arc::clone(&ready.clock), shutdown.clone());
        tasks.spawn(async move {
            if readiness.await.is_ok() {
                sal_jobs::run(connector, store, clock, config, shutdown).await;
            }
        })
    });
    let shutdown = shutdown.clone();
    let prepared = tasks.spawn(async move {
        let reached = shutdown
            .run_until_cancelled_owned(Box::pin(ready.reach()))
            .await;
        if let Some(Ok(())) = reached {
            // Nobody waits for it where no maintenance is wanted.
            let _unheard = is_ready.send(());
        }
        reached
    });
    (prepared, jobs)
}

/// Lets a task end, as a job after its batch; whatever takes longer is given up with its connection.
async fn let_finish(jobs: Option<JoinHandle<()>>) {
    let Some(mut jobs) = jobs else {
        return;
    };
    if tokio::time::timeout(JOBS_GRACE, &mut jobs).await.is_err() {
        jobs.abort();
    }
}

/// How long a job may go on after the last request.
const JOBS_GRACE: Duration = Duration::from_secs(5);

fn app(
    config: &ServerConfig,
    login: &Arc<DatabaseLogin>,
    store: &Store,
    clock: &Clock,
    outside: Outside,
    warnings: Vec<String>,
) -> App {
    let (login, reported) = (Arc::clone(login), store.clone());
    App::new(AppParts {
        store: store.clone(),
        registry: Arc::new(outside.registry),
        plugin_folder: config.plugin_folder.clone(),
        outbound: Some(Arc::new(outside.outbound)),
        config: config.http.clone(),
        clock: Arc::clone(clock),
        database: Arc::new(move || wiring::database_status(&login, &reported, &warnings)),
        oidc: outside.oidc,
    })
}

fn options(config: &ServerConfig, recorder: &PrometheusHandle) -> sal_server::Options {
    let recorder = recorder.clone();
    sal_server::Options {
        trusted_origins: config.trusted_origins.clone(),
        public_url: config.public_url.clone(),
        render_metrics: Arc::new(move || recorder.render()),
        drain: config.drain,
        max_connections: room_for_connections(
            config.max_connections,
            config.database.pool.max_size,
        ),
        status_token: config
            .status_token
            .as_ref()
            .map(|token| Arc::from(token.expose())),
        ..sal_server::Options::default()
    }
}

fn metrics_recorder() -> Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .install_recorder()
        .context("installing the metrics")?;
    for (name, help) in metric_names::METRICS {
        // A description needs a kind only for its unit; the exporter keeps the text for any.
        metrics::describe_counter!(*name, *help);
    }
    Ok(recorder)
}

/// Ends only when the database is unfit: readiness reached, or a shutdown before it, waits forever here.
async fn unfit(prepared: JoinHandle<Option<Result<()>>>) -> anyhow::Error {
    match prepared.await {
        Ok(Some(Err(error))) => error,
        _ => std::future::pending().await,
    }
}

//! `sal bench relay`: pgbench and COPY through the relay, next to the same over direct TLS, and through pgbouncer where
//! it is installed. One run, one Postgres, rounds that alternate; what counts are the ratios.
//!
//! As root the Postgres is reached itself, with its own TLS and PAM, as RDS does it; else through the lab's gate, which
//! costs as much as a relay and makes the comparison kinder than it should be.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pg_relay::{Counters, Door, Ending, Local, LocalAccess, Relay, RelaySettings};
use rds_iam::{
    Authorities, Connector, CredentialCache, Credentials, FixedCredentials, IamConfig, LoginConfig,
    LoginSecret, Secret, SystemResolver, TlsConfig,
};
use rds_lab::{Lab, LabOptions, Pam};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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
    let wants_pam = std::fs::metadata("/proc/self")
        .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if wants_pam {
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

/// One way to the same database.
struct Route {
    name: &'static str,
    /// A libpq connection string.
    target: String,
    password: String,
    select_tps: Vec<f64>,
    latency_ms: Vec<f64>,
    copy_mb: Vec<f64>,
}

struct Figures {
    routes: Vec<Route>,
    through_gate: bool,
    megabytes: u32,
}

async fn measure(lab: &Lab, arguments: &BenchRelay) -> Result<Figures> {
    lab.create_iam_user(USER, &[]).await?;
    lab.create_database("bench", USER).await?;
    lab.allow_connect("*", USER);
    let folder = lab.postgres().folder().join("bench");
    std::fs::create_dir_all(&folder).context("making a folder")?;
    let programs = lab.postgres().binaries().folder().to_owned();
    let address = lab.pam_address().unwrap_or(lab.address());
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    let socket = folder.join(".s.PGSQL.5432");
    let port = start_relay(lab, (address, &socket), &shutdown, &tasks).await?;
    let mut routes = routes(lab, address, port, socket.parent().unwrap_or(&folder));
    let bouncer = Bouncer::start(lab, address, &folder).await?;
    if let Some(bouncer) = &bouncer {
        routes.push(Route::new(
            "pgbouncer",
            format!(
                "host=127.0.0.1 port={} user={USER} dbname=bench sslmode=disable",
                bouncer.port
            ),
            PASSWORD.to_owned(),
        ));
    }
    Box::pin(take_turns(
        &mut routes,
        lab,
        address.port(),
        (&programs, &folder),
        arguments,
    ))
    .await?;
    drop(bouncer);
    shutdown.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(Figures {
        routes,
        through_gate: lab.pam_address().is_none(),
        megabytes: arguments.megabytes,
    })
}

fn routes(lab: &Lab, address: std::net::SocketAddr, port: u16, folder: &Path) -> Vec<Route> {
    let direct = format!(
        "host={} hostaddr={} port={} user={USER} dbname=bench sslmode=verify-full sslrootcert={}",
        lab.endpoint(),
        address.ip(),
        address.port(),
        lab.ca_file().display()
    );
    vec![
        Route::new("direct TLS", direct, token(lab, address.port())),
        Route::new(
            "relay",
            format!("host=127.0.0.1 port={port} user={USER} dbname=bench sslmode=disable"),
            PASSWORD.to_owned(),
        ),
        Route::new(
            "relay, socket",
            format!("host={} user={USER} dbname=bench", folder.display()),
            String::new(),
        ),
    ]
}

/// All routes in every round, each first in another one, so that drift of the machine hits all alike.
async fn take_turns(
    routes: &mut [Route],
    lab: &Lab,
    port: u16,
    (programs, folder): (&Path, &Path),
    arguments: &BenchRelay,
) -> Result<()> {
    let first = routes.first().context("a route")?;
    fill(first, programs, arguments.megabytes).await?;
    for round in 0..arguments.rounds {
        for index in 0..routes.len() {
            let turn = usize::try_from(round)
                .unwrap_or_default()
                .wrapping_add(index)
                % routes.len();
            let Some(route) = routes.get_mut(turn) else {
                continue;
            };
            // Tokens are for logging in within 15 minutes.
            if route.name == "direct TLS" {
                route.password = token(lab, port);
            }
            route.once(programs, folder, arguments).await?;
        }
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

async fn start_relay(
    lab: &Lab,
    (address, socket): (std::net::SocketAddr, &Path),
    shutdown: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<u16> {
    let cache = CredentialCache::new(
        Arc::new(FixedCredentials(credentials(lab))),
        wiring::clock(),
    );
    let secret = LoginSecret::Iam(IamConfig {
        region: None,
        sign_host: None,
        sign_port: None,
        credentials: Arc::new(cache),
    });
    let config = LoginConfig {
        host_address: Some(address.ip()),
        tls: TlsConfig {
            authorities: Authorities::Pem(lab.ca_pem()),
            ..TlsConfig::default()
        },
        logins_per_second: 10_000,
        ..LoginConfig::new(lab.endpoint(), address.port(), "bench", USER, secret)
    };
    let resolver = Arc::new(SystemResolver::new());
    let connector =
        Arc::new(Connector::new(config, resolver, wiring::clock()).context("setting up a login")?);
    let local = Local::tcp("127.0.0.1:0".parse().context("an address")?).await?;
    let port = local
        .place()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .context("a port")?;
    let door = |local, access| Door {
        local,
        access,
        tls: None,
        only_tls: false,
        connector: Arc::clone(&connector),
    };
    let doors = vec![
        door(local, LocalAccess::Password(Secret::new(PASSWORD))),
        door(Local::unix(socket).await?, LocalAccess::SameUser),
    ];
    let settings = RelaySettings {
        drain: Duration::from_secs(5),
        ..RelaySettings::default()
    };
    tasks.spawn(
        Relay::new(doors, settings, Arc::new(Counters::default())).run(Ending {
            quit: shutdown.clone(),
            ..Ending::default()
        }),
    );
    Ok(port)
}

async fn fill(route: &Route, programs: &Path, megabytes: u32) -> Result<()> {
    output::note("Filling the tables …");
    route
        .run(programs, "pgbench", &["-i", "-q", "-s", "10"])
        .await?;
    let rows = megabytes.saturating_mul(1024);
    let wide = format!(
        "CREATE UNLOGGED TABLE wide AS SELECT g AS id, repeat(md5(g::text), 32) AS text FROM generate_series(1, {rows}) g; ALTER TABLE wide ALTER text SET STORAGE EXTERNAL"
    );
    route
        .run(
            programs,
            "psql",
            &["-Xqc", &wide, "-c", "SELECT sum(length(text)) FROM wide"],
        )
        .await?;
    Ok(())
}

impl Route {
    fn new(name: &'static str, target: String, password: String) -> Self {
        Self {
            name,
            target,
            password,
            select_tps: Vec::new(),
            latency_ms: Vec::new(),
            copy_mb: Vec::new(),
        }
    }

    /// One round: throughput of 16 clients, the latency of one, and COPY.
    async fn once(&mut self, programs: &Path, folder: &Path, arguments: &BenchRelay) -> Result<()> {
        let seconds = arguments.seconds.to_string();
        let said = self
            .run(
                programs,
                "pgbench",
                &[
                    "-S", "-n", "-M", "prepared", "-c", "16", "-j", "2", "-T", &seconds,
                ],
            )
            .await?;
        self.select_tps
            .push(number_before(&said, "tps = ").context("pgbench's tps")?);
        let log = folder.join("latency");
        let prefix = format!("--log-prefix={}", log.display());
        self.run(
            programs,
            "pgbench",
            &[
                "-S", "-n", "-M", "prepared", "-c", "1", "-T", &seconds, "-l", &prefix,
            ],
        )
        .await?;
        self.latency_ms.push(median_of_logs(folder)?);
        let started = Instant::now();
        self.run(programs, "psql", &["-Xqc", "\\copy wide TO '/dev/null'"])
            .await?;
        self.copy_mb
            .push(f64::from(arguments.megabytes) / started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn run(&self, programs: &Path, program: &str, arguments: &[&str]) -> Result<String> {
        // Client programs may be elsewhere than the server's.
        let beside = programs.join(program);
        let path = if beside.exists() {
            beside
        } else {
            PathBuf::from(program)
        };
        let mut command = Command::new(path);
        match program {
            // pgbench takes the connection string as the database's name.
            "pgbench" => command.args(arguments).arg(&self.target),
            _ => command.arg("-d").arg(&self.target).args(arguments),
        };
        command
            .env("PGPASSWORD", &self.password)
            .env("PGGSSENCMODE", "disable")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .with_context(|| format!("starting {program}"))?;
        if !output.status.success() {
            bail!(
                "{program} by {}: {}",
                self.name,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn number_before(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The third column of pgbench's log is a transaction's time in microseconds.
fn median_of_logs(folder: &Path) -> Result<f64> {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("latency"))
        {
            let text = std::fs::read_to_string(&path)?;
            times.extend(
                text.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()),
            );
            std::fs::remove_file(&path)?;
        }
    }
    times.sort_by(f64::total_cmp);
    let middle = times
        .get(times.len() / 2)
        .context("pgbench's log is empty")?;
    Ok(middle / 1000.0)
}

/// A pgbouncer in session mode, verifying the same certificate; ended when dropped.
struct Bouncer {
    port: u16,
    _child: Child,
}

impl Bouncer {
    /// `None` where it is not installed, or refuses to run.
    async fn start(
        lab: &Lab,
        address: std::net::SocketAddr,
        folder: &Path,
    ) -> Result<Option<Self>> {
        let found = [
            "/usr/sbin/pgbouncer",
            "/usr/bin/pgbouncer",
            "/opt/homebrew/bin/pgbouncer",
        ]
        .map(PathBuf::from);
        let Some(program) = found.into_iter().find(|path| path.exists()) else {
            output::note("pgbouncer is not installed, so it is not measured.");
            return Ok(None);
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        std::fs::write(folder.join("users"), format!("\"{USER}\" \"{PASSWORD}\"\n"))?;
        // The verified name has to be the one that is dialled, so the address goes by /etc/hosts nowhere: verify-ca.
        let config = format!(
            "[databases]\nbench = host={} port={} user={USER} password='{}'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {}\npool_mode = session\nmax_client_conn = 200\ndefault_pool_size = 50\nserver_tls_sslmode = verify-ca\nserver_tls_ca_file = {}\nlogfile = {}\n",
            address.ip(),
            address.port(),
            token(lab, address.port()),
            folder.join("users").display(),
            lab.ca_file().display(),
            folder.join("pgbouncer.log").display()
        );
        let path = folder.join("pgbouncer.ini");
        std::fs::write(&path, config)?;
        for made in [&path, &folder.join("users")] {
            std::fs::set_permissions(made, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        }
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
        let mut command = Command::new(program);
        command
            .arg("-q")
            .args(["-u", "postgres"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().context("starting pgbouncer")?;
        for _ in 0..50 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Ok(Some(Self {
                    port,
                    _child: child,
                }));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let _ended = child.kill().await;
        output::note("pgbouncer did not start, so it is not measured.");
        Ok(None)
    }
}

impl Figures {
    fn as_text(&self) -> String {
        let mut text = String::from(
            "route          select-only tps   of direct    p50 ms   added ms    COPY MB/s   of direct\n",
        );
        for (route, (tps, latency, copy)) in self.routes.iter().zip(self.medians()) {
            let (first_tps, first_latency, first_copy) = self
                .medians()
                .first()
                .copied()
                .unwrap_or((f64::NAN, f64::NAN, f64::NAN));
            text.push_str(&format!(
                "{:<12} {tps:>17.0} {:>11.3} {latency:>9.3} {:>10.3} {copy:>12.0} {:>11.3}\n",
                route.name,
                tps / first_tps,
                latency - first_latency,
                copy / first_copy
            ));
        }
        text.push_str(&format!(
            "16 clients, {} MB of COPY; medians of {} rounds",
            self.megabytes,
            self.routes.first().map_or(0, |route| route.copy_mb.len())
        ));
        if self.through_gate {
            text.push_str("; through the lab's gate (as root, Postgres itself is measured)");
        }
        text
    }

    fn medians(&self) -> Vec<(f64, f64, f64)> {
        let of = |route: &Route| {
            (
                median(&route.select_tps),
                median(&route.latency_ms),
                median(&route.copy_mb),
            )
        };
        self.routes.iter().map(of).collect()
    }

    fn as_json(&self) -> serde_json::Value {
        let one = |(route, (tps, latency, copy)): (&Route, (f64, f64, f64))| {
            json!({"route": route.name, "select_only_tps": tps, "p50_ms": latency, "copy_mb_per_second": copy,
                   "rounds": {"tps": route.select_tps, "p50_ms": route.latency_ms, "copy": route.copy_mb}})
        };
        let routes: Vec<_> = self.routes.iter().zip(self.medians()).map(one).collect();
        json!({"routes": routes, "through_gate": self.through_gate, "megabytes": self.megabytes})
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

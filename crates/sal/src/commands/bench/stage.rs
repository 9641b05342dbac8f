//! A private Postgres with full durability, Sal's tables in it, and this program's server in front of it.
//!
//! The server is a process of its own, so that its CPU time can be told from that of the load.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use local_postgres::{Listen, LocalPostgres, Options};
use sal_store::groups::{insert_group, insert_unit};
use tokio::process::{Child, Command};
use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;

/// Everything a benchmark runs against. Dropping it ends the server and Postgres.
pub(super) struct Stage {
    // Declared before Postgres: the server ends first.
    server: Child,
    postgres: LocalPostgres,
    connections: TaskTracker,
    pub(super) url: String,
    /// Where readiness tells its reasons.
    pub(super) status_url: String,
    pub(super) key: String,
}

impl Stage {
    /// Starts it all, and makes a machine group with the key. `settings` go into `postgresql.conf`.
    pub(super) async fn set(settings: &[(&str, &str)]) -> Result<Self> {
        let stage = Self::empty(settings).await?;
        let db = stage.connect().await?;
        let unit = insert_unit(&db, "Bench").await?;
        let unit = unit.first().context("a business unit")?;
        insert_group(&db, &unit.id, "All Macs", &stage.key).await?;
        Ok(stage)
    }

    /// Starts it all, with no group in the database.
    pub(super) async fn empty(settings: &[(&str, &str)]) -> Result<Self> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let options = Options {
            listen: Listen::Loopback,
            settings: SETTINGS.iter().chain(settings).map(own).collect(),
            ..Options::default()
        };
        let postgres = LocalPostgres::start(options)
            .await
            .context("starting a private Postgres")?;
        let role = format!("CREATE ROLE sal LOGIN PASSWORD '{PASSWORD}'");
        postgres
            .run_sql("postgres", &role)
            .await
            .context("making the role")?;
        postgres
            .run_sql("postgres", "CREATE DATABASE sal OWNER sal")
            .await
            .context("making the database")?;
        postgres
            .run_sql("sal", "CREATE EXTENSION pg_stat_statements")
            .await
            .context("counting statements needs the extension pg_stat_statements (Debian: part of the package postgresql)")?;
        let (listen, status) = (free_port()?, free_port()?);
        let server = start_server(&postgres, &listen, &status)?;
        let mut stage = Self {
            server,
            postgres,
            connections: TaskTracker::new(),
            url: format!("http://{listen}"),
            status_url: format!("http://{status}"),
            key: "k".repeat(128),
        };
        stage.wait_until_ready().await?;
        Ok(stage)
    }

    /// A connection of the database's owner.
    pub(super) async fn connect(&self) -> Result<tokio_postgres::Client> {
        let mut config = self.postgres.admin_config("sal");
        config.user("sal");
        self.open(&config).await
    }

    /// A connection that may do everything.
    pub(super) async fn connect_admin(&self) -> Result<tokio_postgres::Client> {
        self.open(&self.postgres.admin_config("sal")).await
    }

    async fn open(&self, config: &tokio_postgres::Config) -> Result<tokio_postgres::Client> {
        let (client, connection) = config.connect(NoTls).await.context("connecting")?;
        // Ends when the client is dropped.
        self.connections.spawn(connection);
        Ok(client)
    }

    /// How to reach the database by hand.
    pub(super) fn psql(&self) -> String {
        format!(
            "PGPASSWORD={PASSWORD} psql -h 127.0.0.1 -p {} -U sal sal",
            self.postgres.port()
        )
    }

    /// The server's process, while it runs.
    pub(super) fn server_pid(&self) -> Option<u32> {
        self.server.id()
    }

    /// The file that names Postgres's process.
    pub(super) fn postmaster_file(&self) -> PathBuf {
        self.postgres.folder().join("pgdata/postmaster.pid")
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .context("an HTTP client")?;
        for _ in 0..300 {
            if let Some(status) = self.server.try_wait().context("asking for the server")? {
                bail!("the server ended at once ({status}); its messages are above");
            }
            let has_tables =
                "SELECT 1 / count(*) FROM salrs_schema WHERE name = '0003-fill-factor'";
            let ready = client.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success())
                && self.postgres.run_sql("sal", has_tables).await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server was not ready within 30 s; its messages are above")
    }

    /// Ends the server, then Postgres.
    pub(super) async fn clear(mut self) {
        let _ = self.server.kill().await;
        self.postgres.stop().await;
    }
}

fn free_port() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("a free port")?;
    let address = listener.local_addr().context("a free port")?;
    Ok(address.to_string())
}

fn start_server(postgres: &LocalPostgres, listen: &str, status: &str) -> Result<Child> {
    let program = std::env::current_exe().context("finding this program")?;
    Command::new(program)
        .args(["serve", "--listen", listen])
        .env_clear()
        .env("DB_HOST", "127.0.0.1")
        .env("DB_PORT", postgres.port().to_string())
        .env("DB_SSLMODE", "disable")
        .env("DB_NAME", "sal")
        .env("DB_USER", "sal")
        .env("DB_PASS", PASSWORD)
        .env("ADMIN_PASS", PASSWORD)
        .env("SAL_STATUS_LISTEN", status)
        .env("SAL_LOG", "warn")
        // Maintenance would remove old rows in the middle of a measurement, at another moment in each run.
        .env("SAL_JOBS", "false")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .context("starting the server")
}

/// Of a database that only this benchmark can reach, for as long as it runs.
pub(super) const PASSWORD: &str = "a-benchmark-password";
/// Durable as in production; no checkpoint falls into a cell by itself.
const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "1GB"),
    ("max_wal_size", "20GB"),
    ("checkpoint_timeout", "1h"),
    ("shared_preload_libraries", "pg_stat_statements"),
    ("pg_stat_statements.track", "top"),
];

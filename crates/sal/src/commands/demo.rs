//! `sal demo`: a Postgres dressed as RDS, a server that logs in to it with an IAM token, a fleet that checks in.
//!
//! The server is a process of its own with exactly the environment of a container on ECS: the AWS credentials come
//! from a container endpoint, the database trusts nothing but tokens. Ctrl-C stops everything and leaves nothing.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fake_fleet::{Fleet, FleetOptions, Simulation, simulate};
use rds_lab::{Lab, LabOptions};
use sal_store::groups::{insert_group, insert_unit};
use tokio::process::{Child, Command};

use crate::cli::Demo;
use crate::commands::random_text;
use crate::exit::Exit;
use crate::{output, wiring};

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(arguments: Demo) -> Result<Exit> {
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let outcome = tokio::select! {
        stage = Stage::set(&arguments) => stage,
        _ = &mut interrupted => return Ok(Exit::Done),
    };
    let mut stage = outcome?;
    let outcome = tokio::select! {
        played = stage.play(&arguments) => played,
        _ = &mut interrupted => Ok(()),
    };
    output::note("Stopping …");
    stage.clear().await;
    output::note("Everything that the demo started has ended.");
    outcome.map(|()| Exit::Done)
}

/// Everything the demo started.
struct Stage {
    lab: Lab,
    server: Child,
    url: String,
    key: String,
    password: String,
}

impl Stage {
    async fn set(arguments: &Demo) -> Result<Self> {
        output::note("Starting a private Postgres dressed as RDS …");
        let lab = Lab::start(LabOptions::new(wiring::clock()))
            .await
            .context("starting the lab")?;
        prepare_database(&lab).await?;
        let listen = free(arguments.listen)?;
        let url = format!("http://{listen}");
        let password = random_text(16);
        output::note(&format!(
            "Starting the server; it logs in to {} as salawsiam with an IAM token …",
            lab.endpoint()
        ));
        let server = start_server(&lab, listen, &password)?;
        let mut stage = Self {
            lab,
            server,
            url,
            key: random_text(128),
            password,
        };
        stage.wait_until_ready().await?;
        stage.make_group().await?;
        Ok(stage)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let client = reqwest_client()?;
        for _ in 0..300 {
            if let Some(status) = self.server.try_wait().context("asking for the server")? {
                bail!("the server ended at once ({status}); its messages are above");
            }
            let ready = client.get(format!("{}/readyz", self.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) && self.has_tables().await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server was not ready within 30 s; its messages are above")
    }

    async fn has_tables(&self) -> bool {
        let query =
            "SELECT 1 / (count(*) FILTER (WHERE relname = 'salrs_session'))::int FROM pg_class";
        self.lab.postgres().run_sql("sal", query).await.is_ok()
    }

    async fn make_group(&self) -> Result<()> {
        let (db, connection) = self
            .lab
            .admin_config("sal")
            .connect(tokio_postgres::NoTls)
            .await
            .context("as the lab's superuser")?;
        let work = async {
            db.batch_execute("SET ROLE sal")
                .await
                .context("becoming the owner")?;
            let unit = insert_unit(&db, "Demo")
                .await?
                .into_iter()
                .next()
                .context("a business unit")?;
            insert_group(&db, &unit.id, "All Macs", &self.key).await?;
            drop(db);
            Ok::<(), anyhow::Error>(())
        };
        let (_ended, made) = tokio::join!(connection, work);
        made.context("making a machine group")
    }

    async fn play(&mut self, arguments: &Demo) -> Result<()> {
        let clock = wiring::clock();
        let mut first = Simulation::new(&self.url, &self.key, clock());
        first.fleet = FleetOptions {
            machines: arguments.machines,
            ..FleetOptions::default()
        };
        first.runs = 2;
        let report = simulate(&first, |_progress| {}, std::future::pending())
            .await
            .context("letting the fleet check in")?;
        let (ok, sent) = (report.ok, report.sent);
        output::note(&format!(
            "{} machines checked in over HTTP ({ok} of {sent} check-ins taken).",
            arguments.machines
        ));
        output::note("");
        output::data(&format!("  {}/", self.url));
        output::data(&format!("  user: admin   password: {}", self.password));
        output::note("");
        output::note("How the server is logged in: /database/. Ctrl-C stops everything.");
        self.trickle(arguments.machines, &clock).await
    }

    /// One machine after the other checks in again, so that the pages move.
    async fn trickle(&mut self, machines: u32, clock: &rds_iam::Clock) -> Result<()> {
        let fleet = Fleet::new(FleetOptions {
            machines,
            ..FleetOptions::default()
        });
        let client = fake_fleet::Client::new(&self.url, &self.key, Duration::from_secs(10))
            .context("a client")?;
        for turn in 0_u32.. {
            tokio::select! {
                ended = self.server.wait() => bail!("the server ended: {}", ended.context("asking for the server")?),
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
            }
            let (run, index) = (2 + turn / machines.max(1), turn % machines.max(1));
            let checkin = fleet.machine(index).checkin(run, clock(), &self.key);
            if let Err(error) = client.submit(&checkin).await {
                output::note(&format!("a check-in failed: {error}"));
            }
        }
        Ok(())
    }

    async fn clear(mut self) {
        if let Some(pid) = self.server.id() {
            // SIGTERM through kill(1): sending signals needs unsafe code.
            let asked = Command::new("kill").arg(pid.to_string()).status().await;
            let ended = tokio::time::timeout(Duration::from_secs(10), self.server.wait()).await;
            if asked.is_err() || ended.is_err() {
                // `kill_on_drop` does the rest.
                output::note("The server did not stop in time and is ended.");
            }
        }
        drop(self.server);
        self.lab.stop().await;
    }
}

/// What the wiki page's admin has before the move (user `sal`, its database), and what the move adds.
async fn prepare_database(lab: &Lab) -> Result<()> {
    lab.create_password_user("sal", &random_text(32))
        .await
        .context("making the user sal")?;
    lab.create_database("sal", "sal")
        .await
        .context("making the database sal")?;
    lab.create_iam_user("salawsiam", &["sal"])
        .await
        .context("making the user salawsiam")?;
    let role = "ALTER ROLE salawsiam IN DATABASE sal SET role = 'sal'";
    lab.postgres()
        .run_sql("sal", role)
        .await
        .context("letting salawsiam work as sal")?;
    lab.allow_connect(&lab.task_role_arn(), "salawsiam");
    Ok(())
}

fn start_server(lab: &Lab, listen: std::net::SocketAddr, password: &str) -> Result<Child> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg("--listen")
        .arg(listen.to_string())
        .env_clear();
    let address = lab.address();
    for (name, value) in [
        ("AWS_IAM", "true".to_owned()),
        ("AWS_RDS_REGION", lab.region().to_owned()),
        ("DB_NAME", "sal".to_owned()),
        ("DB_USER", "salawsiam".to_owned()),
        ("DB_HOST", lab.endpoint().to_owned()),
        ("DB_PORT", address.port().to_string()),
        ("SAL_DB_HOSTADDR", address.ip().to_string()),
        ("DB_SSLROOTCERT", lab.ca_file().display().to_string()),
        ("SAL_DB_EXPECT_ROLE", "sal".to_owned()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", lab.container_url()),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            lab.container_authorization().to_owned(),
        ),
        ("ADMIN_PASS", password.to_owned()),
        ("DOCKER_SAL_DISPLAY_NAME", "Sal demo".to_owned()),
        ("SAL_LOG", "warn".to_owned()),
        // A demo shows what there is; without a token it lets nobody in.
        ("SAL_MCP", "true".to_owned()),
    ] {
        command.env(name, value);
    }
    command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .process_group(0);
    command.spawn().context("starting the server")
}

/// The address itself, or the next free port when it is taken.
fn free(wanted: std::net::SocketAddr) -> Result<std::net::SocketAddr> {
    for port in wanted.port()..=wanted.port().saturating_add(20) {
        let address = std::net::SocketAddr::new(wanted.ip(), port);
        if let Ok(listener) = std::net::TcpListener::bind(address) {
            return listener.local_addr().context("reading the port");
        }
    }
    bail!(
        "ports {} and the twenty after it are all in use; choose another with --listen",
        wanted.port()
    )
}

fn reqwest_client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()
        .context("an HTTP client")
}

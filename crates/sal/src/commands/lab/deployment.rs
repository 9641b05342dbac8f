//! The deployment that stands in the lab: Sal's tables, a fleet that has checked in, and everybody's environment.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fake_fleet::{FleetOptions, Simulation, simulate};
use iam_cutover::aws::Made;
use iam_cutover::policy::{ConnectPolicy, Holder, MakesRole, Rights};
use rds_lab::{Lab, LabError};
use sal_store::groups::{insert_group, insert_unit};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::commands::random_text;
use crate::wiring;

/// A lab with a deployment in it.
pub(super) struct Deployment {
    pub(super) lab: Lab,
    pub(super) old_user: String,
    pub(super) machines: u32,
    old_password: String,
    broken: Mutex<Vec<String>>,
}

impl Deployment {
    /// Makes the old user, its database, Sal's tables, and lets a fleet check in through the server.
    pub(super) async fn populate(lab: Lab, by_master: bool, machines: u32) -> Result<Self> {
        let (old_user, old_password) = match by_master {
            true => (lab.master().to_owned(), lab.master_password().to_owned()),
            false => ("sal".to_owned(), random_text(24)),
        };
        if !by_master {
            lab.create_password_user(&old_user, &old_password)
                .await
                .context("making the old user")?;
        }
        lab.create_database("sal", &old_user)
            .await
            .context("making the database")?;
        // Administrators connect without a policy of their own (AWS, "IAM database authentication").
        lab.allow_connect(&lab.static_credentials().identity.principal.clone(), "*");
        // The deployment's role looks at itself with what `sal iam policy --for doctor` prints; connecting is the move's.
        lab.put_role_policy(lab.task_role(), "doctor", &doctors_policy(&lab).to_string())?;
        behind_the_proxy(&lab, &old_user, &old_password);
        let deployment = Self {
            lab,
            old_user,
            machines,
            old_password,
            broken: Mutex::default(),
        };
        deployment.check_in().await?;
        Ok(deployment)
    }

    /// Starts the server with the password, and lets the fleet check in.
    async fn check_in(&self) -> Result<()> {
        let program = std::env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .envs(self.environment("password"))
            .env("ADMIN_PASS", random_text(16))
            .env("SAL_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        let mut server = command.spawn().context("starting the server")?;
        let url = ready(&mut server).await?;
        let key = random_text(128);
        self.make_group(&key).await?;
        let mut simulation = Simulation::new(&url, &key, wiring::clock()());
        simulation.fleet = FleetOptions {
            machines: self.machines,
            ..FleetOptions::default()
        };
        let report = simulate(&simulation, |_progress| {}, std::future::pending()).await;
        server.kill().await.context("ending the server")?;
        let report = report.context("letting the fleet check in")?;
        if report.ok < report.sent {
            bail!("only {} of {} check-ins were taken", report.ok, report.sent);
        }
        Ok(())
    }

    async fn make_group(&self, key: &str) -> Result<()> {
        let (db, connection) = self
            .lab
            .admin_config("sal")
            .connect(tokio_postgres::NoTls)
            .await
            .context("as the lab's superuser")?;
        let work = async {
            db.batch_execute(&format!(
                "SET ROLE {}",
                iam_cutover::sql::identifier(&self.old_user)
            ))
            .await?;
            let unit = insert_unit(&db, "Lab")
                .await?
                .into_iter()
                .next()
                .context("a business unit")?;
            insert_group(&db, &unit.id, "All Macs", key).await?;
            drop(db);
            Ok::<(), anyhow::Error>(())
        };
        let (_ended, made) = tokio::join!(connection, work);
        made.context("making a machine group")
    }

    /// The variables of somebody at one of the database's names.
    pub(super) fn environment_at(
        &self,
        whose: &str,
        at: Option<&str>,
    ) -> Result<BTreeMap<String, String>> {
        let mut variables = self.environment(whose);
        let Some(name) = at else {
            return Ok(variables);
        };
        let door = self.lab.door(name)?;
        for (name, value) in [
            ("DB_HOST", door.endpoint.clone()),
            ("DB_PORT", door.address.port().to_string()),
            ("SAL_DB_HOSTADDR", door.address.ip().to_string()),
        ] {
            variables.insert(name.to_owned(), value);
        }
        // The one user whom a proxy in standard mode has a secret of.
        if self.lab.proxy_needs_secret() && name.starts_with("proxy") {
            variables.insert("DB_USER".to_owned(), self.old_user.clone());
        }
        Ok(variables)
    }

    /// The variables of somebody.
    pub(super) fn environment(&self, whose: &str) -> BTreeMap<String, String> {
        let lab = &self.lab;
        let mut variables = BTreeMap::new();
        let mut set =
            |name: &str, value: &str| drop(variables.insert(name.to_owned(), value.to_owned()));
        let address = lab.pam_address().unwrap_or(lab.address());
        set("DB_NAME", "sal");
        set("DB_HOST", lab.endpoint());
        set("DB_PORT", &address.port().to_string());
        set("SAL_DB_HOSTADDR", &address.ip().to_string());
        set("DB_SSLROOTCERT", &lab.ca_file().display().to_string());
        set("AWS_EC2_METADATA_DISABLED", "true");
        for (name, url) in [
            ("AWS_ENDPOINT_URL_RDS", lab.rds_url()),
            ("AWS_ENDPOINT_URL_STS", lab.sts_url()),
            ("AWS_ENDPOINT_URL_IAM", lab.iam_url()),
            ("AWS_ENDPOINT_URL_CLOUDWATCH", lab.monitoring_url()),
            ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", lab.logs_url()),
        ] {
            set(name, &url);
        }
        if matches!(whose, "password" | "admin") {
            set("DB_USER", &self.old_user);
            set("DB_PASS", &self.old_password);
        } else {
            set("AWS_IAM", "true");
            set("AWS_RDS_REGION", lab.region());
            set("DB_USER", NEW_USER);
            set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &lab.container_url());
            set(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                lab.container_authorization(),
            );
        }
        if whose == "admin" {
            let key = lab.static_credentials();
            set("SAL_ADMIN_USER", lab.master());
            set("SAL_ADMIN_PASS", lab.master_password());
            set("AWS_ACCESS_KEY_ID", &key.access_key_id);
            set("AWS_SECRET_ACCESS_KEY", &key.secret_access_key);
        }
        if whose == "moving" {
            set("DB_PASS", &self.old_password);
            set("SAL_DB_FALLBACK", "password");
            set("SAL_DB_FALLBACK_USER", &self.old_user);
        }
        variables
    }

    pub(super) async fn break_it(&self, name: &str) -> Result<()> {
        let target = rds_lab::Deployment {
            database: "sal".to_owned(),
            old_user: self.old_user.clone(),
            new_user: NEW_USER.to_owned(),
        };
        let broken = self.lab.break_it(name, &target).await;
        broken.map_err(|error| match error {
            LabError::Database { .. } => anyhow::Error::new(error)
                .context("breaking it; the move may not be far enough for this"),
            other => anyhow::Error::new(other),
        })?;
        self.broken(|list| list.push(name.to_owned()));
        Ok(())
    }

    pub(super) async fn mend(&self) -> Result<()> {
        self.lab.mend().await.context("mending")?;
        self.broken(Vec::clear);
        Ok(())
    }

    /// What the lab has seen.
    pub(super) fn status(&self) -> Value {
        let metrics = self.lab.metrics();
        let log = self.lab.log();
        let lines: Vec<String> = log
            .iter()
            .rev()
            .take(10)
            .filter_map(rds_lab::AuthEvent::error_line)
            .collect();
        let doors = self.lab.doors().iter();
        let doors: Vec<String> = doors
            .map(|door| format!("{} {} {}", door.name, door.endpoint, door.address))
            .collect();
        json!({
            "endpoint": self.lab.endpoint(),
            "doors": doors,
            "broken": self.broken(|list| list.clone()),
            "metrics": {
                "requests": metrics.requests,
                "success": metrics.success,
                "failure": metrics.failure,
                "peak_per_second": self.lab.peak_logins_per_second(),
            },
            "log": lines,
        })
    }

    fn broken<T>(&self, use_it: impl FnOnce(&mut Vec<String>) -> T) -> T {
        use_it(&mut self.broken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What whoever set the proxy up has done: the secret, and who may connect where.
fn behind_the_proxy(lab: &Lab, old_user: &str, old_password: &str) {
    lab.set_proxy_secret(old_user, old_password);
    lab.allow_connect(&lab.task_role_arn(), &lab.proxy_resource("*"));
    lab.allow_connect(&lab.proxy_role_arn(), NEW_USER);
}

/// Reads the server's messages until it says where it listens.
async fn ready(server: &mut Child) -> Result<String> {
    let messages = server.stderr.take().context("the server's messages")?;
    let mut lines = BufReader::new(messages).lines();
    let reading = async {
        let mut last = String::new();
        while let Some(line) = lines.next_line().await? {
            if let Some(url) = line.strip_prefix("sal is ready on ") {
                return Ok(url.to_owned());
            }
            last = line;
        }
        bail!("the server ended: {last}")
    };
    let url = tokio::time::timeout(Duration::from_secs(60), reading).await;
    url.context("the server was not ready within 60 s")?
}

/// What `sal iam policy --for doctor --role` prints.
fn doctors_policy(lab: &Lab) -> Value {
    let (account, region) = (lab.account_id(), lab.region());
    let connect = ConnectPolicy {
        partition: "aws".to_owned(),
        region: region.to_owned(),
        account: account.to_owned(),
        resources: Vec::new(),
        user: NEW_USER.to_owned(),
    };
    let rights = Rights {
        holder: Holder::Doctor,
        connect: &connect,
        role: Some(lab.task_role()),
        policy_name: "",
        made: &Made::default(),
        makes_role: MakesRole::No,
        database: None,
    };
    rights.document()
}

/// The user on Sal's wiki page.
const NEW_USER: &str = "salawsiam";

/// Every variable that any of the environments sets.
pub(super) const VARIABLES: &[&str] = &[
    "AWS_IAM",
    "AWS_RDS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_ENDPOINT_URL_RDS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "DB_NAME",
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASS",
    "DB_SSLMODE",
    "DB_SSLROOTCERT",
    "SAL_DB_HOSTADDR",
    "SAL_DB_FALLBACK",
    "SAL_DB_FALLBACK_USER",
    "SAL_DB_EXPECT_ROLE",
    "SAL_ADMIN_USER",
    "SAL_ADMIN_PASS",
];

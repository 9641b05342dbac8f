//! What stands before the program starts: a lab with the roles and the database of an installation that moved to
//! IAM as the wiki page says, and the environment of a container on ECS.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rds_lab::{Clock, Lab, LabOptions, Shape};
use tokio::process::Command;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::server::Server;

/// The program under test.
pub(crate) const SAL: &str = env!("CARGO_BIN_EXE_sal");
/// Most time that anything a test waits for may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The user who logs in with IAM.
pub(crate) const USER: &str = "salawsiam";
/// The password of the owner `sal`.
pub(crate) const OWNER_PASSWORD: &str = "the-0wners-passw0rd-of-sal";
/// The key of the machine group, as long as Sal makes them.
pub(crate) const KEY: &str = "k3yofthegroupabcdefghijklmnopqrstuvwxyz0123456789k3yofthegroupabcdefghijklmnopqrstuvwxyz0123456789k3yofthegroupabcdefghijklmnop";

/// A lab with Sal's roles and an empty database.
pub(crate) struct Stage {
    pub(crate) lab: Lab,
}

impl Stage {
    /// What the wiki page's administrator has before the move (user `sal` and its database), and what the move adds.
    pub(crate) async fn set() -> Self {
        Self::of(Shape::Instance).await
    }

    /// The same in a lab that plays something else than an instance.
    pub(crate) async fn of(shape: Shape) -> Self {
        let mut options = LabOptions::new(clock());
        options.shape = shape;
        let lab = Lab::start(options).await.unwrap();
        lab.create_password_user("sal", OWNER_PASSWORD)
            .await
            .unwrap();
        lab.create_database("sal", "sal").await.unwrap();
        lab.create_iam_user(USER, &["sal"]).await.unwrap();
        lab.allow_connect(&lab.task_role_arn(), USER);
        let stage = Self { lab };
        stage
            .run("ALTER ROLE salawsiam IN DATABASE sal SET role = 'sal'")
            .await;
        stage
    }

    /// The wiki page's six variables, what a container on ECS has, and the two that lead to the lab.
    pub(crate) fn settings(&self) -> Settings {
        let lab = &self.lab;
        self.local()
            .with("AWS_IAM", "true")
            .with("AWS_RDS_REGION", lab.region())
            .with("DB_USER", USER)
            .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &lab.container_url())
            .with(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                lab.container_authorization(),
            )
    }

    /// The same, with every AWS service that the tool asks.
    pub(crate) fn with_aws(&self, settings: Settings) -> Settings {
        let lab = &self.lab;
        settings
            .with("AWS_EC2_METADATA_DISABLED", "true")
            .with("AWS_ENDPOINT_URL_RDS", &lab.rds_url())
            .with("AWS_ENDPOINT_URL_STS", &lab.sts_url())
            .with("AWS_ENDPOINT_URL_IAM", &lab.iam_url())
            .with("AWS_ENDPOINT_URL_CLOUDWATCH", &lab.monitoring_url())
            .with("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &lab.logs_url())
    }

    /// What `sal iam policy` prints, by what one knows, without asking AWS.
    pub(crate) async fn printed_policy(&self, options: &[&str]) -> String {
        let lab = &self.lab;
        let known = [
            &["iam", "policy", "--account", lab.account_id()],
            &[
                "--resource-id",
                lab.resource_id(),
                "--role",
                lab.task_role(),
            ][..],
            options,
        ];
        // As the deployment it would try to log in first, to learn of the old user.
        let settings = self.password_settings();
        let settings = settings.with("AWS_RDS_REGION", lab.region());
        let ended = settings.run(&known.concat()).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }

    /// The task's role gets what `sal iam policy` prints for somebody, and nothing else by this name.
    pub(crate) async fn grant_printed(&self, name: &str, options: &[&str]) {
        let document = self.printed_policy(options).await;
        let lab = &self.lab;
        lab.put_role_policy(lab.task_role(), name, &document)
            .unwrap();
    }

    /// The same without IAM: user `sal` and its password.
    pub(crate) fn password_settings(&self) -> Settings {
        self.local()
            .with("DB_USER", "sal")
            .with("DB_PASS", OWNER_PASSWORD)
    }

    fn local(&self) -> Settings {
        let address = self.lab.address();
        Settings::default()
            .with("DB_NAME", "sal")
            .with("DB_HOST", self.lab.endpoint())
            .with("DB_PORT", &address.port().to_string())
            .with("SAL_DB_HOSTADDR", &address.ip().to_string())
            .with("DB_SSLROOTCERT", self.lab.ca_file().to_str().unwrap())
    }

    /// The same settings at another name of the database.
    pub(crate) fn at(&self, door: &str, settings: Settings) -> Settings {
        let door = self.lab.door(door).unwrap();
        settings
            .with("DB_HOST", &door.endpoint)
            .with("DB_PORT", &door.address.port().to_string())
    }

    /// The administrator's settings: the master user, an AWS key, and the lab's AWS.
    pub(crate) fn admin_settings(&self) -> Settings {
        let (lab, key) = (&self.lab, self.lab.static_credentials());
        self.with_aws(self.password_settings())
            .with("SAL_ADMIN_USER", lab.master())
            .with("SAL_ADMIN_PASS", lab.master_password())
            .with("AWS_ACCESS_KEY_ID", &key.access_key_id)
            .with("AWS_SECRET_ACCESS_KEY", &key.secret_access_key)
    }

    /// Makes a business unit with a machine group whose key is [`KEY`].
    pub(crate) async fn make_group(&self) {
        let sql = format!(
            "SET ROLE sal; INSERT INTO server_businessunit (name) VALUES ('Unit'); \
             INSERT INTO server_machinegroup (business_unit_id, name, key) \
             SELECT id, 'All Macs', '{KEY}' FROM server_businessunit"
        );
        self.run(&sql).await;
    }

    /// Fills the database as Sal 4.4.1's migrations leave one that nobody else has touched.
    pub(crate) async fn of_the_original(&self) {
        let tables = include_str!("../../../../schema/sal-4.sql");
        let rows = include_str!("../../../../schema/sal-4-rows.sql");
        self.run(&format!("SET ROLE sal; {tables} {rows}")).await;
    }

    /// Runs statements in the database as the lab's superuser.
    pub(crate) async fn run(&self, sql: &str) {
        self.lab.postgres().run_sql("sal", sql).await.unwrap();
    }

    /// The rows of a query as texts, NULL as an empty one.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let (db, connection) = self.lab.admin_config("sal").connect(NoTls).await.unwrap();
        let work = async {
            let messages = db.simple_query(sql).await.unwrap();
            drop(db);
            messages
        };
        let (_ended, messages) = tokio::join!(connection, work);
        let cells = |row: &tokio_postgres::SimpleQueryRow| {
            (0..row.len())
                .map(|index| row.get(index).unwrap_or_default().to_owned())
                .collect()
        };
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(cells(row)),
                _ => None,
            })
            .collect()
    }

    /// The only value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        self.rows(sql).await.remove(0).remove(0)
    }

    /// How many sessions the program has, by Postgres's own count.
    pub(crate) async fn sessions(&self) -> usize {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sal'";
        self.value(sql).await.parse().unwrap()
    }

    /// Closes every session, and waits until both ends have noticed.
    pub(crate) async fn cut(&self, server: &Server) {
        let lost = server.lost() + self.sessions().await;
        self.cut_unnoticed().await;
        server.noticed(lost).await;
    }

    /// Closes every session, and waits until Postgres has noticed.
    pub(crate) async fn cut_unnoticed(&self) {
        self.lab.cut_connections();
        until("the end of the sessions", async || {
            self.sessions().await == 0
        })
        .await;
    }
}

/// The environment of a child: nothing is inherited.
#[derive(Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// All variables with their values.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// What a variable is set to.
    pub(crate) fn value(&self, name: &str) -> &str {
        &self.0[name]
    }

    /// The program with these variables and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_named(SAL);
        command.args(arguments);
        command
    }

    /// Another program with these variables and no others.
    pub(crate) fn command_named(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.0).kill_on_drop(true);
        command
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let output = tokio::time::timeout(PATIENCE, self.command(arguments).output());
        Ended::of(&output.await.expect_in_time(arguments).unwrap())
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}

/// Names what took too long.
trait InTime<T> {
    fn expect_in_time(self, what: &[&str]) -> T;
}

impl<T> InTime<T> for Result<T, tokio::time::error::Elapsed> {
    fn expect_in_time(self, what: &[&str]) -> T {
        self.unwrap_or_else(|_elapsed| panic!("`sal {}` did not end", what.join(" ")))
    }
}

/// Waits until something is so, at most [`PATIENCE`].
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        let mut turn = tokio::time::interval(Duration::from_millis(25));
        while !check().await {
            turn.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come");
}

/// The machine's clock: the lab and the program share it.
pub(crate) fn clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab and the program under test share real time"
    )]
    Arc::new(Timestamp::now)
}

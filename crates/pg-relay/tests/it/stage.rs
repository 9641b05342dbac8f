//! A lab, a relay in front of it, and clients.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use jiff::Timestamp;
use pg_relay::{Counters, Door, Ending, Local, LocalAccess, LocalTls, Relay, RelaySettings};
use rds_iam::{
    Authorities, Clock, Connector, CredentialCache, Credentials, FixedCredentials, IamConfig,
    LoginConfig, LoginSecret, Secret, SystemResolver, TlsConfig,
};
use rds_lab::{Lab, LabOptions};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) const USER: &str = "salawsiam";
pub(crate) const PASSWORD: &str = "a local passw0rd: with \\ and :";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    pub(crate) counters: Arc<Counters>,
    pub(crate) connector: Arc<Connector>,
    /// Lets nobody in any more.
    pub(crate) shutdown: CancellationToken,
    /// Begins the drain.
    pub(crate) drain: CancellationToken,
    pub(crate) running: Option<JoinHandle<()>>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::set_with(|_| {}, |_| {}).await
    }

    /// A relay with a TCP port (password, TLS for those who want it) and a unix socket.
    pub(crate) async fn set_with(
        lab: impl FnOnce(&mut LabOptions),
        change: impl FnOnce(&mut RelaySettings),
    ) -> Self {
        let mut options = LabOptions::new(clock());
        lab(&mut options);
        let lab = Lab::start(options).await.unwrap();
        lab.create_iam_user(USER, &[]).await.unwrap();
        lab.create_database("sal", USER).await.unwrap();
        lab.allow_connect("*", USER);
        let connector = Arc::new(connector(&lab));
        let folder = tempfile::tempdir().unwrap();
        let mut settings = RelaySettings {
            most_connections: 50,
            idle: None,
            drain: Duration::from_secs(10),
            ..RelaySettings::default()
        };
        change(&mut settings);
        let tcp = Local::tcp("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let port = tcp.place().rsplit(':').next().unwrap().parse().unwrap();
        let unix = Local::unix(&folder.path().join(".s.PGSQL.5432"))
            .await
            .unwrap();
        let acceptor = LocalTls::SelfSigned(vec!["localhost".to_owned()])
            .acceptor()
            .unwrap();
        let door = |local, access, tls| Door {
            local,
            access,
            tls,
            only_tls: false,
            connector: Arc::clone(&connector),
        };
        let doors = vec![
            door(
                tcp,
                LocalAccess::Password(Secret::new(PASSWORD)),
                Some(acceptor),
            ),
            door(unix, LocalAccess::SameUser, None),
        ];
        let counters = Arc::new(Counters::default());
        let ending = Ending::default();
        let (shutdown, drain) = (ending.quit.clone(), ending.drain.clone());
        let relay = Relay::new(doors, settings, Arc::clone(&counters));
        #[expect(clippy::disallowed_methods, reason = "a test's task, joined by `stop`")]
        let running = tokio::spawn(relay.run(ending));
        Self {
            lab,
            port,
            folder,
            counters,
            connector,
            shutdown,
            drain,
            running: Some(running),
        }
    }

    /// psql through the TCP port; `more` are connection parameters.
    pub(crate) async fn psql(&self, more: &str, sql: &str) -> Said {
        run(self
            .command("psql", more)
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]))
        .await
    }

    /// A program of Postgres's with the relay in its environment.
    pub(crate) fn command(&self, program: &str, more: &str) -> Command {
        self.command_at(PathBuf::from(program), more)
    }

    pub(crate) fn command_at(&self, program: PathBuf, more: &str) -> Command {
        let target = format!(
            "host=127.0.0.1 port={} dbname=sal user={USER} {more}",
            self.port
        );
        let mut command = Command::new(program);
        command
            .arg("-d")
            .arg(target)
            .env("PGPASSWORD", PASSWORD)
            .env("PGCONNECT_TIMEOUT", "15")
            .env("PGGSSENCMODE", "disable")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// psql through the unix socket, without a password.
    pub(crate) async fn over_socket(&self, sql: &str) -> Said {
        let target = format!(
            "host={} dbname=sal user={USER}",
            self.folder.path().display()
        );
        run(Command::new("psql")
            .args(["-XAtq", "-w", "-d", &target, "-c", sql])
            .stdin(Stdio::null()))
        .await
    }

    pub(crate) async fn client(&self) -> (tokio_postgres::Client, JoinHandle<()>) {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user(USER)
            .password(PASSWORD)
            .dbname("sal");
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's task, ended with its client"
        )]
        let task = tokio::spawn(async move { drop(connection.await) });
        (client, task)
    }

    /// What `/readyz` says: the status line and the body.
    pub(crate) async fn ready(&self) -> String {
        self.health("/readyz").await
    }

    pub(crate) async fn health(&self, path: &str) -> String {
        let routes = pg_relay::health_routes(
            Arc::clone(&self.counters),
            vec![Arc::clone(&self.connector)],
            CancellationToken::new(),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asking = async {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
                .await
                .unwrap();
            let mut answer = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer)
                .await
                .unwrap();
            answer
        };
        tokio::select! {
            answer = asking => answer,
            _ended = axum::serve(listener, routes) => String::new(),
        }
    }

    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        let running = self.running.take().unwrap();
        tokio::time::timeout(PATIENCE, running)
            .await
            .unwrap()
            .unwrap();
    }
}

#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) async fn run(command: &mut Command) -> Said {
    let output = tokio::time::timeout(PATIENCE * 2, command.output())
        .await
        .unwrap()
        .unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        err: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

fn connector(lab: &Lab) -> Connector {
    let address = lab.address();
    let issued = lab.static_credentials();
    let credentials =
        Credentials::new(&issued.access_key_id, &issued.secret_access_key, None, None);
    let cache = CredentialCache::new(Arc::new(FixedCredentials(credentials)), clock());
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
        connect_timeout: Duration::from_secs(5),
        ..LoginConfig::new(lab.endpoint(), address.port(), "sal", USER, secret)
    };
    Connector::new(config, Arc::new(SystemResolver::new()), clock()).unwrap()
}

/// A client program of a version that the machine does not have; a missing one is a failure, never a test left out.
pub(crate) fn client_program(major: u8, name: &str) -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_POSTGRES").map_or_else(
        || PathBuf::from("/var/tmp/sal-tests-postgres"),
        PathBuf::from,
    );
    let path = root.join(format!("clients-{major}/bin/{name}"));
    assert!(
        path.exists(),
        "{} is missing; `./dev test` installs it",
        path.display()
    );
    path
}

pub(crate) fn clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab and the relay share real time"
    )]
    Arc::new(Timestamp::now)
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        let mut turn = tokio::time::interval(Duration::from_millis(25));
        while !check().await {
            turn.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come");
}

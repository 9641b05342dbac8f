//! The clients: psql as a program, tokio-postgres with rustls as a library.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use rds_lab::Lab;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What psql said, on both channels.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Asks one question with psql; the password goes by the environment.
pub(crate) async fn psql(lab: &Lab, user: &str, password: &str, more: &str, sql: &str) -> Said {
    let target = format!(
        "host={} hostaddr={} port={} dbname=sal sslrootcert={} connect_timeout=20 {more}",
        lab.endpoint(),
        lab.address().ip(),
        lab.address().port(),
        lab.ca_file().display(),
    );
    let output = Command::new("psql")
        .args(["--no-psqlrc", "-At", "-c", sql, &target])
        .env("PGUSER", user)
        .env("PGPASSWORD", password)
        .env("PGPASSFILE", "/dev/null")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    said(&output)
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        out: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        err: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

/// A session of tokio-postgres; its connection ends with it.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) connection: JoinSet<Result<(), tokio_postgres::Error>>,
}

pub(crate) fn tls(root_pem: &str) -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    MakeRustlsConnect::new(config)
}

pub(crate) fn config(lab: &Lab, user: &str, password: &str) -> Config {
    config_at(lab, lab.address().port(), user, password)
}

/// As [`config`], to another port of the same machine.
pub(crate) fn config_at(lab: &Lab, port: u16, user: &str, password: &str) -> Config {
    let mut config = Config::new();
    config
        .host(lab.endpoint())
        .hostaddr(lab.address().ip())
        .port(port)
        .user(user)
        .password(password)
        .dbname("sal")
        .connect_timeout(Duration::from_secs(20))
        .ssl_mode(SslMode::Require);
    config
}

pub(crate) async fn open(
    config: &Config,
    root_pem: &str,
) -> Result<Session, tokio_postgres::Error> {
    let (client, running) = config.connect(tls(root_pem)).await?;
    let mut connection = JoinSet::new();
    connection.spawn(running);
    Ok(Session { client, connection })
}

/// Connects with TLS; the usual way in.
pub(crate) async fn connect(
    lab: &Lab,
    user: &str,
    password: &str,
) -> Result<Session, tokio_postgres::Error> {
    open(&config(lab, user, password), &lab.ca_pem()).await
}

/// The refusal of a connection without TLS.
pub(crate) async fn refusal_without_tls(lab: &Lab, user: &str, password: &str) -> (String, String) {
    let mut config = config(lab, user, password);
    let connected = config.ssl_mode(SslMode::Disable).connect(NoTls).await;
    shown(&connected.map(|_| ()).unwrap_err())
}

/// SQLSTATE and text of a connection that must be refused.
pub(crate) async fn refusal(lab: &Lab, user: &str, password: &str) -> (String, String) {
    shown(&connect(lab, user, password).await.map(|_| ()).unwrap_err())
}

pub(crate) fn shown(error: &tokio_postgres::Error) -> (String, String) {
    let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}"));
    (error.code().code().to_owned(), error.message().to_owned())
}

pub(crate) async fn ask(session: &Session, sql: &str) -> String {
    session.client.query_one(sql, &[]).await.unwrap().get(0)
}

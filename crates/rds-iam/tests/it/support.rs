//! A lab with Sal's roles, configurations that fit it, and a resolver that says what it is told.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use rds_iam::{
    Authorities, Clock, Connection, Connector, CredentialCache, CredentialError,
    CredentialProvider, Credentials, Fetched, FixedCredentials, IamConfig, LoginConfig, LoginError,
    LoginSecret, ResolveError, Resolver, TlsConfig, TlsMode,
};
use rds_lab::{Credential, Lab, LabOptions};

/// The IAM user of every lab.
pub(crate) const USER: &str = "salawsiam";

/// The machine's clock, as a program would hand it in.
pub(crate) fn clock() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab and the login share real time"
    )]
    Arc::new(Timestamp::now)
}

/// A lab with a database `sal`, its owner `sal`, and the IAM user, who may connect.
pub(crate) async fn lab() -> Lab {
    let lab = lab_without_policy(LabOptions::new(clock())).await;
    lab.allow_connect("*", USER);
    lab
}

/// The same before anybody may connect with IAM.
pub(crate) async fn lab_without_policy(options: LabOptions) -> Lab {
    let lab = Lab::start(options).await.unwrap();
    lab.create_password_user("sal", "sal's password")
        .await
        .unwrap();
    lab.create_database("sal", "sal").await.unwrap();
    lab.create_iam_user(USER, &["sal"]).await.unwrap();
    lab
}

/// Runs statements as the superuser.
pub(crate) async fn admin(lab: &Lab, sql: &str) {
    lab.postgres().run_sql("sal", sql).await.unwrap();
}

pub(crate) fn keys(credential: &Credential) -> Credentials {
    Credentials::new(
        &credential.access_key_id,
        &credential.secret_access_key,
        credential.session_token.as_deref(),
        credential.expires,
    )
}

pub(crate) fn cache(provider: impl CredentialProvider) -> Arc<CredentialCache> {
    Arc::new(CredentialCache::new(Arc::new(provider), clock()))
}

/// The usual secret: the key of the lab's user.
pub(crate) fn iam(lab: &Lab) -> IamConfig {
    IamConfig {
        region: None,
        sign_host: None,
        sign_port: None,
        credentials: cache(FixedCredentials(keys(lab.static_credentials()))),
    }
}

/// A configuration that dials the lab under the endpoint's name and verifies everything.
pub(crate) fn config(lab: &Lab, secret: LoginSecret) -> LoginConfig {
    let mut config = LoginConfig::new(lab.endpoint(), lab.address().port(), "sal", USER, secret);
    config.host_address = Some(lab.address().ip());
    config.tls = TlsConfig {
        mode: TlsMode::VerifyFull,
        authorities: Authorities::Pem(lab.ca_pem()),
        ..TlsConfig::default()
    };
    config
}

pub(crate) fn iam_config(lab: &Lab) -> LoginConfig {
    config(lab, LoginSecret::Iam(iam(lab)))
}

pub(crate) fn connector(config: LoginConfig) -> Connector {
    connector_with(config, Arc::new(Names::default()))
}

pub(crate) fn connector_with(config: LoginConfig, names: Arc<Names>) -> Connector {
    Connector::new(config, names, clock()).unwrap()
}

/// Logs in once with a fresh connector.
pub(crate) async fn log_in(config: LoginConfig) -> Result<Connection, LoginError> {
    connector(config).connect().await
}

/// The code of the explanation of a login that must fail.
pub(crate) async fn refusal(config: LoginConfig) -> (&'static str, String) {
    let explanation = log_in(config).await.unwrap_err().explain();
    (explanation.code, explanation.to_string())
}

/// One text value from a session.
pub(crate) async fn ask(connection: &Connection, sql: &str) -> String {
    let row = connection.client.query_one(sql, &[]).await.unwrap();
    row.get::<_, String>(0)
}

/// A name server that can be changed while it is in use; unknown names do not exist.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) aliases: Mutex<HashMap<String, String>>,
    pub(crate) addresses: Mutex<HashMap<String, IpAddr>>,
}

impl Names {
    pub(crate) fn point(&self, name: &str, address: IpAddr) {
        self.addresses
            .lock()
            .unwrap()
            .insert(name.to_owned(), address);
    }

    pub(crate) fn alias(&self, name: &str, target: &str) {
        self.aliases
            .lock()
            .unwrap()
            .insert(name.to_owned(), target.to_owned());
    }
}

impl Resolver for Names {
    fn alias(&self, host: &str) -> BoxFuture<'_, Result<Option<String>, ResolveError>> {
        let alias = self.aliases.lock().unwrap().get(host).cloned();
        Box::pin(async move { Ok(alias) })
    }

    fn addresses(&self, host: &str) -> BoxFuture<'_, Result<Vec<IpAddr>, ResolveError>> {
        let found = self.addresses.lock().unwrap().get(host).copied();
        let host = host.to_owned();
        Box::pin(async move {
            found
                .map(|address| vec![address])
                .ok_or(ResolveError::NoSuchName { host })
        })
    }
}

/// Hands out one set of credentials after the other; the last one repeats.
pub(crate) struct InTurn(Mutex<VecDeque<Credentials>>);

impl InTurn {
    pub(crate) fn new(sets: impl IntoIterator<Item = Credentials>) -> Self {
        Self(Mutex::new(sets.into_iter().collect()))
    }
}

impl CredentialProvider for InTurn {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
        let mut sets = self.0.lock().unwrap();
        let next = if sets.len() > 1 {
            sets.pop_front()
        } else {
            sets.front().cloned()
        };
        let fetched = Fetched {
            credentials: next.unwrap(),
            source: "a list".to_owned(),
        };
        Box::pin(async move { Ok(fetched) })
    }
}

/// Waits until something becomes true, at most ten seconds.
pub(crate) async fn until(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what} did not happen"
        );
        tokio::task::yield_now().await;
    }
}

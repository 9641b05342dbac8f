//! The assembled server on a loopback port, with its database, a clock that a test may set, and an HTTP client.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must stop, and say where"
)]

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sal_http::access::oidc::{Oidc, OidcConfig};
use sal_http::app::AppParts;
use sal_http::database_status::{DatabaseStatus, LoginMode};
use sal_http::{App, HttpConfig};
use sal_plugins::Registry;
use sal_store::Store;
use sal_store::pool::PoolConfig;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::database::{Database, Filled, PlainConnector};
use crate::provider::PlainOutbound;

/// A running server. Stops when dropped.
pub struct TestServer {
    /// `http://127.0.0.1:port`.
    pub base_url: String,
    /// Its database.
    pub database: Database,
    /// The App it runs on.
    pub app: App,
    /// A client that follows no redirects.
    pub http: reqwest::Client,
    clock: Arc<Mutex<Option<Timestamp>>>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

/// What a server of the tests is made with.
#[derive(Clone, Default)]
pub struct Shape {
    /// What the doors know.
    pub http: HttpConfig,
    /// Its connections to the database.
    pub pool: PoolConfig,
    /// Its layers and its socket.
    pub options: sal_server::Options,
}

impl TestServer {
    /// Starts a server with the usual configuration.
    pub async fn start(filled: Filled) -> Self {
        Self::with(filled, HttpConfig::default()).await
    }

    /// Starts a server.
    pub async fn with(filled: Filled, config: HttpConfig) -> Self {
        let shape = Shape {
            http: config,
            ..Shape::default()
        };
        Self::shaped(Database::new(filled).await, shape)
    }

    /// Starts a server that is narrower than usual.
    pub fn shaped(database: Database, shape: Shape) -> Self {
        Self::on(database, shape, |_| None)
    }

    /// Starts a server that logs in at a provider; `oidc` is told the server's address.
    pub async fn with_single_sign_on(
        database: Database,
        oidc: impl FnOnce(&str) -> Option<Arc<Oidc>>,
    ) -> Self {
        Self::on(database, Shape::default(), oidc)
    }

    /// Starts a second server on the same database.
    pub fn beside(&self) -> Self {
        let oidc = self.app.oidc.clone();
        let shape = Shape {
            http: self.app.config.clone(),
            ..Shape::default()
        };
        Self::on(self.database.clone(), shape, |_| oidc)
    }

    /// Starts a second server on the same database, which shares nothing with the first but that and its configuration.
    pub fn beside_with_single_sign_on(&self, config: OidcConfig) -> Self {
        let oidc = Oidc::new(config, Arc::new(PlainOutbound::new()));
        let shape = Shape {
            http: self.app.config.clone(),
            ..Shape::default()
        };
        let server = Self::on(self.database.clone(), shape, |_| Some(Arc::new(oidc)));
        server.set_clock(self.app.now());
        server
    }

    fn on(database: Database, shape: Shape, oidc: impl FnOnce(&str) -> Option<Arc<Oidc>>) -> Self {
        let store = Store::new(
            Arc::new(PlainConnector(database.config().clone())),
            &shape.pool,
        );
        let clock: Arc<Mutex<Option<Timestamp>>> = Arc::default();
        let hands = Arc::clone(&clock);
        #[expect(
            clippy::disallowed_methods,
            reason = "a test that sets no clock runs on the real one"
        )]
        let now = move || {
            hands
                .lock()
                .expect("no test panics holding the clock")
                .unwrap_or_else(Timestamp::now)
        };
        let status_store = store.clone();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = App::new(AppParts {
            store,
            registry: Arc::new(Registry::builtin()),
            plugin_folder: None,
            outbound: None,
            config: shape.http,
            clock: Arc::new(now),
            database: Arc::new(move || status(&status_store)),
            oidc: oidc(&base_url),
        });
        let options = shape.options;
        let router = sal_server::router(app.clone(), &options).expect("no origins to refuse");
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle is kept and aborted on drop"
        )]
        let serving = tokio::spawn(async move {
            sal_server::serve(router, listener, &options, stop)
                .await
                .expect("the server runs");
        });
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            base_url,
            database,
            app,
            http,
            clock,
            shutdown,
            serving,
        }
    }

    /// Holds the server's clock at `now`.
    pub fn set_clock(&self, now: Timestamp) {
        *self.clock.lock().expect("no test panics holding the clock") = Some(now);
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Sends a check-in body with a machine group's key and returns status and text.
    pub async fn checkin(&self, key: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self
            .http
            .post(self.url("/checkin/"))
            .basic_auth("sal", Some(key));
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.text().await.expect("a text"),
        )
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.serving.abort();
    }
}

fn status(store: &Store) -> DatabaseStatus {
    DatabaseStatus {
        mode: LoginMode::Password,
        user: "postgres".to_owned(),
        host: "private test server".to_owned(),
        port: 5432,
        database: "test".to_owned(),
        sign_name: None,
        region: None,
        credential_source: None,
        credential_expiry: None,
        last_success: None,
        last_failure: None,
        recent: Vec::new(),
        logins: 0,
        failures: 0,
        certificate: None,
        warnings: Vec::new(),
        pool: store.status(),
    }
}

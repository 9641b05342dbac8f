//! A server of pages with a database of its own, a clock that stands still, and visitors with cookies.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    App, HttpConfig,
    app::{AppParts, Setting},
    database_status::{DatabaseStatus, LoginMode},
};
use sal_plugins::Registry;
use sal_store::Store;
use sal_testkit::{Database, Filled, Page};
use tokio_postgres::Client;
use tower::ServiceExt;

/// The moment all tests happen.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// The password `open sesame` with few iterations, made by Python's hashlib.
pub(crate) const PASSWORD: &str = "open sesame";
const ENCODED: &str = "pbkdf2_sha256$1000$seasalt$hubwrI2vR8Ha1R3MIEZKnaiQvBRE84mXAijDM/L5bKc=";

pub(crate) struct Site {
    router: Router,
    pub(crate) app: App,
    /// A connection that no page uses.
    db: Client,
    _database: Database,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// What a browser makes of it.
    pub(crate) fn page(&self) -> Page {
        Page::parse(&self.text)
    }
}

/// The first cells of each line of a list.
pub(crate) fn cells<const N: usize>(page: &Page) -> Vec<[String; N]> {
    let rows = page.rows("table.devices").into_iter();
    rows.map(|cells| <[String; N]>::try_from(cells.get(..N).unwrap().to_vec()).unwrap())
        .collect()
}

/// What the lines of a list are about, in their order.
pub(crate) fn names(page: &Page) -> Vec<String> {
    page.texts("a[data-row-link]")
}

/// A browser, reduced to its cookie.
#[derive(Default)]
pub(crate) struct Visitor {
    cookie: Option<String>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::on(Database::new(Filled::Fresh).await).await
    }

    /// For tests that make roles, which all databases of a server share.
    pub(crate) async fn alone() -> Self {
        Self::on(Database::alone(Filled::Fresh).await).await
    }

    async fn on(database: Database) -> Self {
        let db = database.connect().await;
        let store = database.store();
        let status_store = store.clone();
        let app = App::new(AppParts {
            store,
            registry: Arc::new(Registry::builtin()),
            plugin_folder: None,
            outbound: None,
            config: HttpConfig {
                display_name: "Test & Sal".to_owned(),
                settings: vec![Setting {
                    name: "DOCKER_SAL_TZ",
                    value: "<Europe/London>".to_owned(),
                    is_set: false,
                    meaning: "Time zone of pages.",
                }],
                ..HttpConfig::default()
            },
            clock: Arc::new(|| NOW.parse::<Timestamp>().unwrap()),
            database: Arc::new(move || database_status(&status_store)),
            oidc: None,
        });
        Self {
            router: sal_web::routes().into_router().with_state(app.clone()),
            app,
            db,
            _database: database,
        }
    }

    /// Runs statements as the superuser, in one transaction.
    pub(crate) async fn sql(&self, statements: &str) {
        self.db.batch_execute(statements).await.unwrap();
    }

    /// Asks for one number.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.db.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Asks for one column of texts.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.db.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Makes a user with the password [`PASSWORD`]; member of the unit with the user's number, if there is one.
    pub(crate) async fn user(&self, id: i32, name: &str, level: &str, unit: Option<i32>) {
        self.sql(&format!(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES ({id}, '{ENCODED}', false, '{name}', '', '', '', false, true, now());
             INSERT INTO server_userprofile (user_id, level) VALUES ({id}, '{level}');"
        ))
        .await;
        if let Some(unit) = unit {
            self.sql(&format!("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES ({unit}, {id})")).await;
        }
    }

    /// Two units with a group each; machines `1…count` alternate between the groups and are a minute apart.
    pub(crate) async fn machines(&self, count: u32) {
        self.sql(&format!(
            "INSERT INTO server_businessunit (id, name) VALUES (1, 'Science'), (2, 'Arts');
             INSERT INTO server_machinegroup (id, business_unit_id, name, key) VALUES (1, 1, 'Labs', 'key-one'), (2, 2, 'Studio', 'key-two');
             INSERT INTO server_machine (id, serial, hostname, operating_system, os_family, memory_kb, console_user,
                 machine_model, last_checkin, first_checkin, machine_group_id, deployed, broken_client)
             SELECT n, 'SERIAL' || n, 'mac-' || n, CASE WHEN n % 3 = 0 THEN '15.1' ELSE '14.' || n % 12 END, 'Darwin', 0,
                 'user' || n, 'Mac15,3', timestamptz '{NOW}' - n * interval '1 minute', timestamptz '{NOW}' - interval '90 days',
                 1 + n % 2, true, false
             FROM generate_series(1, {count}) n"
        ))
        .await;
    }

    /// Logs a user in.
    pub(crate) async fn visitor(&self, name: &str) -> Visitor {
        let mut visitor = Visitor::default();
        let answer = visitor
            .post(
                self,
                "/login/",
                &[("username", name), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
        assert!(visitor.cookie.is_some());
        visitor
    }
}

impl Visitor {
    pub(crate) async fn get(&mut self, site: &Site, path: &str) -> Answer {
        self.send(site, Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&mut self, site: &Site, path: &str, form: &[(&str, &str)]) -> Answer {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(site, request, Body::from(pairs.join("&"))).await
    }

    /// A browser that was given this cookie.
    pub(crate) fn with_cookie(set: &str) -> Self {
        Self {
            cookie: set.split(';').next().map(str::to_owned),
        }
    }

    /// Name and value of the cookie.
    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    /// A second browser with the same cookie.
    pub(crate) fn copy(&self) -> Self {
        Self {
            cookie: self.cookie.clone(),
        }
    }

    async fn send(
        &mut self,
        site: &Site,
        mut request: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("other=1; {cookie}"));
        }
        let request = request
            .header(header::HOST, "sal.example:8000")
            .body(body)
            .unwrap();
        let answer = read(site.router.clone().oneshot(request).await.unwrap()).await;
        if let Some(set) = answer
            .headers
            .get(header::SET_COOKIE)
            .map(|value| value.to_str().unwrap())
        {
            let (cookie, attributes) = set.split_once(';').unwrap();
            let is_gone = attributes.contains("Max-Age=0");
            self.cookie = (!is_gone).then(|| cookie.to_owned());
        }
        answer
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn database_status(store: &Store) -> DatabaseStatus {
    DatabaseStatus {
        mode: LoginMode::Password,
        user: "sal".to_owned(),
        host: "db.example".to_owned(),
        port: 5432,
        database: "sal".to_owned(),
        sign_name: None,
        region: None,
        credential_source: None,
        credential_expiry: None,
        last_success: Some(NOW.parse().unwrap()),
        last_failure: None,
        recent: Vec::new(),
        logins: 1,
        failures: 0,
        certificate: None,
        warnings: vec!["DB_PASS is set & not used".to_owned()],
        pool: store.status(),
    }
}

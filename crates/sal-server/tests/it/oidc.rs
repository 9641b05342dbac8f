//! `/oidc/…`: logins at a provider that is real in everything but its pages.

pub(crate) mod browser;
mod forged;
mod people;
mod state;
mod trouble;

use std::sync::Arc;

use jiff::Timestamp;
use sal_http::access::oidc::{
    Oidc, OidcConfig,
    config::{ClientSecret, Issuer},
    link,
    mapping::{Groups, Levels, Units},
};
use sal_store::ids::UserId;
use sal_testkit::provider::{CLIENT_ID, CLIENT_SECRET, PlainOutbound};
use sal_testkit::{Database, Filled, Provider, TestServer};
use tokio_postgres::Client;

use self::browser::{Answer, Browser};

/// A server, a provider, and one clock for both.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) provider: Provider,
    pub(crate) db: Client,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(|_| {}).await
    }

    /// Everybody may read, `admins` are global admins and staff, `editors` may write; `lab` belongs to two units.
    pub(crate) async fn with(change: impl FnOnce(&mut OidcConfig)) -> Self {
        let provider = Provider::start(now()).await;
        let issuer = provider.issuer.clone();
        let database = Database::new(Filled::Fresh).await;
        let db = database.connect().await;
        db.batch_execute(
            "INSERT INTO server_businessunit (id, name) VALUES (1, 'Science'), (2, 'Arts'), (3, 'Sports')",
        )
        .await
        .unwrap();
        let server = TestServer::with_single_sign_on(database, |base_url| {
            let mut config = OidcConfig {
                issuer: Issuer::parse(&issuer).unwrap(),
                client_id: CLIENT_ID.to_owned(),
                client_secret: Some(ClientSecret::new(CLIENT_SECRET.to_owned())),
                redirect_uri: format!("{base_url}/oidc/callback/"),
                scopes: "openid profile email".to_owned(),
                username_claim: "preferred_username".to_owned(),
                join_claim: None,
                groups_claim: "groups".to_owned(),
                levels: Some(Levels::parse("*=RO,admins=GA,editors=RW").unwrap()),
                staff: Some(Groups::parse("admins").unwrap()),
                units: Some(Units::parse("lab=Science,lab=Arts,gym=Sports,x=Nowhere").unwrap()),
                label: "Log in with Example & Co".to_owned(),
                only: false,
            };
            change(&mut config);
            Some(Arc::new(Oidc::new(config, Arc::new(PlainOutbound::new()))))
        })
        .await;
        server.set_clock(now());
        Self {
            server,
            provider,
            db,
        }
    }

    pub(crate) fn set_clock(&self, seconds_later: i64) {
        let at = Timestamp::from_second(now().as_second() + seconds_later).unwrap();
        self.server.set_clock(at);
        self.provider.script().now = at;
    }

    /// Walks a whole login with a new browser.
    pub(crate) async fn login(&self) -> (Answer, Browser) {
        let mut browser = Browser::new();
        let answer = browser.login(self, "/").await;
        (answer, browser)
    }

    /// The login ends with this status and this sentence, and nobody is logged in.
    pub(crate) async fn refuses(&self, status: u16, sentence: &str) {
        let (answer, mut browser) = self.login().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(
            answer.text.contains(sentence),
            "{sentence} in {}",
            answer.text
        );
        assert!(!browser.is_logged_in(self).await);
    }

    /// A user with a password, or without one.
    pub(crate) async fn user(&self, id: i32, name: &str, password: &str) {
        self.run(&format!(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES ({id}, '{password}', false, '{name}', '', '', '', false, true, now());
             INSERT INTO server_userprofile (user_id, level) VALUES ({id}, 'RW')"
        ))
        .await;
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.db.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Links an account of the provider to a user, as an administrator does.
    pub(crate) async fn link(&self, id: i32, subject: &str) {
        let user = link::User {
            id: UserId(id),
            name: "somebody",
        };
        let by = link::By {
            id: None,
            name: "(test)",
        };
        let account = link::Identity::parse(&self.provider.issuer, subject).unwrap();
        let now = self.server.app.now();
        assert!(link::link(user, &account, by, now, &self.db).await.unwrap());
    }

    /// Name, level, staff and units of every user.
    pub(crate) async fn users(&self) -> Vec<String> {
        let sql = "SELECT u.username || ' ' || coalesce(p.level, '-') || CASE WHEN u.is_staff THEN ' staff' ELSE '' END
                   || coalesce((SELECT ' ' || string_agg(b.name, '+' ORDER BY b.name) FROM server_businessunit_users m
                                JOIN server_businessunit b ON b.id = m.businessunit_id WHERE m.user_id = u.id), '')
                   FROM auth_user u LEFT JOIN server_userprofile p ON p.user_id = u.id ORDER BY u.id";
        let rows = self.db.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Action and detail of every change that was noted; logins are no changes.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let sql = "SELECT action || ' ' || kind || ' ' || object_name || ': ' || detail FROM salrs_audit WHERE kind <> 'login' ORDER BY id";
        let rows = self.db.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

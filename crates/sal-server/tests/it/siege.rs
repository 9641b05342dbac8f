//! What strangers try: each fault that was ever found, with its values, and its neighbours.

mod addresses;
mod database;
mod logins;
mod memory;
mod oidc;
mod sessions;
mod socket;
mod status;
mod tenants;

use std::net::IpAddr;

use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer};

/// The password `open sesame` with few iterations, made by Python's hashlib.
const PASSWORD: &str = "open sesame";
const ENCODED: &str = "pbkdf2_sha256$1000$seasalt$hubwrI2vR8Ha1R3MIEZKnaiQvBRE84mXAijDM/L5bKc=";

/// A server with the administrator `anna`.
async fn server(change: impl FnOnce(&mut HttpConfig)) -> TestServer {
    let mut config = HttpConfig::default();
    change(&mut config);
    let server = TestServer::with(Filled::Fresh, config).await;
    user(&server, 1, "anna", "GA").await;
    server
}

/// Makes a user with the password [`PASSWORD`].
async fn user(server: &TestServer, id: i32, name: &str, level: &str) {
    run(
        server,
        &format!(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES ({id}, '{ENCODED}', false, '{name}', '', '', '', true, true, now());
             INSERT INTO server_userprofile (user_id, level) VALUES ({id}, '{level}')"
        ),
    )
    .await;
}

async fn run(server: &TestServer, sql: &str) {
    let db = server.database.connect().await;
    db.batch_execute(sql).await.unwrap();
}

async fn texts(server: &TestServer, sql: &str) -> Vec<String> {
    let db = server.database.connect().await;
    let rows = db.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every line about logins, once everything is written.
async fn noted(server: &TestServer) -> Vec<String> {
    let app = &server.app;
    app.refusals().flush(app.now(), &app.store).await;
    let sql = "SELECT username || ' ' || action || ' ' || detail FROM salrs_audit WHERE kind = 'login' ORDER BY id";
    texts(server, sql).await
}

/// A browser at another address of this machine: all of 127.0.0.0/8 are its own.
fn at(address: &str) -> Client {
    let address: IpAddr = address.parse().unwrap();
    Client::builder()
        .local_address(address)
        .redirect(Policy::none())
        .build()
        .unwrap()
}

fn login(server: &TestServer, http: &Client, name: &str, password: &str) -> RequestBuilder {
    let form = [("username", name), ("password", password)];
    http.post(server.url("/login/")).form(&form)
}

/// The session's cookie as a browser sends it back.
fn session(response: &Response) -> String {
    let set = response.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

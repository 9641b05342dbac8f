//! nginx, Caddy and HAProxy in front of the server, over TLS, with the very blocks of `docs/guides/behind-a-proxy.md`; and
//! headers as an Application Load Balancer sends them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use reqwest::{Certificate, Client, RequestBuilder};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{KEY, PATIENCE, Stage, until};

const GUIDE: &str = include_str!("../../../../docs/guides/behind-a-proxy.md");
const PASSWORD: &str = "four blue kettles";
/// Where the test's browser and Mac come from; the proxies connect from 127.0.0.1.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The only block of a kind in the guide.
fn block(kind: &str) -> String {
    let (_, rest) = GUIDE.split_once(&format!("```{kind}\n")).unwrap();
    let (block, rest) = rest.split_once("```").unwrap();
    assert!(
        !rest.contains(&format!("```{kind}\n")),
        "two blocks of {kind}"
    );
    block.to_owned()
}

/// Replaces what a test has elsewhere; each has to be there.
fn put(text: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "`{old}` is not in the guide's block");
        text.replace(old, new)
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the tests' programs are is no configuration of the program"
)]
fn program(name: &str) -> PathBuf {
    let folder = std::env::var("SAL_TESTS_PROXIES");
    let folder = PathBuf::from(folder.unwrap_or_else(|_| "/var/tmp/sal-tests-proxies".to_owned()));
    let places = [
        folder.join("usr/sbin"),
        folder.join("usr/bin"),
        "/usr/sbin".into(),
    ];
    let found = places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not here; `./dev test` gets it"))
}

/// A proxy that is killed when dropped.
struct Proxy {
    address: SocketAddr,
    client: Client,
    _folder: TempDir,
    _child: Child,
}

impl Proxy {
    async fn start(name: &str, server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["sal.example.org".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let write =
            |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        write("sal.pem", &certificate);
        write("sal.key", &key);
        write("sal-with-key.pem", &format!("{certificate}{key}"));
        // Free when it was asked for; the proxy takes it by itself.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let backend = server.url.strip_prefix("http://").unwrap();
        let config = config(name, address.port(), backend, folder.path());
        write("config", &config);
        let child = start(name, folder.path());
        until("the proxy", async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        let client = Client::builder()
            .tls_certs_only([Certificate::from_pem(certificate.as_bytes()).unwrap()])
            .resolve("sal.example.org", address)
            .local_address(CLIENT)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self {
            address,
            client,
            _folder: folder,
            _child: child,
        }
    }

    fn origin(&self) -> String {
        format!("https://sal.example.org:{}", self.address.port())
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let origin = self.origin();
        let request = self.client.post(format!("{origin}{path}"));
        // Whoever asks can write this, and nobody shall believe it.
        request
            .header("X-Forwarded-For", "6.6.6.6")
            .header(ORIGIN, origin)
    }
}

/// The guide's block, with the test's port, backend and certificates.
fn config(name: &str, port: u16, backend: &str, folder: &Path) -> String {
    let shown = folder.to_str().unwrap();
    let pem = format!("{shown}/sal.pem");
    let key = format!("{shown}/sal.key");
    match name {
        "nginx" => {
            let server = put(
                &block("nginx"),
                &[
                    ("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl")),
                    ("127.0.0.1:8000", backend),
                    ("/etc/ssl/sal.pem", &pem),
                    ("/etc/ssl/sal.key", &key),
                ],
            );
            let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {shown}/{kind};"));
            format!(
                "daemon off; master_process off; pid {shown}/pid; error_log stderr; events {{}}\n\
                 http {{ access_log off; {}\n{server} }}\n",
                folders.join(" ")
            )
        }
        "caddy" => {
            let site = put(
                &block("caddy"),
                &[
                    (
                        "sal.example.org {",
                        &format!("sal.example.org:{port} {{\n    bind 127.0.0.1"),
                    ),
                    ("127.0.0.1:8000", backend),
                    ("/etc/ssl/sal.pem", &pem),
                    ("/etc/ssl/sal.key", &key),
                ],
            );
            format!("{{\n    admin off\n    auto_https disable_redirects\n}}\n{site}")
        }
        _ => put(
            &block("haproxy"),
            &[
                ("bind :443", &format!("bind 127.0.0.1:{port}")),
                ("127.0.0.1:8000", backend),
                (
                    "/etc/ssl/sal-with-key.pem",
                    &format!("{shown}/sal-with-key.pem"),
                ),
            ],
        ),
    }
}

fn start(name: &str, folder: &Path) -> Child {
    let config = folder.join("config");
    let mut command = Command::new(program(name));
    match name {
        "nginx" => command.args(["-e", "stderr", "-c"]).arg(config),
        "caddy" => command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(config),
        _ => command.args(["-db", "-f"]).arg(config),
    };
    command
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

const NOTED: &str =
    "SELECT string_agg(detail, ', ' ORDER BY id) FROM salrs_audit WHERE kind = 'login'";

/// A wrong and a right login, a form, and a check-in, all through the proxy.
async fn works_behind(name: &str) {
    let stage = Stage::set().await;
    let settings = stage
        .password_settings()
        .with("ADMIN_PASS", PASSWORD)
        .with("SAL_TRUSTED_PROXIES", "127.0.0.1")
        .with("SAL_PUBLIC_URL", "https://sal.example.org");
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    let proxy = Proxy::start(name, &server).await;
    let session = log_in(&proxy).await;
    send_forms(&session, &proxy).await;
    let keys = "SELECT string_agg(name, ',') FROM server_apikey";
    assert_eq!(stage.value(keys).await, "grafana");
    check_in(&proxy).await;
    let machines = "SELECT count(*) FROM server_machine";
    assert_eq!(stage.value(machines).await, "1");
    server.stop().await;
    assert_from_the_client(&stage).await;
    let log = server.log();
    assert!(!log.contains("set SAL_TRUSTED_PROXIES"), "{log}");
}

/// Everything came from the browser's address, and not from the one that it wrote.
async fn assert_from_the_client(stage: &Stage) {
    // Refused and taken.
    let noted = format!("from {CLIENT}, from {CLIENT}");
    assert_eq!(stage.value(NOTED).await, noted);
    let journal = "SELECT string_agg(DISTINCT address, ',') FROM salrs_journal";
    assert_eq!(stage.value(journal).await, CLIENT.to_string());
}

/// The cookie of a session.
async fn log_in(proxy: &Proxy) -> String {
    let form = |password| [("username", "admin"), ("password", password)];
    let wrong = proxy.post("/login/").form(&form("guess"));
    assert_eq!(wrong.send().await.unwrap().status(), 200);
    let right = proxy.post("/login/").form(&form(PASSWORD));
    let answer = right.send().await.unwrap();
    assert!(answer.status().is_redirection(), "{answer:?}");
    assert!(
        answer.headers().contains_key(STRICT_TRANSPORT_SECURITY),
        "{answer:?}"
    );
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

/// One of our own page, and one of somebody else's.
async fn send_forms(session: &str, proxy: &Proxy) {
    let own = proxy
        .post("/settings/api-keys/new/")
        .header(COOKIE, session);
    let answer = own.form(&[("name", "grafana")]).send().await.unwrap();
    assert!(answer.status().is_redirection(), "{answer:?}");
    let next = answer.headers()[LOCATION].to_str().unwrap();
    assert!(next.starts_with("/settings/api-keys/display/"), "{next}");
    let url = format!("{}/settings/api-keys/new/", proxy.origin());
    let foreign = proxy.client.post(url).header(COOKIE, session);
    let foreign = foreign.header(ORIGIN, "https://evil.example");
    let answer = foreign.form(&[("name", "x")]).send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

async fn check_in(proxy: &Proxy) {
    let submission = Macs::new(1).checkin(0, 1);
    let url = format!("{}{}", proxy.origin(), submission.path);
    let request = proxy.client.post(url).basic_auth("sal", Some(KEY));
    let request = request
        .header("Content-Type", submission.content_type)
        .body(submission.body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{answer:?}");
}

#[tokio::test]
async fn the_guides_nginx_passes_logins_forms_and_check_ins_on() {
    works_behind("nginx").await;
}

#[tokio::test]
async fn the_guides_caddy_passes_logins_forms_and_check_ins_on() {
    works_behind("caddy").await;
}

#[tokio::test]
async fn the_guides_haproxy_passes_logins_forms_and_check_ins_on() {
    works_behind("haproxy").await;
}

#[tokio::test]
async fn the_headers_of_an_alb_lead_to_the_client_and_to_https() {
    let stage = Stage::set().await;
    let settings = stage
        .password_settings()
        .with("ADMIN_PASS", PASSWORD)
        .with("SAL_TRUSTED_PROXIES", "127.0.0.0/24");
    let mut server = Server::start(&settings).await;
    let log_in = async |password: &str| {
        let request = server.http.post(format!("{}/login/", server.url));
        let request = request
            .header(HOST, "sal.example.org")
            .header(ORIGIN, "https://sal.example.org")
            // The client's own word, and what the load balancer appended.
            .header("X-Forwarded-For", "6.6.6.6, 203.0.113.7")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Port", "443")
            .header("X-Forwarded-Host", "evil.example")
            .header(
                "X-Amzn-Trace-Id",
                "Root=1-67891233-abcdef012345678912345678",
            );
        let form = [("username", "admin"), ("password", password)];
        request.form(&form).send().await.unwrap()
    };
    assert_eq!(log_in("guess").await.status(), 200);
    let answer = log_in(PASSWORD).await;
    assert!(answer.status().is_redirection(), "{answer:?}");
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    assert!(answer.headers().contains_key(STRICT_TRANSPORT_SECURITY));
    server.stop().await;
    assert_eq!(
        stage.value(NOTED).await,
        "from 203.0.113.7, from 203.0.113.7"
    );
}

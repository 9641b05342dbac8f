//! No secret reaches the log, at the most talkative level, in either format, whatever happens.

use std::path::Path;

use rds_lab::{Credential, EndpointHealth, PolicyFault, Service};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{KEY, Settings, Stage};

const DB_PASS: &str = "leftover-db-pass-5f1c";
const ADMIN_PASS: &str = "admin-pass-of-the-first-user-77aa";
const WRONG_PASSWORD: &str = "mistyped-password-d00d";
/// Trace, and once more by name for the libraries that would show headers, bodies and credentials.
const EVERYTHING: &str = "trace,aws_config::ecs=trace,aws_config::profile=trace,aws_runtime::auth=trace,\
     aws_sigv4::http_request=trace,aws_smithy_http_client::client=trace,aws_smithy_runtime::client=trace,\
     hyper::proto=trace,hyper_util::client=trace,rustls::client=trace,tokio_postgres::query=trace";
const WRONG_KEY: &str = "mistyped-key-of-a-group-4242";

/// What must not be in any log, however the AWS credentials came in.
fn common(stage: &Stage) -> Vec<String> {
    let mut secrets: Vec<String> = [DB_PASS, ADMIN_PASS, WRONG_PASSWORD, WRONG_KEY, KEY]
        .map(str::to_owned)
        .to_vec();
    secrets.extend(
        [
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "X-Amz-Credential",
        ]
        .map(str::to_owned),
    );
    // The beginning of every session token, and what comes before the secret key in answers.
    secrets.extend(["IQoJb3JpZ2luX2Vj", "SecretAccessKey", "pbkdf2_sha256$"].map(str::to_owned));
    secrets.push(stage.lab.container_authorization().to_owned());
    secrets.push(stage.lab.master_password().to_owned());
    secrets.extend([KEY, WRONG_KEY].map(basic));
    secrets
}

/// The value of the `Authorization` header that a client with this key sends.
fn basic(key: &str) -> String {
    let request = reqwest::Client::builder().build().unwrap();
    let request = request.get("http://localhost").basic_auth("sal", Some(key));
    let request = request.build().unwrap();
    let value = request.headers()[AUTHORIZATION].to_str().unwrap();
    value.trim_start_matches("Basic ").to_owned()
}

fn of_credential(credential: &Credential) -> Vec<String> {
    let token = credential.session_token.clone();
    std::iter::once(credential.secret_access_key.clone())
        .chain(token)
        .collect()
}

fn talkative(settings: Settings, format: &str) -> Settings {
    settings
        .with("SAL_LOG", EVERYTHING)
        .with("SAL_LOG_FORMAT", format)
        .with("DB_PASS", DB_PASS)
        .with("ADMIN_PASS", ADMIN_PASS)
}

/// Check-ins that are right and wrong in every way.
async fn check_in_in_every_way(server: &Server) {
    let checkin = Macs::new(1).checkin(0, 0);
    let url = format!("{}/checkin/", server.url);
    let send = async |key: &str, body: Vec<u8>| {
        let request = server.http.post(&url).basic_auth("sal", Some(key));
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        request.send().await.unwrap().status()
    };
    let body = checkin.body.clone();
    let text = String::from_utf8(body.clone()).unwrap();
    assert_eq!(send(KEY, body.clone()).await, StatusCode::OK);
    assert_eq!(
        send(WRONG_KEY, body.clone()).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        send(KEY, text.replace(KEY, WRONG_KEY).into()).await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        send(KEY, text.replace("}}", "}").into()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send(KEY, format!("{{\"key\": \"{KEY}\" oops").into()).await,
        StatusCode::BAD_REQUEST
    );
    let broken = [
        ("broken_client", "true"),
        ("serial", checkin.serial.as_str()),
        ("key", KEY),
    ];
    let report = server
        .http
        .post(format!("{}/report_broken_client/", server.url));
    let report = report.basic_auth("sal", Some(KEY)).form(&broken).send();
    assert!(report.await.unwrap().status().is_success());
}

/// A person mistypes the password, logs in, looks at a page; the session's cookie.
async fn log_in(server: &Server) -> String {
    let url = format!("{}/login/", server.url);
    let send = async |password: &str| {
        let form = [("username", "admin"), ("password", password), ("next", "/")];
        server.http.post(&url).form(&form).send().await.unwrap()
    };
    let refused = send(WRONG_PASSWORD).await;
    assert_eq!(refused.status(), StatusCode::OK);
    let taken = send(ADMIN_PASS).await;
    assert_eq!(taken.status(), StatusCode::FOUND);
    let cookie = taken.headers()[SET_COOKIE].to_str().unwrap();
    let pair = cookie.split(';').next().unwrap().to_owned();
    for path in ["/", "/database/"] {
        let request = server.http.get(format!("{}{path}", server.url));
        let page = request.header(COOKIE, &pair).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
    }
    pair.split_once('=').unwrap().1.to_owned()
}

/// Everything that can happen to a login; `renew` gives the source new credentials.
async fn suffer(stage: &Stage, server: &Server, renew: impl FnOnce()) {
    let macs = Macs::new(1);
    let faults = stage.lab.faults();
    faults.expire_credentials();
    stage.cut(server).await;
    renew();
    macs.check_in(0, 1, server).await;
    faults.set_policy(PolicyFault::DenyAll);
    stage.cut(server).await;
    assert_eq!(macs.check_in(0, 2, server).await, 503);
    faults.set_endpoint(Service::Container, EndpointHealth::Status(500));
    faults.expire_credentials();
    macs.check_in(0, 3, server).await;
    stage.run("REVOKE rds_iam FROM salawsiam").await;
    assert_eq!(macs.check_in(0, 4, server).await, 503);
    server.logged("token_sent_to_password_check").await;
}

async fn play(settings: &Settings, stage: &Stage, secrets: Vec<String>, renew: impl FnOnce()) {
    let mut server = Server::start(settings).await;
    stage.make_group().await;
    check_in_in_every_way(&server).await;
    let cookie = log_in(&server).await;
    suffer(stage, &server, renew).await;
    server.stop().await;
    let log = server.log();
    assert!(
        log.contains("TRACE"),
        "the log is not at trace level:\n{log}"
    );
    assert!(log.contains("a login was refused") && log.contains("check-in of"));
    for library in [
        "aws_smithy_runtime",
        "hyper_util",
        "rustls",
        "tokio_postgres",
    ] {
        let target = format!("\"target\":\"{library}");
        let spoke = |line: &&str| line.contains(&target) && line.contains("TRACE");
        assert_eq!(log.lines().find(spoke), None);
    }
    for secret in secrets.iter().chain([&cookie]) {
        let shown: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(secret.as_str()))
            .collect();
        assert!(shown.is_empty(), "`{secret}` is in the log: {shown:#?}");
    }
}

#[tokio::test]
async fn no_secret_is_in_a_human_log_with_a_container_role() {
    let stage = Stage::set().await;
    let settings = talkative(stage.settings(), "human");
    play(&settings, &stage, common(&stage), || {}).await;
}

#[tokio::test]
async fn no_secret_is_in_a_json_log_with_a_credential_process() {
    let stage = Stage::set().await;
    stage.lab.allow_connect("*", "salawsiam");
    let folder = tempfile::tempdir().unwrap();
    let (answer, config) = (
        folder.path().join("answer.json"),
        folder.path().join("config"),
    );
    let profile = format!(
        "[default]\ncredential_process = /bin/cat {}\n",
        answer.display()
    );
    std::fs::write(&config, profile).unwrap();
    let sets = [
        stage.lab.temporary_credentials("first"),
        stage.lab.temporary_credentials("second"),
    ];
    write_answer(&sets[0], &answer);
    let settings = talkative(stage.settings(), "json")
        .without("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .without("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        .with("AWS_EC2_METADATA_DISABLED", "true")
        .with("AWS_CONFIG_FILE", config.to_str().unwrap());
    let secrets = common(&stage)
        .into_iter()
        .chain(sets.iter().flat_map(of_credential));
    let secrets = secrets.collect();
    play(&settings, &stage, secrets, || {
        write_answer(&sets[1], &answer)
    })
    .await;
}

#[tokio::test]
async fn no_secret_is_in_a_json_log_with_keys_in_the_environment() {
    let stage = Stage::set().await;
    stage.lab.allow_connect("*", "salawsiam");
    let credential = stage.lab.temporary_credentials("keys");
    let settings = talkative(stage.settings(), "json")
        .with("AWS_ACCESS_KEY_ID", &credential.access_key_id)
        .with("AWS_SECRET_ACCESS_KEY", &credential.secret_access_key)
        .with(
            "AWS_SESSION_TOKEN",
            credential.session_token.as_deref().unwrap(),
        );
    let mut secrets = common(&stage);
    secrets.extend(of_credential(&credential));
    play(&settings, &stage, secrets, || {}).await;
}

fn write_answer(credential: &Credential, path: &Path) {
    let answer = serde_json::json!({
        "Version": 1,
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "SessionToken": credential.session_token,
        "Expiration": credential.expires.unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    std::fs::write(path, answer.to_string()).unwrap();
}

/// What a program shows, right and wrong, in every way in which somebody sends it.
struct Shown {
    public: String,
    private: String,
    token: String,
}

impl Shown {
    async fn make(settings: &Settings) -> Self {
        let run = async |arguments: &[&str]| -> serde_json::Value {
            let made = settings.run(arguments).await;
            serde_json::from_str(&made.stdout).unwrap()
        };
        let pair = run(&["key", "add", "dumps", "--read-write", "--json"]).await;
        let token = run(&[
            "key", "token", "create", "helpdesk", "--owner", "admin", "--write", "--keys", "--json",
        ])
        .await;
        let text = |value: &serde_json::Value, name: &str| {
            value
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap()
                .to_owned()
        };
        Self {
            public: text(&pair, "public_key"),
            private: text(&pair, "private_key"),
            token: text(&token, "token"),
        }
    }

    /// A token that looks like one and is none.
    fn mistyped(&self) -> String {
        let (start, last) = self.token.split_at(self.token.len() - 1);
        format!("{start}{}", if last == "a" { "b" } else { "a" })
    }

    fn headers(&self) -> Vec<Vec<(&'static str, String)>> {
        let pair = |private: &str| {
            vec![
                ("publickey", self.public.clone()),
                ("privatekey", private.to_owned()),
            ]
        };
        let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
        vec![
            pair(&self.private),
            pair(WRONG_KEY),
            bearer(&self.token),
            bearer(&self.mistyped()),
            vec![("authorization", format!("Token {}", self.token))],
        ]
    }
}

/// Asks at each address of the API in every way; how often.
async fn knock_everywhere(server: &Server, shown: &Shown) -> u32 {
    let document = server.get("/api/v2/openapi.json").await;
    let document: serde_json::Value =
        serde_json::from_str(&document.text().await.unwrap()).unwrap();
    let paths = document
        .get("paths")
        .and_then(serde_json::Value::as_object)
        .unwrap()
        .keys();
    let mut paths: Vec<String> = paths.map(|path| path.replace("{id}", "1")).collect();
    paths.extend(["/mcp", "/api/v2/machine_groups/?find=name"].map(str::to_owned));
    let mut answered = 0;
    for path in &paths {
        for headers in shown.headers() {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let mut request = server
                    .http
                    .request(method, format!("{}{path}", server.url))
                    .header("idempotency-key", "once")
                    .header(CONTENT_TYPE, "application/json")
                    .body(format!("{{\"name\": \"{}\"", shown.token));
                for (name, value) in &headers {
                    request = request.header(*name, value);
                }
                let answer = request.send().await.unwrap();
                assert!(
                    answer.status().as_u16() < 500,
                    "{path}: {}",
                    answer.status()
                );
                answered += 1;
            }
        }
    }
    answered
}

#[tokio::test]
async fn no_key_and_no_token_of_the_api_is_in_the_log() {
    let stage = Stage::set().await;
    for format in ["human", "json"] {
        let settings = stage
            .password_settings()
            .with("SAL_LOG", EVERYTHING)
            .with("SAL_LOG_FORMAT", format)
            .with("ADMIN_PASS", ADMIN_PASS)
            .with("SAL_MCP", "true");
        let mut server = Server::start(&settings).await;
        if format == "human" {
            stage.make_group().await;
        }
        let shown = Shown::make(&stage.password_settings()).await;
        let answered = knock_everywhere(&server, &shown).await;
        assert!(answered > 200, "{answered} requests");
        server.stop().await;
        let log = server.log();
        assert!(log.contains("TRACE") && log.contains("/api/v2/machines/"));
        let secrets = [
            shown.private.as_str(),
            WRONG_KEY,
            &shown.token,
            &shown.mistyped(),
            KEY,
        ];
        for secret in secrets {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "`{secret}` is in the log");
        }
        stage
            .run("DELETE FROM server_apikey; DELETE FROM salrs_api_token")
            .await;
    }
}

#[tokio::test]
async fn the_set_up_link_is_told_once_and_never_logged() {
    for format in ["human", "json"] {
        let stage = Stage::set().await;
        let settings = stage.password_settings().with("SAL_LOG", EVERYTHING);
        let settings = settings.with("SAL_LOG_FORMAT", format);
        let mut server = Server::start(&settings).await;
        let log = server.log();
        let token = log
            .split_once("/setup/")
            .unwrap()
            .1
            .split('/')
            .next()
            .unwrap();
        let form = [
            ("username", "anna"),
            ("password", "four blue kettles"),
            ("again", ""),
        ];
        for (path, status) in [
            (format!("/setup/{token}/"), 200),
            (format!("/setup/{token}"), 301),
            (format!("//setup/{token}/"), 404),
            (format!("/%73etup/{token}/"), 404),
            (format!("/SETUP/{token}/x"), 404),
            (format!("/login/?next=/setup/{token}/"), 200),
        ] {
            let answer = server.get(&path).await;
            assert_eq!(answer.status().as_u16(), status, "{path}");
        }
        let url = format!("{}/setup/{token}/", server.url);
        let answer = server.http.post(&url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let with_referer = server.http.get(&server.url).header("referer", &url);
        assert!(with_referer.send().await.is_ok());
        server.stop().await;
        let log = server.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(token)).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].starts_with("There is no user yet."), "{lines:?}");
    }
}

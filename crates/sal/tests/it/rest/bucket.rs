//! `sal export` into a bucket of moto's, which checks our signatures, and of stand-ins that answer what moto cannot.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::{Child, Command};

use super::{answering, served};
use crate::relay::python;
use crate::stage::{Settings, Stage};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rest/s3.py");

struct Moto {
    url: String,
    keys: Value,
    _server: Child,
}

impl Moto {
    async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new(python().with_file_name("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let waiting = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_err()
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let keys = script(&[&url]).await;
        Self {
            url,
            keys,
            _server: server,
        }
    }

    /// Who writes to it.
    fn with(&self, who: &str, program: &Settings) -> Settings {
        let part = |name: &str| self.keys[who][name].as_str().unwrap();
        program
            .clone()
            .with("AWS_ENDPOINT_URL_S3", &self.url)
            .with("AWS_REGION", "us-west-2")
            .with("AWS_ACCESS_KEY_ID", part("id"))
            .with("AWS_SECRET_ACCESS_KEY", part("secret"))
    }

    async fn object(&self, name: &str) -> (String, String) {
        let there = script(&[&self.url, "dumps.example", name]).await;
        let text = |name: &str| there[name].as_str().unwrap().to_owned();
        (text("type"), text("body"))
    }
}

async fn script(arguments: &[&str]) -> Value {
    let output = Command::new(python())
        .arg(SCRIPT)
        .args(arguments)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn lists_become_objects_when_they_are_whole() {
    let stage = Stage::set().await;
    let (_server, program) = served(&stage).await;
    let moto = Moto::start().await;
    let program = moto.with("writer", &program);
    // Everything that a path is encoded for.
    let to = "s3://dumps.example/sal dumps/day=1+ü~(2)/";
    let export = ["export", "machines", "facts", "--to", to];
    let ended = program.run(&export).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains(&format!("{to}machines.jsonl: 250 rows")),
        "{ended:?}"
    );
    let (kind, body) = moto.object("sal dumps/day=1+ü~(2)/machines.jsonl").await;
    assert_eq!(kind, "application/jsonl");
    assert_eq!(body.lines().count(), 251);
    assert!(body.ends_with("{\"end\":true,\"rows\":250}\n"));
    let resumed = program.run(&[&export[..], &["--resume"]].concat()).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(
        resumed
            .stderr
            .contains(&format!("{to}machines.jsonl is there"))
            && resumed
                .stderr
                .contains(&format!("{to}facts.jsonl is there")),
        "{resumed:?}"
    );
    let csv = ["--format", "csv", "--with", "fields=serial", "--resume"];
    let at_root = ["export", "machines", "--to", "s3://dumps.example"];
    let ended = program.run(&[&at_root[..], &csv].concat()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (kind, body) = moto.object("machines.csv").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    assert!(body.starts_with("serial,_end\r\n") && body.ends_with("\r\n,250\r\n"));
}

/// Fails with this code and these words, and shows no secret however much is logged.
async fn fails(settings: &Settings, arguments: &[&str], code: i32, said: &str) {
    let settings = settings.clone().with("SAL_LOG", "trace");
    let export = ["export", "machines", "--tries", "1", "--to"];
    let ended = settings.run(&[&export[..], arguments].concat()).await;
    assert_eq!(ended.code, Some(code), "{said}: {ended:?}");
    assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    for name in ["AWS_SECRET_ACCESS_KEY", "SAL_API_PRIVATE_KEY"] {
        assert!(!ended.stderr.contains(settings.value(name)), "{ended:?}");
    }
}

#[tokio::test]
async fn what_s3_refuses_is_said_with_what_to_do() {
    let stage = Stage::set().await;
    let (_server, program) = served(&stage).await;
    let moto = Moto::start().await;
    let writer = moto.with("writer", &program);
    let stranger = moto.with("stranger", &program);
    let wrong = writer.clone().with("AWS_SECRET_ACCESS_KEY", "wrong-secret");
    let there = "s3://dumps.example/a";
    let elsewhere = [there, "--endpoint-url", "http://127.0.0.1:1"];
    fails(&stranger, &[there], 1, "allow s3:PutObject there").await;
    let listing = "s3:ListBucket on arn:aws:s3:::dumps.example, which --resume needs";
    fails(&stranger, &[there, "--resume"], 1, listing).await;
    let missing = "; make the bucket `nothing.example`";
    fails(&writer, &["s3://nothing.example/a"], 1, missing).await;
    fails(&wrong, &[there], 1, "or its secret is wrong").await;
    fails(&writer, &elsewhere, 1, "127.0.0.1:1 does not answer").await;
}

#[tokio::test]
async fn what_is_not_said_of_a_bucket_is_asked_for() {
    let program = Settings::default()
        .with("SAL_URL", "http://127.0.0.1:1")
        .with("SAL_API_PUBLIC_KEY", "public-part")
        .with("SAL_API_PRIVATE_KEY", "private-part")
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "secret-access")
        .with("AWS_REGION", "us-west-2");
    let nowhere = program.clone().without("AWS_REGION");
    let zone = program.clone().with("AWS_REGION", "us-west-2a");
    let no_address = program.clone().with("AWS_ENDPOINT_URL_S3", "s3.example");
    let there = "s3://dumps.example";
    fails(&nowhere, &[there], 2, "Name it with --region").await;
    fails(&zone, &[there], 2, "zone; write us-west-2").await;
    fails(&program, &["s3://"], 2, "is no bucket").await;
    fails(&program, &["s3://dumps/a/../b"], 2, "is no name").await;
    fails(&no_address, &[there], 2, "write it as https://").await;
}

/// What moto never answers: a bucket elsewhere, and an S3 that is busy.
#[tokio::test]
async fn a_bucket_elsewhere_is_named_and_a_busy_one_asked_again() {
    let list = "HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\nconnection: close\r\n\r\n{\"end\":true,\"rows\":0}\n";
    let answer = |status: &str, more: &str| {
        format!("HTTP/1.1 {status}\r\n{more}connection: close\r\ncontent-length: 0\r\n\r\n")
    };
    let elsewhere = answer("301 Moved", "x-amz-bucket-region: eu-central-1\r\n");
    let busy = answer("503 Slow Down", "");
    let done = answer("200 OK", "");
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            for (answers, code, said) in [
                (vec![elsewhere], 1, "give --region eu-central-1"),
                (
                    vec![busy.clone(), done],
                    0,
                    "S3 answered 503; try 2 of 2 in 1 s",
                ),
                (vec![busy.clone(), busy], 1, "S3 answered 503"),
            ] {
                let program = Settings::default()
                    .with("SAL_URL", &answering(vec![list.to_owned()]).await)
                    .with("SAL_API_TOKEN", "sal_x")
                    .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                    .with("AWS_SECRET_ACCESS_KEY", "secret")
                    .with("AWS_REGION", "us-west-2");
                let stand_in = answering(answers).await;
                let ended = program
                    .run(&[
                        "export",
                        "machines",
                        "--to",
                        "s3://dumps",
                        "--tries",
                        "2",
                        "--endpoint-url",
                        &stand_in,
                    ])
                    .await;
                assert_eq!(ended.code, Some(code), "{ended:?}");
                assert!(ended.stderr.contains(said), "{ended:?}");
            }
        })
        .await;
}

//! `sal api` and `sal export` against a running server.

mod bucket;

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::Server;
use crate::stage::{Ended, Settings, Stage};

/// A server with 250 machines, and what a program needs to know of it.
async fn served(stage: &Stage) -> (Server, Settings) {
    let server = Server::start(&stage.password_settings()).await;
    stage.make_group().await;
    stage
        .run(
            "INSERT INTO server_machine (serial, hostname, os_family, operating_system, memory_kb, machine_group_id, deployed, broken_client)
             SELECT 'SER' || n, E'a,\"b\"\\n' || n, 'Darwin', '15.' || n % 7, 0, (SELECT min(id) FROM server_machinegroup), n % 2 = 0, false
             FROM generate_series(1, 250) n",
        )
        .await;
    let made = stage
        .password_settings()
        .run(&["key", "add", "dumps", "--read-write", "--json"])
        .await;
    let key: Value = serde_json::from_str(&made.stdout).unwrap();
    let part = |name: &str| key.get(name).unwrap().as_str().unwrap().to_owned();
    let program = Settings::default()
        .with("SAL_URL", &server.url)
        .with("SAL_API_PUBLIC_KEY", &part("public_key"))
        .with("SAL_API_PRIVATE_KEY", &part("private_key"));
    (server, program)
}

fn rows(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_shell_reads_walks_and_changes() {
    let stage = Stage::set().await;
    let (_server, program) = served(&stage).await;
    let one = program.run(&["api", "GET", "machines/SER7"]).await;
    assert_eq!(
        (one.code, rows(&one)[0]["serial"].as_str()),
        (Some(0), Some("SER7")),
        "{one:?}"
    );
    let walked = program
        .run(&[
            "api",
            "get",
            "machines",
            "filter=os_version >= 15.6",
            "fields=serial",
            "page_size=10",
            "--paginate",
        ])
        .await;
    assert_eq!(
        (walked.code, rows(&walked).len()),
        (Some(0), 35),
        "{walked:?}"
    );
    let changed = program
        .run(&[
            "api",
            "PATCH",
            "/api/v2/machines/SER7/",
            "deployed:=true",
            "hostname=new",
        ])
        .await;
    assert_eq!(rows(&changed)[0]["hostname"], json!("new"), "{changed:?}");
    let gone = program.run(&["api", "DELETE", "machines/SER7"]).await;
    assert_eq!((gone.code, gone.stdout.as_str()), (Some(0), ""), "{gone:?}");
}

#[tokio::test]
async fn what_is_refused_is_said_with_its_reason() {
    let stage = Stage::set().await;
    let (_server, program) = served(&stage).await;
    for (settings, arguments, code, said) in [
        (
            program.clone(),
            &["api", "GET", "machines/NOPE"][..],
            1,
            "answered 404: No Machine matches",
        ),
        (
            program.clone(),
            &["api", "GET", "machines", "filter=nope = 1", "strict=1"],
            1,
            "answered 400",
        ),
        (
            program.clone(),
            &["api", "GET", "machines", "serial"],
            2,
            "`serial` is not name=value",
        ),
        (
            program.clone(),
            &["api", "FETCH", "machines"],
            2,
            "none of GET",
        ),
        (
            program.clone().with("SAL_API_PRIVATE_KEY", "wrong"),
            &["api", "GET", "machines"],
            1,
            "answered 403: Invalid API Key",
        ),
        (
            program.clone().without("SAL_URL"),
            &["api", "GET", "machines"],
            2,
            "SAL_URL is not set",
        ),
        (
            program.clone().without("SAL_API_PUBLIC_KEY"),
            &["api", "GET", "machines"],
            2,
            "no token and no key",
        ),
        (
            program.clone().with("SAL_URL", "http://127.0.0.1:1"),
            &["api", "GET", "machines"],
            1,
            "does not answer",
        ),
    ] {
        let ended = settings.run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

fn mode(file: &std::path::Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn lists_become_files_when_they_are_whole() {
    let stage = Stage::set().await;
    let (_server, program) = served(&stage).await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let export = ["export", "machines", "facts", "--to", to];
    let ended = program.run(&export).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name));
    assert!(
        read("machines.jsonl")
            .unwrap()
            .ends_with("{\"end\":true,\"rows\":250}\n")
    );
    assert_eq!(read("facts.jsonl").unwrap(), "{\"end\":true,\"rows\":0}\n");
    assert_eq!(mode(&folder.path().join("facts.jsonl")), 0o600);
    // A run that was ended goes on with what is missing.
    std::fs::remove_file(folder.path().join("facts.jsonl")).unwrap();
    std::fs::write(folder.path().join("machines.jsonl"), "kept").unwrap();
    let resumed = program.run(&[&export[..], &["--resume"]].concat()).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(read("machines.jsonl").unwrap(), "kept");
    assert!(read("facts.jsonl").is_ok());
    let csv = program
        .run(&[
            "export",
            "machines",
            "--filter",
            "os_version >= 15.6",
            "--with",
            "fields=serial,hostname",
            "--format",
            "csv",
            "--to",
            "-",
        ])
        .await;
    assert_eq!(csv.code, Some(0), "{csv:?}");
    assert!(
        csv.stdout.starts_with("serial,hostname,_end\r\n") && csv.stdout.ends_with("\r\n,,35\r\n"),
        "{csv:?}"
    );
    for (arguments, code, said) in [
        (
            &["export", "machines", "facts", "--to", "-"][..],
            2,
            "takes one list",
        ),
        (
            &["export", "machines", "--with", "nonsense=1", "--to", to],
            1,
            "answered 400",
        ),
        (&["export", "nope", "--to", to], 1, "answered 404"),
    ] {
        let ended = program.run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
    assert!(
        !folder.path().join("nope.jsonl").exists() && !folder.path().join("nope.part").exists()
    );
}

/// Answers requests one after another with these bytes, and hangs up.
async fn answering(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::task::spawn_local(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_list_that_breaks_off_is_asked_for_again_and_never_kept() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\nconnection: close\r\n\r\n{\"id\":1}\n";
    let whole = format!("{head}{{\"end\":true,\"rows\":1}}\n");
    let busy =
        "HTTP/1.1 503 Busy\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            for (answers, code) in [
                (
                    vec![busy.to_owned(), head.to_owned(), whole.clone()],
                    Some(0),
                ),
                (vec![head.to_owned(), head.to_owned()], Some(1)),
            ] {
                let folder = tempfile::tempdir().unwrap();
                let tries = answers.len().to_string();
                let program = Settings::default()
                    .with("SAL_URL", &answering(answers).await)
                    .with("SAL_API_TOKEN", "sal_x");
                let to = folder.path().to_str().unwrap();
                let ended = program
                    .run(&["export", "machines", "--to", to, "--tries", &tries])
                    .await;
                assert_eq!(ended.code, code, "{ended:?}");
                let files: Vec<_> = std::fs::read_dir(folder.path())
                    .unwrap()
                    .map(|one| one.unwrap().file_name())
                    .collect();
                assert_eq!(files.len(), usize::from(code == Some(0)), "{files:?}");
                assert!(ended.stderr.contains("broke off"), "{ended:?}");
            }
        })
        .await;
}

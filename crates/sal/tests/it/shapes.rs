//! The program at clusters and proxies: what is refused and with which name instead, and what serves.

use std::process::Stdio;

use rds_lab::Shape;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::server::Server;
use crate::stage::{PATIENCE, Settings, Stage, USER};

/// A command that must not begin: exit code 3, both words are said, and nobody has logged in.
async fn refused(arguments: &[&str], words: &[&str], settings: &Settings) {
    let journal = tempfile::tempdir().unwrap();
    let journal = journal.path().join("journal");
    let settings = settings
        .clone()
        .with("SAL_IAM_JOURNAL", journal.to_str().unwrap());
    let ended = settings.run(arguments).await;
    assert_eq!(ended.code, Some(3), "{arguments:?}: {ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for words in words {
        assert!(said.contains(words), "{arguments:?}: {words}: {said}");
    }
    assert!(!journal.exists(), "nothing was begun");
}

const MOVES: [&[&str]; 5] = [
    &["iam", "plan"],
    &["iam", "plan", "--aws", "--role=sal-task"],
    &["iam", "apply", "--yes"],
    &["iam", "finalize", "--yes"],
    &["iam", "rollback", "--yes"],
];

#[tokio::test]
async fn nothing_is_moved_at_a_reader_and_the_writer_is_named() {
    let stage = Stage::of(Shape::Aurora).await;
    let writer = format!("DB_HOST={}", stage.lab.endpoint());
    let at_reader = stage.at("reader", stage.admin_settings());
    for arguments in MOVES {
        refused(arguments, &["this is a reader", &writer], &at_reader).await;
    }
    let json = at_reader.run(&["iam", "plan", "--format=json"]).await;
    let plan: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(plan["refusals"][0]["code"], "reader_endpoint", "{plan}");
    // Its own name does not say that an instance reads; AWS does, and the login would.
    let at_instance = stage.at("instance-2", stage.admin_settings());
    refused(MOVES[1], &["this is a reader", &writer], &at_instance).await;
    let doctor = at_reader.run(&["iam", "doctor"]).await;
    assert!(doctor.stdout.contains(&writer), "{doctor:?}");
    // At the writer the plan is made, with the cluster's id and the cluster's flag.
    let plan = stage
        .admin_settings()
        .run(&["iam", "plan", "--aws", "--role=sal-task"])
        .await;
    assert_eq!(plan.code, Some(0), "{plan:?}");
    let resource = format!("dbuser:cluster-ABCDEFGHIJKL01234567890123/{USER}");
    assert!(plan.stdout.contains(&resource), "{plan:?}");
    // The server serves there, and goes on after a failover.
    let mut server = Server::start(&stage.settings()).await;
    stage.lab.fail_over().unwrap();
    crate::stage::until("a writer again", async || {
        server.readiness().await.0 == StatusCode::OK
    })
    .await;
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn nothing_is_moved_at_a_standard_proxy_and_its_policy_names_the_proxy() {
    let stage = Stage::of(Shape::Proxy).await;
    let own = format!("DB_HOST={}", stage.lab.endpoint());
    for door in ["proxy", "proxy-endpoint"] {
        let settings = stage.at(door, stage.admin_settings());
        for arguments in MOVES {
            let words = ["RDS Proxy `sal-sandbox-proxy`", "secret", &own];
            refused(arguments, &words, &settings).await;
        }
        let policy = settings.run(&["iam", "policy", "--user=sal"]).await;
        assert!(
            policy.stdout.contains("dbuser:prx-0123456789abcdef0/sal"),
            "{policy:?}"
        );
        assert!(!policy.stdout.contains("dbuser:db-"), "{policy:?}");
        assert!(
            policy.stderr.contains("must not be in rds_iam"),
            "{policy:?}"
        );
    }
    // Where AWS cannot be asked the refusal says how the database is found.
    stage
        .lab
        .faults()
        .set_endpoint(rds_lab::Service::Rds, rds_lab::EndpointHealth::Down);
    let settings = stage.at("proxy", stage.admin_settings());
    refused(MOVES[0], &["describe-db-proxy-targets"], &settings).await;
    stage
        .lab
        .faults()
        .set_endpoint(rds_lab::Service::Rds, rds_lab::EndpointHealth::Up);
    // The present user logs in with a token and a secret; the user in rds_iam never does.
    stage
        .lab
        .set_proxy_secret("sal", crate::stage::OWNER_PASSWORD);
    let task = stage.lab.task_role_arn();
    stage
        .lab
        .allow_connect(&task, &stage.lab.proxy_resource("*"));
    let through = stage.at("proxy", stage.settings());
    let mut server = Server::start(&through.clone().with("DB_USER", "sal")).await;
    assert_eq!(server.readiness().await.0, StatusCode::OK);
    assert!(server.stop().await.success());
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let doctor = stage.with_aws(through).run(&["iam", "doctor"]).await;
    for words in [
        "PROBLEM    RDS Proxy",
        "no secret of `salawsiam`",
        "IAM_AUTH",
    ] {
        assert!(doctor.stdout.contains(words), "{words}: {doctor:?}");
    }
}

#[tokio::test]
async fn the_server_serves_through_an_end_to_end_proxy() {
    let stage = Stage::of(Shape::ProxyEndToEnd).await;
    let lab = &stage.lab;
    lab.allow_connect(&lab.task_role_arn(), &lab.proxy_resource(USER));
    lab.allow_connect(&lab.proxy_role_arn(), USER);
    let settings = stage.at("proxy", stage.admin_settings());
    refused(MOVES[2], &["end-to-end", "DB_HOST="], &settings).await;
    let policy = settings.run(&["iam", "policy"]).await;
    for id in ["prx-0123456789abcdef0", "db-ABCDEFGHIJKL01234567890123"] {
        let resource = format!("dbuser:{id}/{USER}");
        assert!(policy.stdout.contains(&resource), "{policy:?}");
    }
    assert!(
        policy.stderr.contains("role/sal-sandbox-proxy"),
        "{policy:?}"
    );
    let mut server = Server::start(&stage.at("proxy", stage.settings())).await;
    assert_eq!(server.readiness().await.0, StatusCode::OK);
    let users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sal'";
    assert_eq!(stage.rows(users).await, [[USER]]);
    assert!(server.stop().await.success());
    let doctor = settings.run(&["iam", "doctor", "--all"]).await;
    assert!(doctor.stdout.contains("ok         RDS Proxy"), "{doctor:?}");
}

#[tokio::test]
async fn nothing_is_moved_at_dsql() {
    let stage = Stage::set().await;
    let dsql = "abcdefghijklmnopqrst.dsql.us-west-2.on.aws";
    let settings = stage.admin_settings().with("DB_HOST", dsql);
    refused(MOVES[0], &["Aurora DSQL", "sal iam token"], &settings).await;
    refused(MOVES[2], &["Aurora DSQL"], &settings).await;
}

/// `sal lab` speaks of every name that its shape has, and leads to it.
#[tokio::test]
async fn a_lab_of_any_shape_is_led_through_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let socket = format!("--socket={}", folder.path().join("lab.sock").display());
    let machine = Settings::default().with("PATH", "/usr/bin:/bin");
    let mut lab = machine
        .command(&["lab", "up", "--shape=aurora", "--machines=1", &socket])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(lab.stdout.take().unwrap()).lines();
    let welcome = async {
        let mut said = String::new();
        while !said.contains("Ctrl-C") {
            said.push_str(&lines.next_line().await.unwrap().unwrap());
        }
        said
    };
    let welcome = tokio::time::timeout(PATIENCE, welcome).await.unwrap();
    assert!(welcome.contains("sal lab failover"), "{welcome}");
    let run = async |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.push(&socket);
        machine.run(&all).await
    };
    let status = run(&["lab", "status"]).await;
    for door in ["writer", "reader", "custom", "instance-1", "instance-2"] {
        let line = format!("door       {door} ");
        assert!(status.stdout.contains(&line), "{status:?}");
    }
    let reader = run(&["lab", "env", "admin", "--at=reader"]).await;
    assert!(reader.stdout.contains("cluster-ro-"), "{reader:?}");
    let mut settings = machine.clone();
    for line in reader.stdout.lines() {
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            settings = settings.with(name, value.trim_matches('\''));
        }
    }
    refused(&["iam", "plan"], &["this is a reader"], &settings).await;
    let nowhere = run(&["lab", "env", "iam", "--at=proxy"]).await;
    assert!(
        nowhere.stderr.contains("writer, reader, custom"),
        "{nowhere:?}"
    );
    let failover = run(&["lab", "failover"]).await;
    assert_eq!(failover.code, Some(0), "{failover:?}");
    assert_eq!(run(&["lab", "down"]).await.code, Some(0));
    assert!(lab.wait().await.unwrap().success());
}

//! `sal compare`: what two servers have in common, and what not.

use serde_json::Value;

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{Ended, KEY, Settings, Stage};

const PASSWORD: &str = "a-password-of-the-0ld";

/// A server on a database with one group and an administrator.
async fn served(stage: &Stage) -> Server {
    let settings = stage.password_settings().with("ADMIN_PASS", PASSWORD);
    let server = Server::start(&settings).await;
    stage.make_group().await;
    server
}

async fn compare(old: &str, new: &str, settings: Settings, more: &[&str]) -> Ended {
    let arguments = [&["compare", old, new], more].concat();
    settings
        .with("SAL_COMPARE_PASS", PASSWORD)
        .with("SAL_COMPARE_KEY", KEY)
        .run(&arguments)
        .await
}

fn report(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
}

/// What differs in a part, by its name.
fn differences(report: &Value, part: &str) -> Vec<String> {
    let parts = report["parts"].as_array().unwrap();
    let part = parts.iter().find(|one| one["part"] == part).unwrap();
    let all = part["differences"].as_array().unwrap();
    all.iter()
        .map(|one| {
            format!(
                "{}: {}",
                one["what"].as_str().unwrap(),
                one["difference"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn two_servers_on_one_database_differ_in_nothing_and_two_on_two_are_told_apart() {
    let (first, second) = (Stage::set().await, Stage::set().await);
    let (old, new) = (served(&first).await, served(&second).await);
    let twin = Server::start(&first.password_settings()).await;
    let macs = Macs::new(3);
    for (mac, server) in [(0, &old), (1, &old), (2, &old), (0, &new), (1, &new)] {
        assert_eq!(macs.check_in(mac, 0, server).await, 200);
    }
    let same = compare(
        &old.url,
        &twin.url,
        Settings::default(),
        &["--user", "admin"],
    )
    .await;
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(!same.stdout.contains("different"), "{same:?}");
    assert!(same.stderr.contains("Not compared: the tables"), "{same:?}");

    let other = compare(
        &old.url,
        &new.url,
        Settings::default(),
        &["--user", "admin", "--json"],
    )
    .await;
    assert_eq!(other.code, Some(3), "{other:?}");
    let serial = macs.checkin(2, 0).serial;
    let lists = differences(&report(&other), "Machines behind the widgets");
    let all = format!("Status all_machines: old 3, new 2; only old: {serial}");
    assert!(lists.contains(&all), "{lists:#?}");
    assert_eq!(
        differences(&report(&other), "Refusals without a key"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn the_tables_of_a_copy_are_compared_by_their_rows() {
    let stage = Stage::set().await;
    let server = served(&stage).await;
    let macs = Macs::new(1);
    assert_eq!(macs.check_in(0, 0, &server).await, 200);
    // The first who asks for scripts fills the list of plugins, as in Sal.
    compare(&server.url, &server.url, Settings::default(), &[]).await;
    stage
        .lab
        .postgres()
        .run_sql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'sal'; ",
        )
        .await
        .unwrap();
    let copied = stage.lab.postgres().run_sql(
        "postgres",
        "CREATE DATABASE copied TEMPLATE sal OWNER sal STRATEGY FILE_COPY",
    );
    copied.await.unwrap();
    let settings = stage.password_settings();
    let ended = compare(
        &server.url,
        &server.url,
        settings.clone(),
        &["--old-database", "copied"],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    stage
        .run("UPDATE server_machine SET hostname = 'changed'; DELETE FROM server_fact")
        .await;
    let ended = compare(
        &server.url,
        &server.url,
        settings,
        &["--old-database", "copied", "--json"],
    )
    .await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let tables = differences(&report(&ended), "Tables");
    assert!(
        tables.contains(&"server_machine: 1 rows in both, with other content".to_owned()),
        "{tables:#?}"
    );
    assert!(
        tables
            .iter()
            .any(|line| line.starts_with("server_fact: old ")),
        "{tables:#?}"
    );
}

#[tokio::test]
async fn what_cannot_be_compared_is_said_and_no_password_is_shown() {
    let stage = Stage::set().await;
    let server = served(&stage).await;
    let url = &server.url;
    for (old, more, said) in [
        ("sal.example.org", &[][..], "is not the address of a server"),
        ("http://u:geheim@127.0.0.1:1", &[], "refused"),
        ("http://127.0.0.1:1", &[], "does not answer"),
        (
            url.as_str(),
            &["--user", "nobody"],
            "did not let `nobody` in",
        ),
        (
            url.as_str(),
            &["--user", "admin", "--place", "unit/1"],
            "--place `unit/1`",
        ),
    ] {
        let ended = compare(old, url, Settings::default(), more).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
        for secret in [PASSWORD, KEY, "geheim"] {
            assert!(
                !ended.stderr.contains(secret) && !ended.stdout.contains(secret),
                "{ended:?}"
            );
        }
    }
    let without = Settings::default()
        .run(&["compare", url, url, "--user", "admin"])
        .await;
    assert_eq!(without.code, Some(2), "{without:?}");
}

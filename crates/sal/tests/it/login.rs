//! How the server logs in, as the environment says: IAM with the wiki page's six variables, or a password.

use reqwest::StatusCode;

use crate::checkins::{Content, Macs};
use crate::server::Server;
use crate::stage::{OWNER_PASSWORD, Stage, USER};

#[tokio::test]
async fn the_six_variables_of_the_wiki_page_start_the_server() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    let (status, report) = server.readiness().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(report["login"]["mode"], "iam");
    assert_eq!(report["database"], "ok");

    let owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(stage.rows(owners).await, [["sal"]]);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'server\\_%'";
    assert_eq!(stage.value(tables).await, "19");

    stage.make_group().await;
    let macs = Macs::new(1);
    assert_eq!(macs.check_in(0, 0, &server).await, 200);
    let checkin = macs.checkin(0, 0);
    let stored = Content::stored(&checkin.serial, &stage).await;
    assert_eq!(stored, Some(Content::submitted(&checkin)));

    let users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sal'";
    assert_eq!(stage.rows(users).await, [[USER]]);
    let metrics = stage.lab.metrics();
    assert!(metrics.success > 0);
    assert_eq!(metrics.failure, 0);
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_password_in_the_environment_is_enough_and_asks_aws_for_nothing() {
    let stage = Stage::set().await;
    let kind = "SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname = 'sal'";
    assert_eq!(stage.value(kind).await, "SCRAM-SHA-256");
    let settings = stage.password_settings();
    for settings in [settings.clone(), settings.with("AWS_IAM", "false")] {
        let mut server = Server::start(&settings).await;
        let (status, report) = server.readiness().await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(report["login"]["mode"], "password");
        assert!(server.stop().await.success());
    }
    assert_eq!(stage.lab.requests().container, 0);
    assert_eq!(stage.lab.metrics().requests, 0);
}

#[tokio::test]
async fn a_server_moves_from_password_to_iam_and_back_by_its_environment_alone() {
    let stage = Stage::set().await;
    let macs = Macs::new(3);
    let modes = [
        (stage.password_settings(), "password"),
        (stage.settings(), "iam"),
        (stage.password_settings(), "password"),
    ];
    for (mac, (settings, mode)) in modes.into_iter().enumerate() {
        let mut server = Server::start(&settings).await;
        if mac == 0 {
            stage.make_group().await;
        }
        assert_eq!(server.readiness().await.1["login"]["mode"], mode);
        assert_eq!(macs.check_in(mac, 0, &server).await, 200);
        // What the other login made can be written by this one.
        assert_eq!(macs.check_in(0, 1, &server).await, 200);
        assert!(server.stop().await.success());
    }
    let machines = "SELECT count(*) FROM server_machine";
    assert_eq!(stage.value(machines).await, "3");
}

#[tokio::test]
async fn a_leftover_password_beside_iam_is_reported_and_not_used() {
    let stage = Stage::set().await;
    // The user `sal` takes this password and no token: only the password could log in.
    let settings = stage
        .settings()
        .with("DB_USER", "sal")
        .with("DB_PASS", OWNER_PASSWORD);
    let mut server = Server::launch(&settings);
    server
        .logged("DB_PASS is set beside AWS_IAM and not used")
        .await;
    server.logged("token_sent_to_password_check").await;
    server.logged_times("not ready yet", 2).await;
    assert!(!server.log().contains("sal is ready"));
    assert_eq!(stage.sessions().await, 0);
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_declared_fallback_logs_in_with_the_password_and_says_so() {
    let stage = Stage::set().await;
    let settings = stage
        .settings()
        .with("DB_USER", "sal")
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_DB_FALLBACK", "password");
    let mut server = Server::start(&settings).await;
    server
        .logged("logged in to the database with the declared fallback, the password")
        .await;
    let (status, report) = server.readiness().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(report["login"]["mode"], "password");

    // Once the user takes tokens, new logins use them again, without a restart.
    stage.run("GRANT rds_iam TO sal").await;
    stage.lab.allow_connect(&stage.lab.task_role_arn(), "sal");
    stage.cut(&server).await;
    server.recovered().await;
    server
        .logged("logged in to the database with IAM again")
        .await;
    assert_eq!(server.readiness().await.1["login"]["mode"], "iam");
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn while_moving_the_fallback_is_the_old_users_password() {
    let stage = Stage::set().await;
    let settings = stage
        .settings()
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_DB_FALLBACK", "password")
        .with("SAL_DB_FALLBACK_USER", "sal")
        .with("SAL_DB_EXPECT_ROLE", "sal");
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let mut server = Server::start(&settings).await;
    server
        .logged("logged in to the database with the declared fallback, the password")
        .await;
    let users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sal'";
    assert_eq!(stage.rows(users).await, [["sal"]]);
    assert_eq!(server.readiness().await.1["login"]["mode"], "password");

    // Once the policy is right, new logins are the new user's.
    stage.lab.allow_connect(&stage.lab.task_role_arn(), USER);
    stage.cut(&server).await;
    server.recovered().await;
    assert_eq!(stage.rows(users).await, [[USER]]);
    assert_eq!(server.readiness().await.1["login"]["mode"], "iam");
    assert!(server.stop().await.success());
}

/// Somebody reset the setting: the server goes on, says so, and what it makes belongs to the owner all the same.
#[tokio::test]
async fn a_set_role_that_is_off_is_told_and_new_tables_belong_to_the_owner() {
    let stage = Stage::set().await;
    stage.of_the_original().await;
    stage
        .run("ALTER ROLE salawsiam IN DATABASE sal RESET role")
        .await;
    let server = Server::start(&stage.settings()).await;
    let (status, _) = server.readiness().await;
    assert_eq!(status, reqwest::StatusCode::OK);
    let others =
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'salrs_%' AND relowner <> 'sal'::regrole";
    assert_eq!(stage.value(others).await, "0");
    assert!(
        server.log().contains("no SET role is in effect"),
        "{}",
        server.log()
    );
    let check = stage.settings().run(&["db", "check"]).await;
    assert!(check.stdout.contains("SAL_DB_EXPECT_ROLE=sal"), "{check:?}");
}

//! `ADMIN_PASS`: as Sal's image does at each start, only where no user is a superuser.

use reqwest::StatusCode;

use crate::server::Server;
use crate::stage::Stage;

const PASSWORD: &str = "four-blue-kettles-77";
const OLD: &str = "pbkdf2_sha256$1000$seasalt$hubwrI2vR8Ha1R3MIEZKnaiQvBRE84mXAijDM/L5bKc=";

/// A database of the original with users: name, superuser, active.
async fn with_users(users: &[(&str, bool, bool)]) -> Stage {
    let stage = Stage::set().await;
    stage.of_the_original().await;
    for (name, is_superuser, is_active) in users {
        stage
            .run(&format!(
                "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
                 VALUES ('{OLD}', {is_superuser}, '{name}', '', '', '', false, {is_active}, now());
                 INSERT INTO server_userprofile (user_id, level) SELECT id, 'RO' FROM auth_user WHERE username = '{name}'"
            ))
            .await;
    }
    stage
}

/// Starts a server with `ADMIN_PASS` and returns it; the log never holds the password.
async fn started(stage: &Stage) -> Server {
    let server = Server::start(&stage.settings().with("ADMIN_PASS", PASSWORD)).await;
    assert!(!server.log().contains(PASSWORD));
    server
}

async fn log_in(server: &Server) -> StatusCode {
    let form = [("username", "admin"), ("password", PASSWORD)];
    let url = format!("{}/login/", server.url);
    let answer = server.http.post(url).form(&form).send().await.unwrap();
    answer.status()
}

/// Superuser, staff, active and level of `admin`, and how many users there are.
async fn admin(stage: &Stage) -> String {
    stage
        .value(
            "SELECT concat_ws(' ', is_superuser, is_staff, is_active, level, (SELECT count(*) FROM auth_user))
             FROM auth_user u JOIN server_userprofile p ON p.user_id = u.id WHERE username = 'admin'",
        )
        .await
}

#[tokio::test]
async fn q150_users_without_a_superuser_get_admin_and_it_is_a_global_admin() {
    let stage = with_users(&[("anna", false, true)]).await;
    let server = started(&stage).await;
    assert!(
        server
            .log()
            .contains("the user `admin` was made with ADMIN_PASS")
    );
    assert_eq!(admin(&stage).await, "t t t GA 2");
    assert_eq!(log_in(&server).await, StatusCode::FOUND);
    let audited =
        "SELECT count(*)::text FROM salrs_audit WHERE object_name = 'admin' AND action = 'made'";
    assert_eq!(stage.value(audited).await, "1");
}

#[tokio::test]
async fn an_admin_without_rights_gets_them_and_the_password_once() {
    let stage = with_users(&[("anna", false, true), ("admin", false, true)]).await;
    let mut server = started(&stage).await;
    let log = server.log();
    assert!(
        log.contains("there was no superuser: `admin` is one now"),
        "{log}"
    );
    assert_eq!(admin(&stage).await, "t t t GA 2");
    assert_eq!(log_in(&server).await, StatusCode::FOUND);
    server.stop().await;
    // From now on there is a superuser, and whoever changes the password keeps it.
    let settings = stage.settings().with("ADMIN_PASS", "another-password-88");
    let again = Server::start(&settings).await;
    assert!(
        again
            .log()
            .contains("ADMIN_PASS changes nothing: the database has a superuser")
    );
    assert_eq!(log_in(&again).await, StatusCode::FOUND);
}

#[tokio::test]
async fn a_deactivated_admin_stays_so_and_the_log_says_it() {
    let stage = with_users(&[("admin", false, false)]).await;
    let server = started(&stage).await;
    let log = server.log();
    assert!(log.contains("it is deactivated and cannot log in"), "{log}");
    assert_eq!(admin(&stage).await, "t t f GA 1");
    assert_eq!(log_in(&server).await, StatusCode::OK);
}

#[tokio::test]
async fn a_superuser_of_any_kind_leaves_admin_alone() {
    for superuser in [("root", true, true), ("gone", true, false)] {
        let stage = with_users(&[superuser, ("admin", false, true)]).await;
        let server = started(&stage).await;
        let log = server.log();
        assert!(
            log.contains("ADMIN_PASS changes nothing: the database has a superuser"),
            "{log}"
        );
        assert_eq!(admin(&stage).await, "f f t RO 2");
        assert_eq!(log_in(&server).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn without_the_variable_a_database_without_superuser_is_warned_of() {
    let stage = with_users(&[("anna", false, true)]).await;
    let server = Server::start(&stage.settings()).await;
    let log = server.log();
    assert!(
        log.contains("no user is a superuser. Set ADMIN_PASS"),
        "{log}"
    );
    assert!(!log.contains("/setup/"), "{log}");
}

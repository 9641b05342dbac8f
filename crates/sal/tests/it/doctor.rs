//! Everything that can be broken in the lab, and what the doctor says of it: the true cause, by name.

use rds_lab::{BREAKAGES, Deployment, EndpointHealth, Service};
use serde_json::Value;

use crate::stage::{Ended, OWNER_PASSWORD, Settings, Stage, USER};

/// What is broken; which line of the report must say so, how bad it is, and with which words.
const EXPECTED: &[(&str, &str, &str, &str)] = &[
    (
        "clock-behind",
        "iam-login",
        "problem",
        "clock of this machine is off",
    ),
    ("clock-ahead", "iam-login", "problem", "clock"),
    (
        "credentials-expired",
        "credentials",
        "problem",
        "look whether it runs",
    ),
    (
        "credentials-short",
        "credentials",
        "problem",
        "hands out credentials that end at once",
    ),
    (
        "credentials-down",
        "credentials",
        "problem",
        "look whether it runs",
    ),
    (
        "credentials-silent",
        "credentials",
        "problem",
        "no credentials came within",
    ),
    (
        "trust-removed",
        "credentials",
        "problem",
        "its trust policy has to name it",
    ),
    ("throttled", "iam-login", "problem", "too many IAM logins"),
    (
        "auth-unavailable",
        "iam-login",
        "problem",
        "the service that checks tokens failed",
    ),
    (
        "policy-missing",
        "iam-login",
        "problem",
        "no policy of sal-task allows rds-db:connect",
    ),
    (
        "policy-identifier",
        "iam-login",
        "problem",
        "an identifier, not a resource id",
    ),
    (
        "policy-other-database",
        "iam-login",
        "problem",
        "another database's resource id",
    ),
    (
        "policy-other-user",
        "iam-login",
        "problem",
        "for the user `somebody_else`",
    ),
    ("policy-condition", "iam-login", "problem", "aws:SourceIp"),
    ("policy-denied", "iam-login", "problem", "denies it"),
    (
        "organization-denies",
        "iam-login",
        "problem",
        "service control policy",
    ),
    (
        "iam-off",
        "iam-login",
        "problem",
        "CAUSE: IAM authentication is off",
    ),
    (
        "iam-pending",
        "iam-login",
        "problem",
        "waits for the maintenance window",
    ),
    (
        "rds-iam-revoked",
        "iam-login",
        "problem",
        "is not a member of rds_iam",
    ),
    (
        "rds-iam-to-admin",
        "locked-out",
        "problem",
        "`postgres` is in rds_iam (postgres -> salawsiam -> rds_iam)",
    ),
    (
        "rds-iam-to-old",
        "locked-out",
        "problem",
        "`sal` is in rds_iam (sal -> salawsiam -> rds_iam)",
    ),
    (
        "membership-revoked",
        "set-role",
        "problem",
        "Postgres only warns",
    ),
    (
        "set-role-reset",
        "set-role",
        "problem",
        "new tables would belong to salawsiam",
    ),
    ("login-off", "iam-login", "problem", "has NOLOGIN"),
    (
        "connection-limit",
        "iam-login",
        "problem",
        "connection limit",
    ),
    ("stray-objects", "ownership", "problem", "stray_of_the_lab"),
    ("ca-rotated", "certificate", "problem", "CA"),
    ("ca-ending", "certificate", "attention", "Root CA ECC384"),
    ("reader", "iam-login", "problem", "no writes"),
    ("slow", "iam-login", "problem", "given up"),
    ("small-instance", "memory", "attention", "db.t4g.micro"),
    ("kerberos", "kerberos", "problem", "Kerberos"),
    ("outpost", "outpost", "problem", "RDS on Outposts"),
    ("replica", "resource-id", "ok", "1 of them read replicas"),
    (
        "blue-green",
        "blue-green",
        "problem",
        "db-GREENGREENGREENGREEN01234",
    ),
    ("log-not-exported", "auth-log", "attention", "not exported"),
    (
        "rds-api-down",
        "iam-authentication",
        "unknown",
        "got no usable answer",
    ),
    (
        "describe-denied",
        "iam-authentication",
        "unknown",
        "rds:DescribeDBInstances",
    ),
];

/// A deployment that has moved, with the policy in IAM, and the administrator's password at hand.
async fn moved() -> (Stage, Settings, Deployment) {
    let stage = Stage::set().await;
    let lab = &stage.lab;
    lab.revoke_connect(&lab.task_role_arn());
    stage.grant_printed("connect", &["--for", "server"]).await;
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let settings = stage
        .with_aws(stage.settings())
        .with("DB_PASS", OWNER_PASSWORD)
        .with("SAL_DB_FALLBACK", "password")
        .with("SAL_DB_FALLBACK_USER", "sal")
        .with("SAL_ADMIN_USER", lab.master())
        .with("SAL_ADMIN_PASS", lab.master_password())
        .with("SAL_DB_CONNECT_TIMEOUT", "2");
    let deployment = Deployment {
        database: "sal".to_owned(),
        old_user: "sal".to_owned(),
        new_user: USER.to_owned(),
    };
    (stage, settings, deployment)
}

async fn report(settings: &Settings) -> (Ended, Vec<Value>) {
    let ended = settings.run(&["iam", "doctor", "--json"]).await;
    let value: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended, value["checks"].as_array().unwrap().clone())
}

#[test]
fn everything_that_can_be_broken_has_its_expectation() {
    let names: Vec<&str> = BREAKAGES.iter().map(|breakage| breakage.name).collect();
    let expected: Vec<&str> = EXPECTED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_deployment_that_has_moved_is_healthy() {
    let (_stage, settings, _) = moved().await;
    let (ended, checks) = report(&settings).await;
    let bad: Vec<&Value> = checks
        .iter()
        .filter(|check| check["status"] != "ok" && check["id"] != "container")
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let text = settings.run(&["iam", "doctor"]).await;
    assert!(text.stdout.contains("0 problems"), "{}", text.stdout);
}

/// A replica has a resource id of its own, and a failover may make it the one that matters.
#[tokio::test]
async fn the_policy_names_read_replicas_too() {
    let (stage, settings, deployment) = moved().await;
    stage.lab.break_it("replica", &deployment).await.unwrap();
    let ended = settings.run(&["iam", "policy"]).await;
    let policy: Value = serde_json::from_str(&ended.stdout).unwrap();
    let resources = policy["Statement"][0]["Resource"].to_string();
    for id in [
        "db-ABCDEFGHIJKL01234567890123",
        "db-REPLICA0000000000000000001",
    ] {
        assert!(
            resources.contains(&format!("dbuser:{id}/{USER}")),
            "{ended:?}"
        );
    }
}

/// What is wrong in the settings or around the program, not in the database.
#[tokio::test]
async fn the_doctor_names_what_is_wrong_around_the_program() {
    let (stage, settings, _) = moved().await;
    let lab = &stage.lab;
    lab.faults()
        .set_endpoint(Service::Imds, EndpointHealth::Silent);
    let without_role = settings
        .clone()
        .without("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .without("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let in_a_pod = without_role
        .clone()
        .with("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let cases = [
        (
            settings.clone().with("AWS_RDS_REGION", "us-east-1"),
            "region",
            "tokens signed for us-east-1 are refused",
        ),
        (
            settings.clone().with("DB_HOST", "db.example.internal"),
            "dns",
            "SAL_DB_SIGN_HOST",
        ),
        (
            without_role.clone(),
            "credentials",
            "give this machine a role",
        ),
        (
            without_role.with("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
            "credentials",
            "taskRoleArn",
        ),
        (
            in_a_pod.clone(),
            "credentials",
            "eks.amazonaws.com/role-arn",
        ),
        (
            in_a_pod
                .without("AWS_EC2_METADATA_DISABLED")
                .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &lab.imds_url()),
            "credentials",
            "hop limit",
        ),
    ];
    for (settings, id, words) in cases {
        let (ended, checks) = report(&settings).await;
        let line = checks.iter().find(|check| check["id"] == id).unwrap();
        let said = format!("{} {}", line["evidence"], line["next"]);
        assert_eq!(line["status"], "problem", "{words}: {line}");
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(ended.code, Some(3), "{words}: {ended:?}");
    }
}

async fn every(nth: usize) {
    let (stage, settings, deployment) = moved().await;
    let mut table = String::from("| fault | what the client saw | what the doctor said |\n");
    let (_, healthy) = report(&settings).await;
    for (name, id, status, words) in EXPECTED.iter().skip(nth).step_by(3) {
        let before = said(&healthy, id, status);
        assert!(
            before.is_none_or(|text| !text.contains(words)),
            "{name}: the report says so of a healthy deployment, too"
        );
        stage.lab.break_it(name, &deployment).await.unwrap();
        let (ended, checks) = report(&settings).await;
        let evidence = said(&checks, id, status)
            .unwrap_or_else(|| panic!("{name}: no `{id}` is {status} in {checks:#?}"));
        assert!(evidence.contains(words), "{name}: {evidence}");
        assert_eq!(
            ended.code == Some(3),
            *status == "problem",
            "{name}: {ended:?}"
        );
        if *status == "problem" {
            let silent = checks
                .iter()
                .any(|check| check["status"] == "problem" && check["next"] == "");
            assert!(!silent, "{name}: every problem says what to do");
        }
        let line = format!("| {name} | {} | {evidence} |", first(&checks));
        table.push_str(&format!("{}\n", line.replace('\n', " ")));
        stage.lab.mend().await.unwrap();
        let (ended, _) = report(&settings).await;
        assert_eq!(ended.code, Some(0), "{name} is mended: {ended:?}");
    }
    // For whoever wants to read what the doctor says, in words.
    let path = format!("{}/doctor-{nth}.md", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(path, table).unwrap();
}

/// Evidence and next step of the line that has this name and is that bad.
fn said(checks: &[Value], id: &str, status: &str) -> Option<String> {
    let line = checks
        .iter()
        .find(|check| check["id"] == id && check["status"] == status)?;
    let text = |part: &str| line[part].as_str().unwrap();
    Some(format!("{} {}", text("evidence"), text("next")))
}

/// What the client saw: the first line of the report is the login that counts.
fn first(checks: &[Value]) -> String {
    let evidence = checks[0]["evidence"].as_str().unwrap();
    let end = evidence
        .find(" CAUSE")
        .or(evidence.find(" Likely"))
        .unwrap_or(evidence.len());
    evidence.get(..end).unwrap().to_owned()
}

#[tokio::test]
async fn the_doctor_names_the_true_cause_of_every_third_fault() {
    every(0).await;
}

#[tokio::test]
async fn the_doctor_names_the_true_cause_of_the_next_third() {
    every(1).await;
}

#[tokio::test]
async fn the_doctor_names_the_true_cause_of_the_last_third() {
    every(2).await;
}

/// With the policy of the server alone the four read the same, and the report says so and what would tell them apart.
#[tokio::test]
async fn what_the_rights_do_not_show_is_said_in_one_sentence() {
    let (stage, settings, deployment) = moved().await;
    let nothing =
        r#"{"Statement":{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}}"#;
    stage
        .lab
        .put_role_policy(stage.lab.task_role(), "doctor", nothing)
        .unwrap();
    for fault in ["policy-identifier", "throttled"] {
        stage.lab.break_it(fault, &deployment).await.unwrap();
        let (ended, checks) = report(&settings).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let login = said(&checks, "iam-login", "problem").unwrap();
        for words in [
            "NOT VISIBLE",
            "rds:DescribeDBInstances",
            "iam:GetRole",
            "--for doctor",
        ] {
            assert!(login.contains(words), "{fault}: {words} in {login}");
        }
        let blind = said(&checks, "blind", "unknown").unwrap();
        assert!(blind.contains("--for doctor --role sal-task"), "{blind}");
        let text = settings.run(&["iam", "doctor"]).await.stdout;
        assert!(
            text.starts_with("PROBLEM    Login of `salawsiam` with IAM FAILED"),
            "{text}"
        );
        assert_eq!(text.matches("not permitted to ask").count(), 0, "{text}");
        assert_eq!(text.matches("Not permitted to look\n").count(), 1, "{text}");
        stage.lab.mend().await.unwrap();
    }
    // The page's policy lets it see the database, and what it opens is no longer among what is blind.
    stage.grant_printed("doctor", &[]).await;
    let (_, checks) = report(&settings).await;
    let blind = said(&checks, "blind", "unknown").unwrap();
    assert!(!blind.contains("rds:DescribeDBInstances"), "{blind}");
    assert!(blind.contains("iam:GetRole"), "{blind}");
}

/// Django's next migration alters tables; only their owner may.
#[tokio::test]
async fn a_table_of_somebody_else_and_another_search_path_are_problems_with_their_cure() {
    let (stage, settings, _) = moved().await;
    stage.of_the_original().await;
    stage
        .run("CREATE ROLE other; ALTER TABLE server_machine OWNER TO other; GRANT ALL ON server_machine TO sal; \
              ALTER ROLE sal IN DATABASE sal SET search_path = 'public', 'x y'; \
              ALTER ROLE salawsiam IN DATABASE sal SET search_path = 'elsewhere'; \
              CREATE TABLE report_of_others (x int); ALTER TABLE report_of_others OWNER TO other")
        .await;
    let (ended, checks) = report(&settings).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let ownership = said(&checks, "ownership", "problem").unwrap();
    for words in [
        "1 of them",
        "public.server_machine",
        "`other`",
        "must be owner",
        r#"OWNER TO "sal""#,
    ] {
        assert!(ownership.contains(words), "{words} in {ownership}");
    }
    let privileges = said(&checks, "privileges", "problem").unwrap();
    assert!(
        privileges.contains(
            r#"ALTER ROLE "salawsiam" IN DATABASE "sal" SET search_path = 'public', 'x y'"#
        ),
        "{privileges}"
    );
}

/// A master user that RDS itself put into `rds_iam` stays there.
#[tokio::test]
async fn a_master_who_is_meant_to_log_in_with_iam_is_left_alone() {
    let (stage, settings, _) = moved().await;
    let lab = &stage.lab;
    stage.run("GRANT rds_iam TO postgres").await;
    let locked = |checks: &[Value]| checks.iter().any(|check| check["id"] == "locked-out");
    let (_, checks) = report(&settings).await;
    assert!(locked(&checks), "{checks:#?}");
    let unlock = said(&checks, "locked-out", "problem").unwrap();
    assert!(
        unlock.contains("`sal iam unlock`") && unlock.contains("/postgres"),
        "{unlock}"
    );
    lab.set_master_authentication("iam-db-auth");
    let (_, checks) = report(&settings).await;
    assert!(!locked(&checks), "{checks:#?}");
    let password = said(&checks, "admin-login", "problem").unwrap();
    assert!(
        password.contains("leave SAL_ADMIN_PASS unset"),
        "{password}"
    );
    assert!(!password.contains("REVOKE"), "{password}");
}

/// RDS says no only after its certificate was accepted.
#[tokio::test]
async fn a_refused_token_says_nothing_against_the_certificate() {
    let (stage, settings, deployment) = moved().await;
    stage
        .lab
        .break_it("policy-missing", &deployment)
        .await
        .unwrap();
    // Nobody else logs in, who would show it.
    let passwords = [
        "DB_PASS",
        "SAL_DB_FALLBACK",
        "SAL_DB_FALLBACK_USER",
        "SAL_ADMIN_USER",
        "SAL_ADMIN_PASS",
    ];
    let alone = passwords
        .iter()
        .fold(settings, |settings, name| settings.without(name));
    let (_, checks) = report(&alone).await;
    let certificate = said(&checks, "certificate", "ok").unwrap();
    let words = "verified before the login was refused";
    assert!(certificate.contains(words), "{certificate}");
}

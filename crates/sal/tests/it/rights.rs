//! What `sal iam policy --for` prints is what its holder calls in AWS: nothing is refused, and nothing is left over.

use std::collections::BTreeSet;

use rds_lab::{IamAuthentication, Lab, LabOptions};
use serde_json::Value;

use crate::server::Server;
use crate::stage::{OWNER_PASSWORD, Settings, Stage, USER, clock};

const OPERATOR: &str = "sal-operator";

/// A deployment before its move, at an instance whose IAM authentication is off.
async fn before_the_move() -> Stage {
    let options = LabOptions {
        iam_authentication: IamAuthentication::Off,
        ..LabOptions::new(clock())
    };
    let lab = Lab::start(options).await.unwrap();
    lab.create_password_user("sal", OWNER_PASSWORD)
        .await
        .unwrap();
    lab.create_database("sal", "sal").await.unwrap();
    Stage { lab }
}

/// Whoever runs the move: a role with the printed policy, in IAM and in its environment.
async fn operator(options: &[&str], stage: &Stage) -> Settings {
    let lab = &stage.lab;
    let document = stage.printed_policy(options).await;
    lab.put_role_policy(OPERATOR, "operator", &document)
        .unwrap();
    let key = lab.temporary_credentials(OPERATOR);
    stage
        .with_aws(stage.password_settings())
        .with("AWS_RDS_REGION", lab.region())
        .with("SAL_ADMIN_USER", lab.master())
        .with("SAL_ADMIN_PASS", lab.master_password())
        .with("AWS_ACCESS_KEY_ID", &key.access_key_id)
        .with("AWS_SECRET_ACCESS_KEY", &key.secret_access_key)
        .with("AWS_SESSION_TOKEN", &key.session_token.unwrap())
}

/// The actions of a document, `rds-db:connect` aside: it is no call.
fn granted(document: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let statements = document["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .filter(|action| action != "rds-db:connect")
        .collect()
}

/// What a role has called; all of it was allowed.
fn called(role: &str, lab: &Lab) -> BTreeSet<String> {
    let calls = lab.calls().into_iter();
    calls
        .filter(|call| call.principal == lab.role_arn(role))
        .map(|call| {
            assert!(call.allowed, "{call:?}");
            call.action
        })
        .collect()
}

/// The same deployment behind other kinds of endpoints, which are looked up by other calls.
fn elsewhere(settings: &Settings) -> [Settings; 2] {
    let name = |kind: &str| format!("sal.{kind}-abcdefghijk0.us-west-2.rds.amazonaws.com");
    ["cluster", "proxy"].map(|kind| settings.clone().with("DB_HOST", &name(kind)))
}

async fn done(settings: &Settings, arguments: &[&str]) {
    let ended = settings.run(arguments).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn doctor_and_operator_may_exactly_what_they_call() {
    let stage = before_the_move().await;
    let lab = &stage.lab;
    stage.grant_printed("doctor", &["--for", "doctor"]).await;
    let admin = operator(&["--for", "operator"], &stage).await;
    lab.forget_calls();
    let role = ["--aws", "--role", lab.task_role()];
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal").display().to_string();
    let admin = admin.with("SAL_IAM_JOURNAL", &journal);
    let apply = [&["iam", "apply", "--yes"][..], &role].concat();
    done(&admin, &[&["iam", "plan"][..], &role].concat()).await;
    done(&admin, &apply).await;
    // Both attached and inline policies are there to be read now.
    let deployed = stage.with_aws(stage.settings());
    for settings in [&deployed, &admin] {
        let report = settings
            .run(&["iam", "doctor", "--role", lab.task_role()])
            .await;
        assert!(!report.stdout.contains("not permitted"), "{report:?}");
        for settings in elsewhere(settings) {
            let look = ["iam", "doctor", "--role", lab.task_role()];
            settings.run(&look).await;
        }
    }
    done(&admin, &["iam", "verify", "--login-only"]).await;
    let rollback = [&["iam", "rollback", "--yes"][..], &role].concat();
    done(&admin, &rollback).await;
    let printed = stage.printed_policy(&["--for", "doctor"]).await;
    assert_eq!(called(lab.task_role(), lab), of_an_instance(&printed));
    // Asked of RDS, the policy names the instance alone.
    let asked = admin
        .run(&[
            "iam",
            "policy",
            "--for",
            "operator",
            "--role",
            lab.task_role(),
        ])
        .await;
    assert_eq!(called(OPERATOR, lab), of_an_instance(&asked.stdout));
    assert!(asked.stdout.contains(":db:sal-sandbox\""), "{asked:?}");
}

/// What a policy grants, without what is asked of clusters and proxies; `shapes.rs` looks at those with the same policy.
fn of_an_instance(printed: &str) -> BTreeSet<String> {
    let mut all = granted(printed);
    for elsewhere in [
        "rds:DescribeDBClusterEndpoints",
        "rds:DescribeGlobalClusters",
        "rds:DescribeDBProxyEndpoints",
        "rds:DescribeDBProxyTargets",
    ] {
        assert!(all.remove(elsewhere), "{elsewhere}");
    }
    all
}

/// What organizations demand, the role that is missing, and the policy that allows making both only so.
#[tokio::test]
async fn an_operator_makes_the_role_with_boundary_path_and_tags() {
    let stage = before_the_move().await;
    let lab = &stage.lab;
    let options = [
        "--trust",
        "ecs",
        "--role",
        "made",
        "--permissions-boundary",
        "arn:aws:iam::123456789012:policy/edge",
        "--path",
        "/apps/",
        "--tag",
        "team=mac admins",
    ];
    let mut known = vec![
        "iam",
        "policy",
        "--for",
        "operator",
        "--account",
        lab.account_id(),
    ];
    known.extend(["--resource-id", lab.resource_id()]);
    known.extend(options);
    let printed = stage.settings().run(&known).await;
    let admin = operator(&[], &stage).await;
    lab.put_role_policy(OPERATOR, "operator", &printed.stdout)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal").display().to_string();
    let mut apply = vec!["iam", "apply", "--yes", "--aws", "--journal", &journal];
    apply.extend(options);
    done(&admin, &apply).await;
    let calls = called(OPERATOR, lab);
    for action in ["iam:CreateRole", "iam:TagRole", "iam:TagPolicy"] {
        assert!(calls.contains(action), "{action}: {calls:?}");
    }
    // Without the boundary that its own policy demands, IAM refuses to make a role.
    let other = [
        "iam",
        "apply",
        "--yes",
        "--aws",
        "--trust",
        "ecs",
        "--role",
        "other",
        "--journal",
        &journal,
    ];
    let refused = admin.run(&other).await;
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

#[tokio::test]
async fn a_server_may_log_in_and_asks_aws_nothing() {
    let stage = Stage::set().await;
    let lab = &stage.lab;
    lab.revoke_connect(&lab.task_role_arn());
    stage.grant_printed("connect", &["--for", "server"]).await;
    let printed = stage.printed_policy(&["--for", "server"]).await;
    assert_eq!(granted(&printed), BTreeSet::new());
    assert!(printed.contains(&format!("{}/{USER}", lab.resource_id())));
    let settings = stage.with_aws(stage.settings());
    let server = Server::start(&settings).await;
    let (status, _) = server.readiness().await;
    assert_eq!(status, reqwest::StatusCode::OK);
    assert_eq!(lab.calls(), []);
}

/// An operator who may do everything but log in: told before the first step, and free to let the container prove it.
#[tokio::test]
async fn an_operator_who_may_not_log_in_is_told_first_and_the_container_proves_it() {
    let stage = before_the_move().await;
    // A server of this house has been there with the password, and left its own tables.
    done(&stage.password_settings(), &["db", "init"]).await;
    let lab = &stage.lab;
    let options = ["--for", "operator"];
    let admin = operator(&options, &stage).await;
    let document = stage.printed_policy(&options).await;
    let mut without: Value = serde_json::from_str(&document).unwrap();
    let statements = without["Statement"].as_array_mut().unwrap();
    statements.retain(|statement| statement["Sid"] != "ConnectWithIam");
    lab.put_role_policy(OPERATOR, "operator", &without.to_string())
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal").display().to_string();
    let apply = [
        "iam",
        "apply",
        "--aws",
        "--role",
        lab.task_role(),
        "--yes",
        "--journal",
        &journal,
    ];
    let refused = admin.run(&apply).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for words in [
        "nothing was done",
        "assumed-role/sal-operator",
        "--for operator",
        "--unproved",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'salawsiam'";
    assert_eq!(stage.value(roles).await, "0");
    let moved = admin.run(&[&apply[..], &["--unproved"]].concat()).await;
    assert_eq!(moved.code, Some(0), "{moved:?}");
    let line = "AWS_IAM=true AWS_RDS_REGION=us-west-2 DB_USER=salawsiam sal iam verify";
    for words in ["NOT PROVED", line] {
        assert!(moved.stderr.contains(words), "{words}: {moved:?}");
    }
    // In the container: its own environment, no password, no administrator.
    let proof = stage.settings().run(&["iam", "verify", "--json"]).await;
    assert_eq!(proof.code, Some(0), "{proof:?}");
    let proof: Value = serde_json::from_str(&proof.stdout).unwrap();
    let ok = |id: &str| {
        let mut checks = proof["checks"].as_array().unwrap().iter();
        checks.any(|check| check["id"] == id && check["status"] == "ok")
    };
    for id in ["iam-login", "works-as", "writes", "tables", "check-in"] {
        assert!(ok(id), "{id}: {proof:#}");
    }
}

/// The role in another account asks for the id that its owner and we agreed on, in the setting or in the profile.
#[tokio::test]
async fn an_external_id_of_the_setting_or_of_the_profile_opens_the_role() {
    let stage = Stage::set().await;
    let lab = &stage.lab;
    let role = lab.role_arn("there");
    lab.trust_role(&role, "*");
    lab.allow_connect(&role, USER);
    lab.ask_for_external_id(&role, "agreed-1");
    let settings = stage.with_aws(stage.settings());
    let through = settings.clone().with("SAL_IAM_ROLE_ARN", &role);
    let check = async |settings: &Settings| settings.run(&["db", "check"]).await;
    let without = check(&through).await;
    assert!(
        without.code == Some(1) && without.stderr.contains("trust policy"),
        "{without:?}"
    );
    let with = check(&through.with("SAL_IAM_EXTERNAL_ID", "agreed-1")).await;
    assert!(matches!(with.code, Some(0 | 3)), "{with:?}");
    let key = lab.static_credentials();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let text = format!(
        "[profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n[profile there]\nregion = us-west-2\nsource_profile = base\nrole_arn = {role}\nexternal_id = agreed-1\n",
        key.access_key_id, key.secret_access_key
    );
    std::fs::write(&config, text).unwrap();
    let by_profile = settings
        .without("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .with("AWS_PROFILE", "there")
        .with("AWS_CONFIG_FILE", config.to_str().unwrap());
    let profile = check(&by_profile).await;
    assert!(matches!(profile.code, Some(0 | 3)), "{profile:?}");
    let alone = check(&stage.settings().with("SAL_IAM_EXTERNAL_ID", "x")).await;
    assert!(
        alone.code == Some(2) && alone.stderr.contains("without SAL_IAM_ROLE_ARN"),
        "{alone:?}"
    );
}

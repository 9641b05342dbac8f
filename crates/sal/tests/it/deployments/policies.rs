//! The IAM policies and trusts of the template and the module are what `sal iam policy` prints.

use serde_json::{Value, json};

use super::checkers::{path, read, text};
use crate::stage::Settings;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";
const RESOURCE: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const USER: &str = "salawsiam";
const PROVIDER: &str = "oidc.eks.us-west-2.amazonaws.com/id/ABC";

/// What the program prints, as JSON.
async fn printed(options: &[&str]) -> Value {
    let settings = Settings::default()
        .with("AWS_IAM", "true")
        .with("AWS_RDS_REGION", REGION)
        .with("DB_HOST", "sal.abcdefghijk0.us-west-2.rds.amazonaws.com")
        .with("DB_NAME", "sal")
        .with("DB_USER", USER);
    let known = [
        "iam",
        "policy",
        "--account",
        ACCOUNT,
        "--resource-id",
        RESOURCE,
    ];
    let ended = settings
        .run(&[&known[..], &["--role", "sal"], options].concat())
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

async fn server_policy() -> Value {
    printed(&["--for", "server", "--format", "policy"]).await
}

async fn trust(options: &[&str]) -> Value {
    let printed = printed(&[&["--format", "trust"], options].concat()).await;
    printed["Statement"][0].clone()
}

/// CloudFormation's references with values of an example.
fn resolved(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(resolved).collect(),
        Value::Object(fields) => match fields.get("Fn::Sub") {
            Some(text) => json!(filled(text.as_str().unwrap())),
            None => fields
                .iter()
                .map(|(name, value)| (name.clone(), resolved(value)))
                .collect(),
        },
        other => other.clone(),
    }
}

fn filled(text: &str) -> String {
    [
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::AccountId", ACCOUNT),
        ("DatabaseResourceId", RESOURCE),
        ("DatabaseUser", USER),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), value)
    })
}

fn ecs() -> Value {
    let path = path("ecs/sal.yaml");
    read("cloudformation", std::slice::from_ref(&path))[&path]["Resources"].take()
}

#[tokio::test]
async fn the_task_role_of_ecs_may_what_sal_prints_and_nothing_else() {
    let resources = ecs();
    let role = &resources["TaskRole"]["Properties"];
    let policies = role["Policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1);
    assert!(role.get("ManagedPolicyArns").is_none());
    assert_eq!(
        resolved(&policies[0]["PolicyDocument"]),
        server_policy().await
    );
    let mut ours = role["AssumeRolePolicyDocument"]["Statement"][0].clone();
    // Narrower than what is printed: this account's tasks only.
    let condition = ours.as_object_mut().unwrap().remove("Condition");
    assert!(condition.is_some());
    assert_eq!(ours, trust(&["--trust", "ecs"]).await);
}

#[tokio::test]
async fn the_execution_role_of_ecs_reads_no_secret_without_one() {
    let resources = ecs();
    let policies = &resources["ExecutionRole"]["Properties"]["Policies"]["Fn::If"];
    assert_eq!(policies[0], json!("HasSecrets"));
    assert_eq!(policies[2], json!({"Ref": "AWS::NoValue"}));
    let container = &resources["Task"]["Properties"]["ContainerDefinitions"][0];
    assert_eq!(container["Secrets"]["Fn::If"][0], json!("HasSecrets"));
    for variable in container["Environment"].as_array().unwrap() {
        let name = variable["Name"].as_str().unwrap_or_default();
        assert!(!name.contains("PASS") && !name.contains("SECRET"), "{name}");
    }
}

/// The module builds its documents from data sources, so its parts are compared.
#[tokio::test]
async fn the_module_of_terraform_has_the_statements_that_sal_prints() {
    let main = text("terraform/main.tf");
    let statement = server_policy().await["Statement"][0].clone();
    let arn = statement["Resource"][0].as_str().unwrap();
    let built = [
        "arn",
        "aws",
        "rds-db",
        REGION,
        ACCOUNT,
        "dbuser",
        &format!("{RESOURCE}/{USER}"),
    ]
    .join(":");
    assert_eq!(arn, built);
    for part in [
        r#""arn", data.aws_partition.current.partition, "rds-db", local.region,"#,
        r#"data.aws_caller_identity.current.account_id, "dbuser","#,
        r#""${coalesce(local.database.resource_id, "none")}/${var.db_user}","#,
        &format!("sid       = {}", statement["Sid"]),
        &format!("effect    = {}", statement["Effect"]),
        &format!("actions   = [{}]", statement["Action"][0]),
        "resources = [local.connect_arn]",
        "one(data.aws_db_instance.sal[*].resource_id)",
        "one(data.aws_rds_cluster.sal[*].cluster_resource_id)",
    ] {
        assert!(main.contains(part), "{part}");
    }
    assert_eq!(main.matches("statement {").count(), 1);
}

#[tokio::test]
async fn the_module_of_terraform_trusts_whom_sal_prints() {
    let trust_file = text("terraform/trust.tf");
    for (platform, option) in [
        ("ecs", "ecs"),
        ("ec2", "ec2"),
        ("eks-pod-identity", "eks-pod-identity"),
    ] {
        let printed = trust(&["--trust", option]).await;
        let service = printed["Principal"]["Service"].as_str().unwrap();
        let line = trust_file.lines().find(|line| {
            line.trim_start().starts_with(platform) && line.contains(&format!("\"{service}\""))
        });
        assert!(line.is_some(), "{platform}: {service}");
        for action in printed["Action"].as_array().unwrap() {
            assert!(trust_file.contains(&action.to_string()), "{action}");
        }
    }
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{PROVIDER}");
    let irsa = trust(&[
        "--trust",
        "eks-irsa",
        "--oidc-provider",
        &provider,
        "--service-account",
        "sal:sal",
    ])
    .await;
    let equals = &irsa["Condition"]["StringEquals"];
    assert_eq!(
        equals[format!("{PROVIDER}:sub")],
        "system:serviceaccount:sal:sal"
    );
    assert_eq!(equals[format!("{PROVIDER}:aud")], "sts.amazonaws.com");
    for part in [
        irsa["Action"].as_str().unwrap(),
        "\"StringEquals\"",
        "${local.issuer}:sub",
        "${local.issuer}:aud",
        "system:serviceaccount:${var.service_account.namespace}:${var.service_account.name}",
        "\"sts.amazonaws.com\"",
    ] {
        assert!(trust_file.contains(part), "{part}");
    }
}

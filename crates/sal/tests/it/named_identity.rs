//! Whoever names an identity gets it or an error, never another one: with `apply --aws` that would be another account.

use std::path::Path;

use crate::stage::{Ended, Settings, Stage};

/// A deployment that would find the container's identity behind whatever is named.
struct Deployment {
    stage: Stage,
    folder: tempfile::TempDir,
}

impl Deployment {
    async fn new() -> Self {
        Self {
            stage: Stage::set().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn settings(&self) -> Settings {
        let lab = &self.stage.lab;
        self.stage
            .settings()
            .with("HOME", self.folder.path().to_str().unwrap())
            .with("AWS_ENDPOINT_URL_STS", &lab.sts_url())
            .with("AWS_ENDPOINT_URL_RDS", &lab.rds_url())
            .with("AWS_ENDPOINT_URL_IAM", &lab.iam_url())
    }

    fn config(&self, text: &str) -> String {
        write(self.folder.path(), text)
    }
}

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("config");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn refused(settings: &Settings, words: &[&str]) {
    let commands: [&[&str]; 6] = [
        &["db", "check"],
        &["iam", "policy"],
        &["iam", "plan", "--aws", "--role=sal-task"],
        &["iam", "apply", "--aws", "--role=sal-task", "--yes"],
        &["iam", "doctor"],
        &["iam", "token"],
    ];
    for arguments in commands {
        let Ended {
            code,
            stdout,
            stderr,
        } = settings.run(arguments).await;
        assert_ne!(code, Some(0), "{arguments:?}: {stdout}{stderr}");
        let all = format!("{stdout}{stderr}");
        // Section 3 of the plan's own words: `plan` and `apply` may end at the administrator's login before.
        let is_about_the_plan = arguments[1] == "plan" || arguments[1] == "apply";
        for word in words {
            let told = all.contains(word) || is_about_the_plan;
            assert!(told, "{arguments:?} lacks `{word}`: {all}");
        }
        assert!(!all.contains("X-Amz-Signature"), "{arguments:?}: {all}");
    }
}

#[tokio::test]
async fn a_misspelt_profile_is_an_error_in_every_command() {
    let deployment = Deployment::new().await;
    let config = deployment.config("[default]\naws_access_key_id = A\naws_secret_access_key = b\n[profile prod]\naws_access_key_id = A\naws_secret_access_key = b\n");
    let misspelt = deployment.settings().with("AWS_PROFILE", "prdo");
    refused(&misspelt, &["`prdo`", "there are none"]).await;
    let beside_others = misspelt.clone().with("AWS_CONFIG_FILE", &config);
    refused(&beside_others, &["`prdo`", "default, prod"]).await;
    // Keys in the environment do not hide it.
    let key = deployment.stage.lab.static_credentials();
    let with_keys = misspelt
        .with("AWS_ACCESS_KEY_ID", &key.access_key_id)
        .with("AWS_SECRET_ACCESS_KEY", &key.secret_access_key);
    refused(&with_keys, &["`prdo`"]).await;
}

#[tokio::test]
async fn a_profile_that_holds_or_leads_to_nothing_is_an_error() {
    let deployment = Deployment::new().await;
    let settings = deployment.settings();
    let empty = deployment.config("[profile prod]\nregion = us-west-2\n");
    let empty = settings
        .clone()
        .with("AWS_CONFIG_FILE", &empty)
        .with("AWS_PROFILE", "prod");
    refused(&empty, &["`prod`", "holds no credentials"]).await;
    // Without a name the machine's own identity is meant.
    let unnamed = empty.without("AWS_PROFILE").run(&["iam", "token"]).await;
    assert_eq!(unnamed.code, Some(0), "{unnamed:?}");
    for name in ["default", "prod"] {
        let section = if name == "default" {
            "default"
        } else {
            "profile prod"
        };
        let text = format!(
            "[{section}]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = bsae\n"
        );
        let config = deployment.config(&text);
        let led = settings.clone().with("AWS_CONFIG_FILE", &config);
        let led = if name == "default" {
            led
        } else {
            led.with("AWS_PROFILE", name)
        };
        refused(&led, &["bsae"]).await;
    }
}

#[tokio::test]
async fn files_and_roles_that_lead_to_nothing_are_errors() {
    let deployment = Deployment::new().await;
    let settings = deployment.settings();
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        let missing = settings.clone().with(name, "/nowhere/file");
        refused(&missing, &[name, "/nowhere/file"]).await;
    }
    let role = settings.with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/sal");
    refused(&role, &["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"]).await;
    let token = deployment.folder.path().join("token");
    std::fs::write(&token, "jwt").unwrap();
    let misspelt = role
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap())
        .with("AWS_ROLE_ARN", "sal-task");
    refused(&misspelt, &["AWS_ROLE_ARN", "`sal-task`"]).await;
}

#[tokio::test]
async fn a_role_is_an_arn_too_and_one_of_another_account_is_refused() {
    let deployment = Deployment::new().await;
    let settings = deployment.settings();
    let arn = deployment.stage.lab.task_role_arn();
    for role in [arn.as_str(), "sal-task"] {
        let format = [
            "iam",
            "policy",
            "--format=terraform",
            "--trust=ecs",
            "--resource-id=db-ABC",
            "--account=123456789012",
            "--role",
            role,
        ];
        let ended = settings.run(&format).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("\"sal-task\""), "{ended:?}");
        assert!(!ended.stdout.contains("role/sal-task\""), "{ended:?}");
    }
    let other = "--role=arn:aws:iam::999999999999:role/sal-task";
    let ended = settings.run(&["iam", "plan", "--aws", other]).await;
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("999999999999"), "{ended:?}");
    let ended = settings.run(&["iam", "doctor", other]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stdout.contains("in account 999999999999"),
        "{ended:?}"
    );
    for role in ["arn:aws:iam::123456789012:user/sal", "role/sal-task", ""] {
        let ended = settings.run(&["iam", "policy", "--role", role]).await;
        assert_eq!(ended.code, Some(2), "{role}: {ended:?}");
    }
    let named = settings.with("SAL_IAM_ROLE_ARN", "sal-task");
    let ended = named.run(&["db", "check"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("SAL_IAM_ROLE_ARN"), "{ended:?}");
}

//! `sal iam token`: what botocore signs, byte for byte; nothing else on any stream.

use serde::Deserialize;
use serde_json::Value;

use crate::stage::Settings;

#[derive(Deserialize)]
struct Vector {
    name: String,
    host: String,
    port: u16,
    user: String,
    region: String,
    timestamp: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: u64,
    expected: String,
}

impl Vector {
    fn arguments(&self) -> Vec<String> {
        vec![
            "iam".to_owned(),
            "token".to_owned(),
            format!("--host={}", self.host),
            format!("--port={}", self.port),
            format!("--user={}", self.user),
            format!("--region={}", self.region),
            format!("--at={}", self.timestamp),
        ]
    }

    fn settings(&self) -> Settings {
        let settings = Settings::default()
            .with("AWS_ACCESS_KEY_ID", &self.access_key_id)
            .with("AWS_SECRET_ACCESS_KEY", &self.secret_access_key);
        match &self.session_token {
            Some(token) => settings.with("AWS_SESSION_TOKEN", token),
            None => settings,
        }
    }
}

fn vectors() -> Vec<Vector> {
    let all: Value = serde_json::from_str(include_str!(
        "../../../rds-iam/tests/data/token_vectors.json"
    ))
    .unwrap();
    let vectors: Vec<Vector> = serde_json::from_value(all["rds"].clone()).unwrap();
    // The command always signs for the greatest life there is, and for nothing that RDS would refuse.
    vectors
        .into_iter()
        .filter(|vector| vector.expires == 900 && !matches!(vector.port, 80 | 443))
        .filter(|vector| !vector.host.ends_with('.') && !vector.user.is_empty())
        .collect()
}

#[tokio::test]
async fn the_token_is_botocores_byte_for_byte_and_nothing_else_is_said() {
    let vectors = vectors();
    assert!(vectors.len() >= 40, "{}", vectors.len());
    for vector in vectors {
        let arguments = vector.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = vector.settings().run(&arguments).await;
        assert_eq!(ended.code, Some(0), "{}: {ended:?}", vector.name);
        assert_eq!(
            ended.stdout,
            format!("{}\n", vector.expected),
            "{}",
            vector.name
        );
        let warned = ended.stderr.starts_with("warning: `") && ended.stderr.lines().count() == 1;
        let is_endpoint = rds_iam::RdsEndpoint::parse(&vector.host).is_ok();
        assert!(ended.stderr.is_empty() == is_endpoint, "{}", vector.name);
        assert!(is_endpoint || warned, "{}", vector.name);
    }
}

#[tokio::test]
async fn without_credentials_there_is_a_sentence_and_no_token() {
    let home = tempfile::tempdir().unwrap();
    let settings = Settings::default()
        .with("HOME", home.path().to_str().unwrap())
        .with("AWS_EC2_METADATA_DISABLED", "true");
    let host = "--host=sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
    let ended = settings
        .run(&["iam", "token", host, "--user=salawsiam"])
        .await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(
        ended
            .stderr
            .starts_with("error: no AWS credentials to sign with"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("because: "), "{}", ended.stderr);
}

#[tokio::test]
async fn the_deployment_s_own_variables_are_the_defaults() {
    let host = "sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
    let key = Settings::default()
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret")
        .with("DB_USER", "salawsiam");
    let at = "--at=20260102T030405Z";
    let named = key
        .run(&["iam", "token", "--host", host, "--port=5433", at])
        .await;
    assert!(named.stdout.contains(&format!("{host}:5433/")), "{named:?}");
    let deployment = key.clone().with("DB_HOST", host).with("DB_PORT", "5433");
    assert_eq!(
        deployment.run(&["iam", "token", at]).await.stdout,
        named.stdout
    );
    // Another endpoint has nothing to do with the deployment's port.
    let other = deployment
        .run(&[
            "iam",
            "token",
            "--host=b.abcdefghijk0.us-west-2.rds.amazonaws.com",
        ])
        .await;
    assert!(other.stdout.contains(":5432/"), "{other:?}");
    let wrong = deployment.with("DB_PORT", "many");
    let ended = wrong.run(&["iam", "token"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("DB_PORT"), "{ended:?}");
    let nowhere = key.run(&["iam", "token"]).await;
    assert!(nowhere.stderr.contains("--host"), "{nowhere:?}");
}

#[tokio::test]
async fn a_host_is_understood_in_every_form_that_consoles_and_terraform_print() {
    let host = "sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
    let settings = Settings::default()
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret");
    let of = async |more: &[&str]| {
        let mut arguments = vec!["iam", "token", "--user=u", "--at=20260102T030405Z"];
        arguments.extend(more);
        settings.run(&arguments).await
    };
    let plain = of(&[&format!("--host={host}"), "--port=5433"]).await;
    assert_eq!(plain.code, Some(0), "{plain:?}");
    for other in [
        format!("--host={host}:5433"),
        format!("--host={host}.:5433"),
        format!("--host={}:5433", host.to_uppercase()),
    ] {
        assert_eq!(of(&[&other]).await.stdout, plain.stdout, "{other}");
    }
    let both = of(&[&format!("--host={host}:5433"), "--port=5433"]).await;
    assert_eq!(both.stdout, plain.stdout);
    let refused = [
        (
            format!("--host={host}:5433"),
            "--port=5432",
            "write the port once",
        ),
        (
            format!("--host=postgres://u:hunter2@{host}/sal"),
            "--port=5432",
            "is a URL",
        ),
        ("--host=/run/sal".to_owned(), "--port=5432", "unix sockets"),
        (format!("--host={host}"), "--port=443", "1150"),
        (
            "--host=arn:aws:rds:us-west-2:1:db:x".to_owned(),
            "--port=5432",
            "ARN",
        ),
    ];
    for (host, port, words) in refused {
        let ended = of(&[&host, port]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{host}");
        assert!(ended.stderr.contains(words), "{ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    // Another service, which signs neither port nor user.
    for (user, action) in [("admin", "DbConnectAdmin"), ("sal", "DbConnect&")] {
        let host = "--host=abcdefghijklmnopqrst.dsql.us-west-2.on.aws";
        let ended = settings.run(&["iam", "token", host, "--user", user]).await;
        assert!(ended.stdout.contains(action), "{ended:?}");
        assert!(ended.stdout.contains("us-west-2%2Fdsql%2F"), "{ended:?}");
        assert!(!ended.stdout.contains(":5432"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_host_without_a_region_and_a_time_that_is_none_are_refused() {
    let settings = Settings::default()
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret");
    let region = settings
        .run(&["iam", "token", "--host=db.example.org", "--user=u"])
        .await;
    assert_eq!((region.code, region.stdout.as_str()), (Some(1), ""));
    assert!(region.stderr.contains("--region"), "{}", region.stderr);
    let time = settings
        .run(&[
            "iam",
            "token",
            "--host=db.example.org",
            "--user=u",
            "--region=us-west-2",
            "--at=noon",
        ])
        .await;
    assert_eq!((time.code, time.stdout.as_str()), (Some(1), ""));
    assert!(time.stderr.contains("20260102T030405Z"), "{}", time.stderr);
    assert!(!time.stderr.contains("s3cret"));
}

#[tokio::test]
async fn nonsense_is_refused_before_anything_is_signed() {
    let settings = Settings::default()
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret");
    let host = "--host=sal.abcdefghijk0.us-west-2.rds.amazonaws.com";
    for (argument, words) in [
        ("--region=nonsense", "not a region"),
        ("--region=us-west-2a", "write us-west-2"),
        ("--region=", "not a region"),
        ("--user=", "it is empty"),
        ("--port=0", "0 is not in"),
    ] {
        let mut arguments = vec!["iam", "token", host, argument];
        if !argument.starts_with("--user") {
            arguments.push("--user=u");
        }
        let ended = settings.run(&arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    let deployment = settings
        .with("DB_HOST", "sal.abcdefghijk0.us-west-2.rds.amazonaws.com")
        .with("DB_USER", "u")
        .with("AWS_RDS_REGION", "west");
    let ended = deployment.run(&["iam", "token"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("AWS_RDS_REGION=`west`"), "{ended:?}");
}

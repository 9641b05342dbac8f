//! `sal iam policy`: what is taken for a resource id, an account and a trust, in every partition.

use crate::stage::Settings;

fn settings(host: &str) -> Settings {
    Settings::default()
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "s3cret")
        .with("DB_HOST", host)
        .with("DB_NAME", "sal")
        .with("DB_USER", "sal")
        .with("DB_PASS", "x")
}

const HOST: &str = "sal.abcdefghijk0.us-west-2.rds.amazonaws.com";

#[tokio::test]
async fn an_identifier_an_arn_and_a_short_account_are_usage_errors() {
    let settings = settings(HOST);
    for (argument, words) in [
        ("--resource-id=sal-sandbox", "looks like an identifier"),
        ("--resource-id=db-sandbox", "looks like an identifier"),
        (
            "--resource-id=arn:aws:rds:us-west-2:123456789012:db:sal-sandbox",
            "is an ARN",
        ),
        ("--resource-id=db-*", "--any-database"),
        ("--account=12", "twelve digits"),
        ("--account=1234-5678-9012", "twelve digits"),
        ("--user=", "it is empty"),
    ] {
        let ended = settings.run(&["iam", "policy", argument]).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}

#[tokio::test]
async fn every_partition_has_its_own_arns_and_its_own_trust_of_ec2() {
    for (host, partition, ec2) in [
        (HOST, "aws", "ec2.amazonaws.com"),
        (
            "sal.abcdefghijk0.rds.cn-north-1.amazonaws.com.cn",
            "aws-cn",
            "ec2.amazonaws.com.cn",
        ),
        (
            "sal.abcdefghijk0.cn-northwest-1.rds.amazonaws.com.cn",
            "aws-cn",
            "ec2.amazonaws.com.cn",
        ),
        (
            "sal.abcdefghijk0.us-gov-west-1.rds.amazonaws.com",
            "aws-us-gov",
            "ec2.amazonaws.com",
        ),
        (
            "sal.abcdefghijk0.rds.us-isob-east-1.sc2s.sgov.gov",
            "aws-iso-b",
            "ec2.sc2s.sgov.gov",
        ),
        (
            "sal.abcdefghijk0.rds.us-iso-east-1.c2s.ic.gov",
            "aws-iso",
            "ec2.c2s.ic.gov",
        ),
    ] {
        let settings = settings(host);
        let known = [
            "iam",
            "policy",
            "--resource-id=prx-0123456789abcdef01",
            "--account=123456789012",
        ];
        let policy = settings.run(&known).await;
        let arn = format!("arn:{partition}:rds-db:");
        assert!(policy.stdout.contains(&arn), "{host}: {policy:?}");
        let mut as_code = known.to_vec();
        as_code.extend(["--format=cli", "--role=sal-task", "--trust=ec2"]);
        let lines = settings.run(&as_code).await;
        let attached = format!("arn:{partition}:iam::123456789012:policy/sal-rds-iam");
        for part in [&attached, ec2] {
            assert!(lines.stdout.contains(part), "{part}: {lines:?}");
        }
        let trust = settings
            .run(&["iam", "policy", "--format=trust", "--trust=ec2"])
            .await;
        assert!(trust.stdout.contains(&format!("\"{ec2}\"")), "{trust:?}");
    }
}

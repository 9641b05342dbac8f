//! The same policy and role for those who keep their AWS account as code.

use serde_json::{Value, json};

use super::ConnectPolicy;
use crate::aws::AwsCall;

/// Lines for the AWS CLI.
#[must_use]
pub fn aws_cli(
    policy: &ConnectPolicy,
    name: &str,
    role: Option<&str>,
    trust: Option<&Value>,
) -> String {
    let mut calls = vec![AwsCall::CreatePolicy {
        name: name.to_owned(),
        document: policy.document().to_string(),
    }];
    if let (Some(role), Some(trust)) = (role, trust) {
        calls.push(AwsCall::CreateRole {
            name: role.to_owned(),
            trust: trust.to_string(),
        });
    }
    if let Some(role) = role {
        calls.push(AwsCall::AttachRolePolicy {
            role: role.to_owned(),
            arn: format!(
                "arn:{}:iam::{}:policy/{name}",
                policy.partition, policy.account
            ),
        });
    }
    let lines: Vec<String> = calls.iter().map(AwsCall::cli).collect();
    lines.join("\n")
}

/// Terraform, for the provider `hashicorp/aws`.
#[must_use]
pub fn terraform(
    policy: &ConnectPolicy,
    name: &str,
    role: Option<&str>,
    trust: Option<&Value>,
) -> String {
    let document = hcl_text(&policy.document());
    let quoted = json!(name);
    let mut text = format!(
        "resource \"aws_iam_policy\" \"sal_rds_iam\" {{\n  name   = {quoted}\n  policy = {document}\n}}\n"
    );
    let Some(role) = role else {
        return text;
    };
    let role = json!(role);
    let attached = if let Some(trust) = trust {
        text.push_str(&format!(
            "\nresource \"aws_iam_role\" \"sal\" {{\n  name               = {role}\n  assume_role_policy = {}\n}}\n",
            hcl_text(trust)
        ));
        "aws_iam_role.sal.name".to_owned()
    } else {
        role.to_string()
    };
    text.push_str(&format!(
        "\nresource \"aws_iam_role_policy_attachment\" \"sal_rds_iam\" {{\n  role       = {attached}\n  policy_arn = aws_iam_policy.sal_rds_iam.arn\n}}\n\n# And on the aws_db_instance or aws_rds_cluster itself, with apply_immediately = true:\n#   iam_database_authentication_enabled = true\n"
    ));
    text
}

/// CloudFormation, as JSON.
#[must_use]
pub fn cloudformation(
    policy: &ConnectPolicy,
    name: &str,
    role: Option<&str>,
    trust: Option<&Value>,
) -> String {
    let mut properties = json!({
        "ManagedPolicyName": name,
        "PolicyDocument": policy.document(),
    });
    let mut resources = serde_json::Map::new();
    match (role, trust) {
        (Some(role), Some(trust)) => {
            let made = json!({
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": role,
                    "AssumeRolePolicyDocument": trust,
                    "ManagedPolicyArns": [{"Ref": "SalRdsIamPolicy"}],
                },
            });
            resources.insert("SalRole".to_owned(), made);
        }
        (Some(role), None) => {
            if let Some(properties) = properties.as_object_mut() {
                properties.insert("Roles".to_owned(), json!([role]));
            }
        }
        (None, _) => {}
    }
    let made = json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": properties});
    resources.insert("SalRdsIamPolicy".to_owned(), made);
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets Sal log in to its database with IAM",
        "Resources": resources,
    });
    format!("{template:#}")
}

/// JSON inside HCL: a heredoc, with `${` and `%{` escaped.
fn hcl_text(document: &Value) -> String {
    let text = format!("{document:#}")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("<<-JSON\n{text}\nJSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Trust, example};

    #[test]
    fn every_form_carries_the_exact_resource() {
        let policy = example();
        let trust = Trust::Ecs.document(rds_iam::Partition::Aws).unwrap();
        for text in [
            aws_cli(&policy, "sal", Some("sal-task"), Some(&trust)),
            terraform(&policy, "sal", Some("sal-task"), Some(&trust)),
            cloudformation(&policy, "sal", Some("sal-task"), Some(&trust)),
        ] {
            for part in [
                policy.arns()[0].as_str(),
                "sal-task",
                "ecs-tasks.amazonaws.com",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        let template: Value =
            serde_json::from_str(&cloudformation(&policy, "sal", Some("r"), None)).unwrap();
        assert_eq!(
            template["Resources"]["SalRdsIamPolicy"]["Properties"]["Roles"][0],
            "r"
        );
    }
}

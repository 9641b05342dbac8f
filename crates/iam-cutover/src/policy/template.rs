//! The same policy and role for those who keep their AWS account as code.

use serde_json::{Map, Value, json};

use crate::aws::{AwsCall, Made};

/// A policy and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    /// The policy's document.
    pub document: &'a Value,
    /// `aws`, `aws-cn` …
    pub partition: &'a str,
    /// The account.
    pub account: &'a str,
    /// The policy's name.
    pub name: &'a str,
    /// The role it is attached to.
    pub role: Option<&'a str>,
    /// Who may assume the role: then it is made.
    pub trust: Option<&'a Value>,
    /// What everything made gets.
    pub made: &'a Made,
}

/// Lines for the AWS CLI.
#[must_use]
pub fn aws_cli(code: &Code<'_>) -> String {
    let mut calls = vec![AwsCall::CreatePolicy {
        name: code.name.to_owned(),
        document: code.document.to_string(),
        made: Box::new(code.made.clone()),
    }];
    if let (Some(role), Some(trust)) = (code.role, code.trust) {
        calls.push(AwsCall::CreateRole {
            name: role.to_owned(),
            trust: trust.to_string(),
            made: Box::new(code.made.clone()),
        });
    }
    if let Some(role) = code.role {
        let arn = code
            .made
            .policy_arn(code.partition, code.account, code.name);
        calls.push(AwsCall::AttachRolePolicy {
            role: role.to_owned(),
            arn,
        });
    }
    let lines: Vec<String> = calls.iter().map(AwsCall::cli).collect();
    lines.join("\n")
}

/// Terraform, for the provider `hashicorp/aws`.
#[must_use]
pub fn terraform(code: &Code<'_>) -> String {
    let everything = hcl_made(code.made);
    let label = hcl_label(code.name);
    let mut text = format!(
        "resource \"aws_iam_policy\" \"{label}\" {{\n  name   = {}\n{everything}  policy = {}\n}}\n",
        hcl_string(code.name),
        hcl_document(code.document)
    );
    let Some(role) = code.role else {
        return text;
    };
    let attached = if let Some(trust) = code.trust {
        let boundary = code.made.boundary.as_ref().map_or_else(String::new, |arn| {
            format!("  permissions_boundary = {}\n", hcl_string(arn))
        });
        text.push_str(&format!(
            "\nresource \"aws_iam_role\" \"sal\" {{\n  name               = {}\n{everything}{boundary}  assume_role_policy = {}\n}}\n",
            hcl_string(role),
            hcl_document(trust)
        ));
        "aws_iam_role.sal.name".to_owned()
    } else {
        hcl_string(role)
    };
    text.push_str(&format!(
        "\nresource \"aws_iam_role_policy_attachment\" \"{label}\" {{\n  role       = {attached}\n  policy_arn = aws_iam_policy.{label}.arn\n}}\n\n# And on the aws_db_instance or aws_rds_cluster itself, with apply_immediately = true:\n#   iam_database_authentication_enabled = true\n"
    ));
    text
}

/// A name as Terraform takes it for a resource.
fn hcl_label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let label: String = name.chars().map(plain).collect();
    match label.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => label,
        false => format!("policy_{label}"),
    }
}

/// CloudFormation, as JSON.
#[must_use]
pub fn cloudformation(code: &Code<'_>) -> String {
    let (name, made) = (code.name, code.made);
    let mut properties = Map::new();
    properties.insert("ManagedPolicyName".to_owned(), json!(name));
    properties.insert("PolicyDocument".to_owned(), code.document.clone());
    // A managed policy takes no tags in CloudFormation; the stack's own are for what can have them.
    properties.extend(
        made.path
            .clone()
            .map(|path| ("Path".to_owned(), json!(path))),
    );
    let mut resources = Map::new();
    match (code.role, code.trust) {
        (Some(role), Some(trust)) => {
            let role = role_properties(role, trust, made);
            let role = json!({"Type": "AWS::IAM::Role", "Properties": role});
            resources.insert("SalRole".to_owned(), role);
        }
        (Some(role), None) => {
            properties.insert("Roles".to_owned(), json!([role]));
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

fn role_properties(role: &str, trust: &Value, made: &Made) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("RoleName".to_owned(), json!(role));
    properties.insert("AssumeRolePolicyDocument".to_owned(), trust.clone());
    properties.insert(
        "ManagedPolicyArns".to_owned(),
        json!([{"Ref": "SalRdsIamPolicy"}]),
    );
    properties.extend(
        made.path
            .clone()
            .map(|path| ("Path".to_owned(), json!(path))),
    );
    let boundary = made.boundary.clone();
    properties.extend(boundary.map(|arn| ("PermissionsBoundary".to_owned(), json!(arn))));
    if !made.tags.is_empty() {
        let tags: Vec<Value> = made
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        properties.insert("Tags".to_owned(), json!(tags));
    }
    properties
}

fn hcl_made(made: &Made) -> String {
    let mut text = String::new();
    if let Some(path) = &made.path {
        text.push_str(&format!("  path = {}\n", hcl_string(path)));
    }
    if !made.tags.is_empty() {
        let tags: Vec<String> = made
            .tags
            .iter()
            .map(|(key, value)| format!("    {} = {}\n", hcl_string(key), hcl_string(value)))
            .collect();
        text.push_str(&format!("  tags = {{\n{}  }}\n", tags.concat()));
    }
    text
}

/// JSON inside HCL: a heredoc.
fn hcl_document(document: &Value) -> String {
    format!("<<-JSON\n{}\nJSON", hcl_escaped(&format!("{document:#}")))
}

/// A quoted text; its escapes are JSON's.
fn hcl_string(text: &str) -> String {
    hcl_escaped(&json!(text).to_string())
}

/// Terraform would evaluate `${…}` and `%{…}`, such as the policy variable `${aws:username}`.
fn hcl_escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Trust, example};

    fn code<'a>(document: &'a Value, trust: Option<&'a Value>, made: &'a Made) -> Code<'a> {
        Code {
            document,
            partition: "aws",
            account: "123456789012",
            name: "sal",
            role: Some("sal-task"),
            trust,
            made,
        }
    }

    #[test]
    fn every_form_carries_the_exact_resource() {
        let document = example().document();
        let trust = Trust::Ecs.document(rds_iam::Partition::Aws).unwrap();
        let made = Made::default();
        let code = code(&document, Some(&trust), &made);
        for text in [aws_cli(&code), terraform(&code), cloudformation(&code)] {
            for part in [
                example().arns()[0].as_str(),
                "sal-task",
                "ecs-tasks.amazonaws.com",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
            for part in ["Tags", "tags", "ath\"", "oundary"] {
                assert!(!text.contains(part), "{part} in {text}");
            }
        }
        let without = Code {
            trust: None,
            ..code
        };
        let template: Value = serde_json::from_str(&cloudformation(&without)).unwrap();
        assert_eq!(
            template["Resources"]["SalRdsIamPolicy"]["Properties"]["Roles"][0],
            "sal-task"
        );
    }

    #[test]
    fn every_form_carries_boundary_path_and_tags() {
        let (document, trust) = (
            example().document(),
            Trust::Ecs.document(rds_iam::Partition::Aws).unwrap(),
        );
        let made = Made {
            boundary: Some("arn:aws:iam::123456789012:policy/edge".to_owned()),
            path: Some("/apps/mac/".to_owned()),
            tags: vec![("cost center".to_owned(), "it's 7".to_owned())],
        };
        let code = code(&document, Some(&trust), &made);
        for text in [aws_cli(&code), terraform(&code), cloudformation(&code)] {
            for part in ["policy/edge", "/apps/mac/", "cost center", "7"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        assert!(
            aws_cli(&code).contains("--policy-arn arn:aws:iam::123456789012:policy/apps/mac/sal")
        );
    }

    #[test]
    fn terraform_evaluates_nothing_of_what_it_is_given() {
        let mut policy = example();
        "${aws:username}".clone_into(&mut policy.user);
        let document = policy.document();
        let made = Made {
            tags: vec![("x".to_owned(), "%{if}${y}\"".to_owned())],
            ..Made::default()
        };
        let text = terraform(&code(&document, None, &made));
        assert!(text.contains("db-ABC/$${aws:username}"), "{text}");
        assert!(text.contains(r#""x" = "%%{if}$${y}\"""#), "{text}");
    }
}

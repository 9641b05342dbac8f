//! Credentials of the instance's role from the EC2 metadata service (IMDSv2).
//!
//! The session handling is `aws-config`'s; the credentials are read here, because its provider
//! prolongs the end of expired credentials and hands out old ones when the service is down. A
//! token signed with those is refused by RDS, and the refusal does not say why.

use aws_config::imds;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    CredentialError, CredentialProvider, Credentials, Fetched, chain::error_text, date::parse_iso,
};

/// What this source is called in messages.
pub(super) const SOURCE: &str = "instance metadata";

const PATH: &str = "/latest/meta-data/iam/security-credentials/";

pub(super) struct InstanceMetadata(pub(super) imds::Client);

impl CredentialProvider for InstanceMetadata {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
        Box::pin(async move {
            let role = self
                .0
                .get(PATH)
                .await
                .map_err(|error| failed(&error_text(&error)))?;
            let role = role.as_ref().lines().next().unwrap_or_default().trim();
            if role.is_empty() {
                return Err(failed("the instance has no role attached"));
            }
            let path = format!("{PATH}{role}");
            let body = self
                .0
                .get(path)
                .await
                .map_err(|error| failed(&error_text(&error)))?;
            parse(body.as_ref(), role)
        })
    }
}

fn parse(body: &str, role: &str) -> Result<Fetched, CredentialError> {
    // The parser's message could quote the body, so it is not passed on.
    let answer: Value =
        serde_json::from_str(body).map_err(|_quotes_the_body| failed("the answer is not JSON"))?;
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    if let Some(code) = field("Code").filter(|code| *code != "Success") {
        let message = field("Message").unwrap_or_default();
        return Err(failed(&format!("{code}: {message}")));
    }
    let (Some(id), Some(key), Some(session), Some(end)) = (
        field("AccessKeyId"),
        field("SecretAccessKey"),
        field("Token"),
        field("Expiration").and_then(parse_iso),
    ) else {
        return Err(failed("the answer lacks a key, a token or an expiration"));
    };
    Ok(Fetched {
        credentials: Credentials::new(id, key, Some(session), Some(end)),
        source: format!("{SOURCE} (role {role})"),
    })
}

fn failed(message: &str) -> CredentialError {
    CredentialError::Failed {
        origin: SOURCE.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_credentials_with_their_true_end() {
        let body = r#"{"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"k","Token":"t",
            "Expiration":"2020-01-01T00:00:00Z"}"#;
        let fetched = parse(body, "sal").unwrap();
        assert_eq!(fetched.source, "instance metadata (role sal)");
        assert_eq!(
            fetched.credentials.expires_at().unwrap().as_second(),
            1_577_836_800
        );
    }

    #[test]
    fn a_refusal_and_rubbish_are_told_without_quoting_the_body() {
        let refusal = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no trust"}"#;
        assert!(
            parse(refusal, "sal")
                .unwrap_err()
                .to_string()
                .contains("AssumeRoleUnauthorized")
        );
        let rubbish = r#"{"SecretAccessKey":"hunter2","#;
        assert!(
            !parse(rubbish, "sal")
                .unwrap_err()
                .to_string()
                .contains("hunter2")
        );
        assert!(parse(r#"{"AccessKeyId":"ASIA1"}"#, "sal").is_err());
    }
}

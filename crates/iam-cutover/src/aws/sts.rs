//! STS: who is the caller?

use serde::Serialize;

use super::client::{AwsApi, AwsError, Service};

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The ARN of the user or of the role's session.
    pub arn: String,
}

impl Caller {
    /// The ARN that policies are attached to: of the role, not of its session.
    #[must_use]
    pub fn principal(&self) -> String {
        match (
            self.arn.split_once(":assumed-role/"),
            self.arn.split_once(":sts:"),
        ) {
            (Some((_, session)), Some((partition, _))) => {
                let name = session.split('/').next().unwrap_or_default();
                format!("{partition}:iam::{}:role/{name}", self.account)
            }
            _ => self.arn.clone(),
        }
    }

    /// The role's name, for a session of a role.
    #[must_use]
    pub fn role_name(&self) -> Option<String> {
        let (_, session) = self.arn.split_once(":assumed-role/")?;
        session.split('/').next().map(str::to_owned)
    }
}

impl AwsApi {
    /// `sts:GetCallerIdentity`, which everybody may call.
    ///
    /// # Errors
    /// [`AwsError`], most often because the credentials are wrong.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        let tree = self.query(Service::Sts, "GetCallerIdentity", &[]).await?;
        let result = tree.find("GetCallerIdentityResult");
        let text = |name| {
            result
                .and_then(|result| result.text_of(name))
                .unwrap_or_default()
        };
        Ok(Caller {
            account: text("Account"),
            arn: text("Arn"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_belongs_to_its_role() {
        let caller = |arn: &str| Caller {
            account: "123456789012".to_owned(),
            arn: arn.to_owned(),
        };
        let session = caller("arn:aws-us-gov:sts::123456789012:assumed-role/sal/task-1");
        assert_eq!(
            session.principal(),
            "arn:aws-us-gov:iam::123456789012:role/sal"
        );
        assert_eq!(session.role_name().unwrap(), "sal");
        let user = caller("arn:aws:iam::123456789012:user/x");
        assert_eq!(user.principal(), user.arn);
        assert_eq!(user.role_name(), None);
    }
}

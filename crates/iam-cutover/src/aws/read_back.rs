//! Whether a call has had its effect, read back from AWS: a call that was taken is not yet a change that is live.
//!
//! IAM is eventually consistent and RDS takes minutes, so each is asked until it says so or the patience is over.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    call::AwsCall,
    client::{AwsApi, AwsError, Service},
    rds::{AUTH_LOG, DatabaseTarget},
    xml::Element,
};

impl AwsApi {
    /// Waits until AWS itself shows what a call was for.
    ///
    /// # Errors
    /// What it still shows instead when the patience is over, or why it cannot be asked.
    pub async fn settle(&self, call: &AwsCall, patience: Duration) -> Result<(), Unsettled> {
        let end = Instant::now() + patience;
        loop {
            let Some(seen) = self.not_yet(call).await? else {
                return Ok(());
            };
            if Instant::now() >= end {
                return Err(Unsettled::Waiting(format!(
                    "`{}` was taken, and after {} s AWS still shows: {seen}. What it changes may come later: run the same command again",
                    call.cli(),
                    patience.as_secs()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What AWS shows in place of the call's effect; `None` when it is there.
    async fn not_yet(&self, call: &AwsCall) -> Result<Option<String>, AwsError> {
        Ok(match call {
            AwsCall::SetIamAuthentication {
                kind,
                identifier,
                enabled,
            } => {
                let seen = self.describe(*kind, identifier).await?;
                flag_is_not(*enabled, seen, identifier)
            }
            AwsCall::ExportAuthLog {
                kind,
                identifier,
                enabled,
            } => {
                let seen = self.describe(*kind, identifier).await?;
                log_is_not(*enabled, seen, identifier)
            }
            AwsCall::CreatePolicy {
                name,
                document,
                made,
            } => {
                let account = self.caller().await?.account;
                let arn = made.policy_arn(self.partition(), &account, name);
                let found = absent(self.policy_document(&arn).await)?;
                differs(found, document, &format!("the policy {arn}"))
            }
            AwsCall::DeletePolicy { arn } => {
                let named = [("PolicyArn".to_owned(), arn.clone())];
                let found = absent(self.query(Service::Iam, "GetPolicy", &named).await)?;
                let used = |tree: &Element| {
                    let count = tree.find("AttachmentCount").map(Element::own_text);
                    count.is_some_and(|count| count != "0")
                };
                // One that something else uses stays.
                found
                    .filter(|tree| !used(tree))
                    .map(|_| format!("the policy {arn} is still there"))
            }
            AwsCall::CreateRole { name, trust, made } => match self.role_alone(name).await? {
                None => Some(format!("there is no role {name}")),
                Some(role) if role.boundary != made.boundary => Some(format!(
                    "the role {name} has the permissions boundary {}",
                    role.boundary.as_deref().unwrap_or("none")
                )),
                Some(role) => differs(Some(role.trust), trust, &format!("the trust of {name}")),
            },
            AwsCall::DeleteRole { name } => self
                .role_alone(name)
                .await?
                .map(|_role| format!("the role {name} is still there")),
            AwsCall::AttachRolePolicy { role, arn } => (!self.is_attached(role, arn).await?)
                .then(|| format!("{arn} is not attached to {role}")),
            AwsCall::DetachRolePolicy { role, arn } => self
                .is_attached(role, arn)
                .await?
                .then(|| format!("{arn} is still attached to {role}")),
        })
    }
}

/// A call's effect was not seen.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// AWS could not be asked.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// It shows something else; says what.
    #[error("{0}")]
    Waiting(String),
}

fn flag_is_not(wanted: bool, seen: Option<DatabaseTarget>, identifier: &str) -> Option<String> {
    match seen {
        Some(target) if target.iam_is(wanted) => None,
        Some(target) => Some(format!(
            "{identifier} has status {}, IAM authentication {:?}, pending {:?}",
            target.status, target.iam_enabled, target.iam_pending
        )),
        None => Some(format!("{identifier} is gone")),
    }
}

fn log_is_not(wanted: bool, seen: Option<DatabaseTarget>, identifier: &str) -> Option<String> {
    let logs = seen.map(|target| target.log_exports).unwrap_or_default();
    let is_exported = logs.iter().any(|log| log == AUTH_LOG);
    (is_exported != wanted).then(|| format!("{identifier} exports {}", logs.join(", ")))
}

/// What IAM does not have is an answer.
fn absent<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(AwsError::Refused { code, .. }) if code == "NoSuchEntity" => Ok(None),
        other => other.map(Some),
    }
}

/// Documents are compared by what they say, not by how they are written.
fn differs(found: Option<String>, wanted: &str, what: &str) -> Option<String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    match found {
        None => Some(format!("{what} is not there")),
        Some(found) if read(&found) == read(wanted) => None,
        Some(_) => Some(format!("{what} says something else")),
    }
}

/// How often AWS is asked.
const POLL: Duration = Duration::from_secs(1);

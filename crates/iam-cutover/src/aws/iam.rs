//! IAM: roles, their policies, and the simulator.

use serde::Serialize;

use super::{
    call::AwsCall,
    client::{AwsApi, AwsError, Service},
    xml::Element,
};

/// A role as IAM describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleFacts {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Who may assume it, as JSON.
    pub trust: String,
    /// Whether a permissions boundary limits it.
    pub boundary: Option<String>,
    /// Its policies, attached and inline.
    pub policies: Vec<AttachedPolicy>,
}

/// A policy of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttachedPolicy {
    /// Its name.
    pub name: String,
    /// Its ARN; none for an inline policy.
    pub arn: Option<String>,
    /// The document, as JSON.
    pub document: String,
}

/// What the simulator thinks; its answers for `rds-db:connect` are advice only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// `allowed`, `implicitDeny` or `explicitDeny`.
    pub decision: String,
    /// Whether the organisation allows it, when that was said.
    pub organizations: Option<bool>,
    /// Whether the permissions boundary allows it, when that was said.
    pub boundary: Option<bool>,
}

impl AwsApi {
    /// A role with its policies; `None` when there is none of this name.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn role(&self, name: &str) -> Result<Option<RoleFacts>, AwsError> {
        let Some(role) = self.role_alone(name).await? else {
            return Ok(None);
        };
        let policies = self.policies_of(&of_role(name)).await?;
        Ok(Some(RoleFacts { policies, ..role }))
    }

    /// The same without its policies.
    pub(super) async fn role_alone(&self, name: &str) -> Result<Option<RoleFacts>, AwsError> {
        let tree = match self.query(Service::Iam, "GetRole", &of_role(name)).await {
            Err(AwsError::Refused { code, .. }) if code == "NoSuchEntity" => return Ok(None),
            other => other?,
        };
        let Some(role) = tree.find("Role") else {
            return Ok(None);
        };
        let boundary = role.child("PermissionsBoundary");
        Ok(Some(RoleFacts {
            name: name.to_owned(),
            arn: role.text_of("Arn").unwrap_or_default(),
            trust: decoded(&role.text_of("AssumeRolePolicyDocument").unwrap_or_default()),
            boundary: boundary.and_then(|boundary| boundary.text_of("PermissionsBoundaryArn")),
            policies: Vec::new(),
        }))
    }

    /// Whether a managed policy is attached to a role.
    pub(super) async fn is_attached(&self, role: &str, arn: &str) -> Result<bool, AwsError> {
        let attached = self
            .list(
                "ListAttachedRolePolicies",
                &of_role(role),
                "AttachedPolicies",
            )
            .await?;
        Ok(attached
            .iter()
            .any(|policy| policy.text_of("PolicyArn").as_deref() == Some(arn)))
    }

    async fn policies_of(
        &self,
        named: &[(String, String)],
    ) -> Result<Vec<AttachedPolicy>, AwsError> {
        let mut policies = Vec::new();
        for attached in self
            .list("ListAttachedRolePolicies", named, "AttachedPolicies")
            .await?
        {
            let arn = attached.text_of("PolicyArn").unwrap_or_default();
            policies.push(AttachedPolicy {
                name: attached.text_of("PolicyName").unwrap_or_default(),
                document: self.policy_document(&arn).await?,
                arn: Some(arn),
            });
        }
        for inline in self.list("ListRolePolicies", named, "PolicyNames").await? {
            let name = inline.own_text().to_owned();
            let mut parameters = named.to_vec();
            parameters.push(("PolicyName".to_owned(), name.clone()));
            let tree = self
                .query(Service::Iam, "GetRolePolicy", &parameters)
                .await?;
            let document = tree
                .find("PolicyDocument")
                .map(Element::own_text)
                .unwrap_or_default();
            policies.push(AttachedPolicy {
                name,
                arn: None,
                document: decoded(document),
            });
        }
        Ok(policies)
    }

    /// All pages of a list.
    async fn list(
        &self,
        action: &str,
        parameters: &[(String, String)],
        name: &str,
    ) -> Result<Vec<Element>, AwsError> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        for _page in 0..50 {
            let mut parameters = parameters.to_vec();
            parameters.extend(marker.take().map(|marker| ("Marker".to_owned(), marker)));
            let tree = self.query(Service::Iam, action, &parameters).await?;
            all.extend(
                tree.find(name)
                    .into_iter()
                    .flat_map(Element::items)
                    .cloned(),
            );
            let result = tree.find(&format!("{action}Result"));
            marker = result.and_then(|result| result.text_of("Marker"));
            if marker.is_none() {
                break;
            }
        }
        Ok(all)
    }

    /// The document of a managed policy's default version.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn policy_document(&self, arn: &str) -> Result<String, AwsError> {
        let mut parameters = vec![("PolicyArn".to_owned(), arn.to_owned())];
        let tree = self.query(Service::Iam, "GetPolicy", &parameters).await?;
        let version = tree
            .find("DefaultVersionId")
            .map(Element::own_text)
            .unwrap_or_default();
        parameters.push(("VersionId".to_owned(), version.to_owned()));
        let tree = self
            .query(Service::Iam, "GetPolicyVersion", &parameters)
            .await?;
        let document = tree
            .find("Document")
            .map(Element::own_text)
            .unwrap_or_default();
        Ok(decoded(document))
    }

    /// Asks the simulator whether a principal may connect.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn simulate(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
    ) -> Result<Simulation, AwsError> {
        let parameters = [
            ("PolicySourceArn".to_owned(), principal.to_owned()),
            ("ActionNames.member.1".to_owned(), action.to_owned()),
            ("ResourceArns.member.1".to_owned(), resource.to_owned()),
        ];
        let tree = self
            .query(Service::Iam, "SimulatePrincipalPolicy", &parameters)
            .await?;
        let result = tree
            .find("EvaluationResults")
            .and_then(|results| results.items().next());
        let detail = |part: &str, flag: &str| {
            result
                .and_then(|result| result.child(part))
                .and_then(|part| part.flag(flag))
        };
        Ok(Simulation {
            decision: result
                .and_then(|result| result.text_of("EvalDecision"))
                .unwrap_or_default(),
            organizations: detail("OrganizationsDecisionDetail", "AllowedByOrganizations"),
            boundary: detail(
                "PermissionsBoundaryDecisionDetail",
                "AllowedByPermissionsBoundary",
            ),
        })
    }

    /// Makes one of the calls that change something. What is already so counts as done.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn make(&self, call: &AwsCall) -> Result<(), AwsError> {
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (action, parameters) = match call {
            AwsCall::SetIamAuthentication {
                kind,
                identifier,
                enabled,
            } => {
                return self
                    .set_iam_authentication(*kind, identifier, *enabled)
                    .await;
            }
            AwsCall::ExportAuthLog {
                kind,
                identifier,
                enabled,
            } => return self.export_auth_log(*kind, identifier, *enabled).await,
            AwsCall::CreatePolicy {
                name,
                document,
                made,
            } => {
                let own = [text("PolicyName", name), text("PolicyDocument", document)];
                (
                    "CreatePolicy",
                    own.into_iter().chain(made.parameters()).collect(),
                )
            }
            AwsCall::DeletePolicy { arn } => ("DeletePolicy", vec![text("PolicyArn", arn)]),
            AwsCall::CreateRole { name, trust, made } => {
                let own = [
                    text("RoleName", name),
                    text("AssumeRolePolicyDocument", trust),
                ];
                let boundary = made.boundary.iter();
                let boundary = boundary.map(|arn| text("PermissionsBoundary", arn));
                let all = own.into_iter().chain(made.parameters()).chain(boundary);
                ("CreateRole", all.collect())
            }
            AwsCall::DeleteRole { name } => ("DeleteRole", vec![text("RoleName", name)]),
            AwsCall::AttachRolePolicy { role, arn } => (
                "AttachRolePolicy",
                vec![text("RoleName", role), text("PolicyArn", arn)],
            ),
            AwsCall::DetachRolePolicy { role, arn } => (
                "DetachRolePolicy",
                vec![text("RoleName", role), text("PolicyArn", arn)],
            ),
        };
        match self.query(Service::Iam, action, &parameters).await {
            Ok(_answer) => Ok(()),
            Err(AwsError::Refused { code, .. })
                if action == "CreatePolicy" && code == "EntityAlreadyExists" =>
            {
                self.same_policy(call).await
            }
            Err(AwsError::Refused { code, .. }) if is_done(action, &code) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl AwsApi {
    /// A policy of this name that is there already: the same, or somebody else's.
    async fn same_policy(&self, call: &AwsCall) -> Result<(), AwsError> {
        let AwsCall::CreatePolicy {
            name,
            document,
            made,
        } = call
        else {
            return Ok(());
        };
        let account = self.caller().await?.account;
        let arn = made.policy_arn(self.partition(), &account, name);
        let found = self.policy_document(&arn).await?;
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        if read(&found) == read(document) {
            return Ok(());
        }
        Err(AwsError::Refused {
            action: "iam:CreatePolicy".to_owned(),
            code: "EntityAlreadyExists".to_owned(),
            message: format!(
                "the policy {name} is there and says something else, perhaps for another deployment; choose another name with --policy-name"
            ),
        })
    }
}

fn of_role(name: &str) -> [(String, String); 1] {
    [("RoleName".to_owned(), name.to_owned())]
}

fn is_done(action: &str, code: &str) -> bool {
    match code {
        "EntityAlreadyExists" => action == "CreateRole",
        // Somebody else uses it, too: it stays.
        "DeleteConflict" => action == "DeletePolicy",
        "NoSuchEntity" => action.starts_with("De"),
        _ => false,
    }
}

/// IAM sends documents percent-encoded.
fn decoded(text: &str) -> String {
    rds_iam::percent_decoded(text)
}

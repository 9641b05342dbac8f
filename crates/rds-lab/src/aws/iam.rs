//! IAM's API: roles, policies and the simulator, on the lab's directory.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::StatusCode;

use super::Account;
use super::signed::{authorize, form, judge, missing, service};
use super::xml::{ApiError, element, success};
use crate::credentials::Identity;
use crate::directory::{Decision, Role, is_policy};
use crate::verify::query::{Query, encode};
use crate::verify::request::Request;

pub(super) fn routes() -> Router<Arc<Account>> {
    service(act)
}

fn act(account: &Account, request: &Request<'_>) -> Result<Response, ApiError> {
    let form = form(request).ok_or_else(|| missing("Action"))?;
    let action = form.text("Action").unwrap_or_default().to_owned();
    let caller = judge(account, "iam", request)?;
    may(account, &caller, &action, &form)?;
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    let result = match action.as_str() {
        "GetRole" => role_element(&find_role(account, text("RoleName")?)?, text("RoleName")?),
        "ListAttachedRolePolicies" => attached(&find_role(account, text("RoleName")?)?),
        "ListRolePolicies" => {
            let role = find_role(account, text("RoleName")?)?;
            let names: Vec<String> = role
                .inline
                .keys()
                .map(|name| element("member", name))
                .collect();
            format!(
                "<PolicyNames>{}</PolicyNames>{NOT_TRUNCATED}",
                names.concat()
            )
        }
        "GetRolePolicy" => inline(&find_role(account, text("RoleName")?)?, text("PolicyName")?)?,
        "GetPolicy" => {
            let arn = text("PolicyArn")?;
            document_of(account, arn)?;
            format!(
                "<Policy>{}{}{}</Policy>",
                element("Arn", arn),
                element("AttachmentCount", &uses(account, arn).to_string()),
                element("DefaultVersionId", "v1")
            )
        }
        "GetPolicyVersion" => {
            let document = document_of(account, text("PolicyArn")?)?;
            let document = element("Document", &encode(document.as_bytes()));
            format!(
                "<PolicyVersion>{document}{}</PolicyVersion>",
                element("VersionId", "v1")
            )
        }
        "SimulatePrincipalPolicy" => simulate(account, &form)?,
        _ => return change(account, &action, &form).map(|result| success(&action, &result)),
    };
    Ok(success(&action, &result))
}

/// Every action that a request needs: tags and what they are put on are two.
fn may(account: &Account, caller: &Identity, action: &str, form: &Query) -> Result<(), ApiError> {
    let resource = resource(account, action, form);
    let keys: Vec<(&str, &str)> = [
        ("iam:PolicyARN", "PolicyArn"),
        ("iam:PermissionsBoundary", "PermissionsBoundary"),
    ]
    .iter()
    .filter_map(|(key, parameter)| Some((*key, form.text(parameter)?)))
    .collect();
    let asked = (resource.as_str(), keys.as_slice());
    authorize(account, caller, &format!("iam:{action}"), asked)?;
    if form.text("Tags.member.1.Key").is_some() {
        let tag = action.replace("Create", "iam:Tag");
        authorize(account, caller, &tag, asked)?;
    }
    Ok(())
}

fn resource(account: &Account, action: &str, form: &Query) -> String {
    let path = form.text("Path").unwrap_or("/");
    let made = |kind: &str, name: &str| format!("arn:aws:iam::{}:{kind}{path}{name}", account.id);
    if let Some(name) = form.text("RoleName") {
        let known = account
            .directory
            .with(|state| state.roles.get(name).map(|role| role.arn.clone()));
        return known
            .filter(|_| action != "CreateRole")
            .unwrap_or_else(|| made("role", name));
    }
    if let Some(name) = form.text("PolicyName") {
        return made("policy", name);
    }
    let named = ["PolicyArn", "PolicySourceArn"].iter();
    named
        .filter_map(|name| form.text(name))
        .next()
        .unwrap_or("*")
        .to_owned()
}

fn change(account: &Account, action: &str, form: &Query) -> Result<String, ApiError> {
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    match action {
        "CreatePolicy" => create_policy(account, form),
        "DeletePolicy" => delete_policy(account, text("PolicyArn")?),
        "CreateRole" => create_role(account, form),
        "DeleteRole" => {
            let name = text("RoleName")?;
            if !find_role(account, name)?.attached.is_empty() {
                return Err(conflict(
                    "Cannot delete entity, must detach all policies first.",
                ));
            }
            account.directory.with(|state| state.roles.remove(name));
            Ok(String::new())
        }
        "AttachRolePolicy" => {
            let (name, arn) = (text("RoleName")?, text("PolicyArn")?);
            document_of(account, arn)?;
            change_role(account, name, |role| {
                if !role.attached.iter().any(|attached| attached == arn) {
                    role.attached.push(arn.to_owned());
                }
            })
        }
        "DetachRolePolicy" => {
            let (name, arn) = (text("RoleName")?, text("PolicyArn")?);
            if !find_role(account, name)?
                .attached
                .iter()
                .any(|attached| attached == arn)
            {
                return Err(no_entity(arn));
            }
            change_role(account, name, |role| {
                role.attached.retain(|attached| attached != arn)
            })
        }
        _ => Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidAction",
            message: format!("{action} is not known here"),
        }),
    }
}

fn create_role(account: &Account, form: &Query) -> Result<String, ApiError> {
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    let (name, trust) = (text("RoleName")?, text("AssumeRolePolicyDocument")?);
    let role = Role {
        arn: resource(account, "CreateRole", form),
        trust: trust.to_owned(),
        boundary: form.text("PermissionsBoundary").map(str::to_owned),
        ..Role::default()
    };
    let known = account
        .directory
        .with(|state| state.roles.contains_key(name));
    if known {
        return Err(exists(name));
    }
    account
        .directory
        .with(|state| state.roles.insert(name.to_owned(), role.clone()));
    Ok(role_element(&role, name))
}

fn create_policy(account: &Account, form: &Query) -> Result<String, ApiError> {
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    let (name, document) = (text("PolicyName")?, text("PolicyDocument")?);
    if !is_policy(document) {
        return Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "MalformedPolicyDocument",
            message: "Policy statement must contain actions and resources.".to_owned(),
        });
    }
    let arn = resource(account, "CreatePolicy", form);
    let known = account
        .directory
        .with(|state| state.policies.contains_key(&arn));
    if known {
        return Err(exists(name));
    }
    account
        .directory
        .with(|state| state.policies.insert(arn.clone(), document.to_owned()));
    Ok(format!(
        "<Policy>{}{}</Policy>",
        element("PolicyName", name),
        element("Arn", &arn)
    ))
}

fn delete_policy(account: &Account, arn: &str) -> Result<String, ApiError> {
    document_of(account, arn)?;
    if uses(account, arn) > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    account.directory.with(|state| state.policies.remove(arn));
    Ok(String::new())
}

/// How many roles have a policy.
fn uses(account: &Account, arn: &str) -> usize {
    account.directory.with(|state| {
        let roles = state.roles.values();
        roles
            .filter(|role| role.attached.iter().any(|attached| attached == arn))
            .count()
    })
}

fn change_role(
    account: &Account,
    name: &str,
    change: impl FnOnce(&mut Role),
) -> Result<String, ApiError> {
    find_role(account, name)?;
    account
        .directory
        .with(|state| state.roles.get_mut(name).map(change));
    Ok(String::new())
}

fn find_role(account: &Account, name: &str) -> Result<Role, ApiError> {
    let found = account
        .directory
        .with(|state| state.roles.get(name).cloned());
    found.ok_or_else(|| no_entity(&format!("The role with name {name}")))
}

fn document_of(account: &Account, arn: &str) -> Result<String, ApiError> {
    let found = account
        .directory
        .with(|state| state.policies.get(arn).cloned());
    found.ok_or_else(|| no_entity(&format!("Policy {arn}")))
}

fn role_element(role: &Role, name: &str) -> String {
    let boundary = role.boundary.as_ref().map_or_else(String::new, |arn| {
        format!(
            "<PermissionsBoundary>{}</PermissionsBoundary>",
            element("PermissionsBoundaryArn", arn)
        )
    });
    format!(
        "<Role>{}{}{}{boundary}</Role>",
        element("RoleName", name),
        element("Arn", &role.arn),
        element("AssumeRolePolicyDocument", &encode(role.trust.as_bytes()))
    )
}

fn attached(role: &Role) -> String {
    let one = |arn: &String| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        format!(
            "<member>{}{}</member>",
            element("PolicyName", name),
            element("PolicyArn", arn)
        )
    };
    let all: Vec<String> = role.attached.iter().map(one).collect();
    format!(
        "<AttachedPolicies>{}</AttachedPolicies>{NOT_TRUNCATED}",
        all.concat()
    )
}

fn inline(role: &Role, name: &str) -> Result<String, ApiError> {
    let document = role.inline.get(name).ok_or_else(|| no_entity(name))?;
    Ok(element("PolicyName", name) + &element("PolicyDocument", &encode(document.as_bytes())))
}

fn simulate(account: &Account, form: &Query) -> Result<String, ApiError> {
    let text = |name: &str| form.text(name).ok_or_else(|| missing(name));
    let principal = text("PolicySourceArn")?;
    let (action, resource) = (
        text("ActionNames.member.1")?,
        text("ResourceArns.member.1")?,
    );
    let name = principal.rsplit('/').next().unwrap_or_default();
    let (decision, organization) = account.directory.with(|state| {
        let denied = state
            .organization_denies
            .iter()
            .any(|denied| crate::pattern::fits(denied, action));
        (state.decide(name, action, resource, &[]), !denied)
    });
    let decision = match decision {
        Decision::Allowed => "allowed",
        Decision::ImplicitDeny => "implicitDeny",
        Decision::ExplicitDeny => "explicitDeny",
    };
    Ok(format!(
        "<EvaluationResults><member>{}{}{}<OrganizationsDecisionDetail>{}</OrganizationsDecisionDetail></member></EvaluationResults>",
        element("EvalActionName", action),
        element("EvalResourceName", resource),
        element("EvalDecision", decision),
        element("AllowedByOrganizations", &organization.to_string())
    ))
}

fn no_entity(what: &str) -> ApiError {
    ApiError {
        status: StatusCode::NOT_FOUND,
        code: "NoSuchEntity",
        message: format!("{what} cannot be found."),
    }
}

fn exists(name: &str) -> ApiError {
    ApiError {
        status: StatusCode::CONFLICT,
        code: "EntityAlreadyExists",
        message: format!("{name} already exists."),
    }
}

fn conflict(message: &str) -> ApiError {
    ApiError {
        status: StatusCode::CONFLICT,
        code: "DeleteConflict",
        message: message.to_owned(),
    }
}

const NOT_TRUNCATED: &str = "<IsTruncated>false</IsTruncated>";

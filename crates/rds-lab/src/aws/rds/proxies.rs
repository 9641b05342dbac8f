//! RDS Proxy as RDS describes it: the proxy, its additional endpoint, its target.

use super::super::Account;
use super::super::xml::{ApiError, element};
use super::not_found;
use crate::shape::{PROXY, PROXY_ENDPOINT, PROXY_ID, PROXY_ROLE, Shape};
use crate::verify::query::Query;

/// `DescribeDBProxies`.
pub(super) fn describe(account: &Account, form: &Query) -> Result<String, ApiError> {
    let list = |items: &str| format!("<DBProxies>{items}</DBProxies>");
    match (account.site.shape.has_proxy(), form.text("DBProxyName")) {
        (true, None | Some(PROXY)) => Ok(list(&one(account))),
        (false, None) => Ok(list("")),
        (_, Some(name)) => Err(missing(name)),
    }
}

/// `DescribeDBProxyEndpoints`: the additional one; the default one is a part of the proxy.
pub(super) fn endpoints(account: &Account, form: &Query) -> Result<String, ApiError> {
    let wanted = form.text("DBProxyEndpointName");
    let is_ours = wanted.is_none_or(|name| name == PROXY_ENDPOINT);
    if !account.site.shape.has_proxy() || !is_ours {
        let name = wanted.unwrap_or_default();
        let text = format!("DBProxyEndpoint {name} not found.");
        return Err(not_found("DBProxyEndpointNotFoundFault", &text));
    }
    let parts = [
        element("DBProxyEndpointName", PROXY_ENDPOINT),
        element("DBProxyName", PROXY),
        element("Status", "available"),
        element("Endpoint", &account.site.proxy_endpoint()),
        element("TargetRole", "READ_WRITE"),
        element("IsDefault", "false"),
    ];
    Ok(format!(
        "<DBProxyEndpoints><member>{}</member></DBProxyEndpoints>",
        parts.concat()
    ))
}

/// `DescribeDBProxyTargets`.
pub(super) fn targets(account: &Account, form: &Query) -> Result<String, ApiError> {
    let site = &account.site;
    let name = form.text("DBProxyName").unwrap_or_default();
    if !site.shape.has_proxy() || name != PROXY {
        return Err(missing(name));
    }
    let parts = [
        element("Endpoint", &site.own(&site.identifier)),
        element("RdsResourceId", &site.identifier),
        element("Port", "5432"),
        element("Type", "RDS_INSTANCE"),
        element("Role", "READ_WRITE"),
    ];
    Ok(format!(
        "<Targets><member>{}</member></Targets>",
        parts.concat()
    ))
}

fn one(account: &Account) -> String {
    let site = &account.site;
    let secret = |user: &String| {
        let arn = format!(
            "arn:aws:secretsmanager:{}:{}:secret:{user}-AbCdEf",
            account.region, account.id
        );
        format!(
            "<member>{}{}{}</member>",
            element("AuthScheme", "SECRETS"),
            element("SecretArn", &arn),
            element("IAMAuth", "REQUIRED")
        )
    };
    let end_to_end = site.shape == Shape::ProxyEndToEnd;
    let secrets: Vec<String> = match end_to_end {
        true => Vec::new(),
        false => site.secrets().iter().map(secret).collect(),
    };
    let arn = format!(
        "arn:aws:rds:{}:{}:db-proxy:{PROXY_ID}",
        account.region, account.id
    );
    let parts = [
        element("DBProxyName", PROXY),
        element("DBProxyArn", &arn),
        element("Status", "available"),
        element("EngineFamily", "POSTGRESQL"),
        element(
            "DefaultAuthScheme",
            if end_to_end { "IAM_AUTH" } else { "NONE" },
        ),
        format!("<Auth>{}</Auth>", secrets.concat()),
        element("RoleArn", &account.role_arn(PROXY_ROLE)),
        element("Endpoint", &site.proxy()),
        element("RequireTLS", "true"),
    ];
    format!("<member>{}</member>", parts.concat())
}

fn missing(name: &str) -> ApiError {
    not_found(
        "DBProxyNotFoundFault",
        &format!("DBProxy {name} not found."),
    )
}

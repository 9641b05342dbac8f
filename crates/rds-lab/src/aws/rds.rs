//! RDS's API: the instance, its engine version, its parameters, and switching IAM authentication.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::StatusCode;

use super::Account;
use super::signed::{authorize, form, judge, missing, service};
use super::xml::{ApiError, element, success};
use crate::instance::Facts;
use crate::verify::query::Query;
use crate::verify::request::Request;

pub(super) fn routes() -> Router<Arc<Account>> {
    service(act)
}

fn act(account: &Account, request: &Request<'_>) -> Result<Response, ApiError> {
    let form = form(request).ok_or_else(|| missing("Action"))?;
    let action = form.text("Action").unwrap_or_default().to_owned();
    let caller = judge(account, "rds", request)?;
    let resource = resource(account, &form);
    authorize(account, &caller, &format!("rds:{action}"), (&resource, &[]))?;
    let result = match action.as_str() {
        "DescribeDBInstances" => instances(account, &form)?,
        "DescribeDBClusters" => clusters(&form)?,
        "DescribeDBProxies" => return Err(not_found("DBProxyNotFoundFault", "no proxy")),
        "DescribeDBEngineVersions" => engine_versions(&form),
        "DescribeDBParameters" => parameters(account),
        "ModifyDBInstance" => modify(account, &form)?,
        _ => {
            return Err(ApiError {
                status: StatusCode::BAD_REQUEST,
                code: "InvalidAction",
                message: format!("{action} is not known here"),
            });
        }
    };
    Ok(success(&action, &result))
}

/// What a request is about, as policies name it; `*` where it is about none in particular.
fn resource(account: &Account, form: &Query) -> String {
    let about = [
        ("DBInstanceIdentifier", "db"),
        ("DBClusterIdentifier", "cluster"),
    ];
    let found = about
        .iter()
        .find_map(|(name, kind)| Some((kind, form.text(name)?)));
    found.map_or_else(
        || "*".to_owned(),
        |(kind, name)| {
            format!(
                "arn:aws:rds:{}:{}:{kind}:{name}",
                account.region, account.id
            )
        },
    )
}

fn instances(account: &Account, form: &Query) -> Result<String, ApiError> {
    let facts = account.instance.facts();
    let wanted = form.text("DBInstanceIdentifier");
    let mut found = Vec::new();
    if wanted.is_none_or(|wanted| wanted == facts.identifier) {
        found.push(instance(
            account,
            &facts,
            &facts.identifier,
            &account.resource_id,
        ));
    }
    for (replica, number) in facts.replicas.iter().zip(1..) {
        if wanted.is_none_or(|wanted| wanted == replica) {
            let id = format!("db-REPLICA{number:0>19}");
            found.push(instance(account, &facts, replica, &id));
        }
    }
    if found.is_empty() {
        let wanted = wanted.unwrap_or_default();
        return Err(not_found(
            "DBInstanceNotFound",
            &format!("DBInstance {wanted} not found."),
        ));
    }
    Ok(format!("<DBInstances>{}</DBInstances>", found.concat()))
}

fn instance(account: &Account, facts: &Facts, identifier: &str, resource_id: &str) -> String {
    let pending = facts.pending().map_or_else(String::new, |pending| {
        element("IAMDatabaseAuthenticationEnabled", &pending.to_string())
    });
    let list = |name: &str, item: &str, texts: &[String]| {
        let items: Vec<String> = texts.iter().map(|text| element(item, text)).collect();
        format!("<{name}>{}</{name}>", items.concat())
    };
    let replicas: &[String] = if identifier == facts.identifier {
        &facts.replicas
    } else {
        &[]
    };
    let domains = if facts.kerberos {
        "<DomainMembership><Domain>d-1234567890</Domain><Status>joined</Status></DomainMembership>"
    } else {
        ""
    };
    let arn = format!(
        "arn:aws:rds:{}:{}:db:{identifier}",
        account.region, account.id
    );
    let parts = [
        element("DBInstanceIdentifier", identifier),
        element("DbiResourceId", resource_id),
        element("DBInstanceArn", &arn),
        element("DBInstanceClass", &facts.class),
        element("DBInstanceStatus", facts.status()),
        element("Engine", "postgres"),
        element("EngineVersion", &facts.engine_version),
        element("MasterUsername", "postgres"),
        element("MasterUserAuthenticationType", &facts.master_authentication),
        element(
            "IAMDatabaseAuthenticationEnabled",
            &facts.enabled().to_string(),
        ),
        format!("<PendingModifiedValues>{pending}</PendingModifiedValues>"),
        element("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        list(
            "ReadReplicaDBInstanceIdentifiers",
            "ReadReplicaDBInstanceIdentifier",
            replicas,
        ),
        list("EnabledCloudwatchLogsExports", "member", &facts.log_exports),
        subnets(account, facts),
        format!("<DomainMemberships>{domains}</DomainMemberships>"),
        format!(
            "<DBParameterGroups><DBParameterGroup>{}{}</DBParameterGroup></DBParameterGroups>",
            element("DBParameterGroupName", PARAMETER_GROUP),
            element("ParameterApplyStatus", "in-sync")
        ),
    ];
    format!("<DBInstance>{}</DBInstance>", parts.concat())
}

fn subnets(account: &Account, facts: &Facts) -> String {
    let arn = format!(
        "arn:aws:outposts:{}:{}:outpost/op-0123456789abcdef0",
        account.region, account.id
    );
    let outpost = match facts.outpost {
        true => element("Arn", &arn),
        false => String::new(),
    };
    format!(
        "<DBSubnetGroup><Subnets><Subnet><SubnetOutpost>{outpost}</SubnetOutpost></Subnet></Subnets></DBSubnetGroup>"
    )
}

/// The lab plays an instance; asking for a cluster by name is an error, for all of them an empty list.
fn clusters(form: &Query) -> Result<String, ApiError> {
    match form.text("DBClusterIdentifier") {
        None => Ok("<DBClusters></DBClusters>".to_owned()),
        Some(name) => Err(not_found(
            "DBClusterNotFoundFault",
            &format!("DBCluster {name} not found."),
        )),
    }
}

fn engine_versions(form: &Query) -> String {
    let version = form.text("EngineVersion").unwrap_or("15.5");
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    let one = match major {
        Some(13..) => format!(
            "<DBEngineVersion>{}{}{}</DBEngineVersion>",
            element("Engine", form.text("Engine").unwrap_or("postgres")),
            element("EngineVersion", version),
            element(
                "Status",
                if major == Some(13) {
                    "deprecated"
                } else {
                    "available"
                }
            )
        ),
        _ => String::new(),
    };
    format!("<DBEngineVersions>{one}</DBEngineVersions>")
}

fn parameters(account: &Account) -> String {
    let replication = account.instance.facts().replication_by_iam;
    let one = |name: &str, value: &str| {
        format!(
            "<Parameter>{}{}</Parameter>",
            element("ParameterName", name),
            element("ParameterValue", value)
        )
    };
    let all = [
        one("rds.force_ssl", "1"),
        one(
            "rds.iam_auth_for_replication",
            if replication { "1" } else { "0" },
        ),
    ];
    format!("<Parameters>{}</Parameters>", all.concat())
}

fn modify(account: &Account, form: &Query) -> Result<String, ApiError> {
    let facts = account.instance.facts();
    let wanted = form.text("DBInstanceIdentifier").unwrap_or_default();
    if wanted != facts.identifier {
        return Err(not_found(
            "DBInstanceNotFound",
            &format!("DBInstance {wanted} not found."),
        ));
    }
    if facts.status() != "available" {
        return Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidDBInstanceState",
            message: format!(
                "Instance {wanted} cannot be modified while it is {}",
                facts.status()
            ),
        });
    }
    let at_once = form.text("ApplyImmediately") == Some("true");
    match form.text("EnableIAMDatabaseAuthentication") {
        Some("true") => account.instance.change(|facts| facts.modify(true, at_once)),
        Some("false") => account
            .instance
            .change(|facts| facts.modify(false, at_once)),
        _ => {}
    }
    let facts = account.instance.facts();
    Ok(instance(
        account,
        &facts,
        &facts.identifier,
        &account.resource_id,
    ))
}

fn not_found(code: &'static str, message: &str) -> ApiError {
    ApiError {
        status: StatusCode::NOT_FOUND,
        code,
        message: message.to_owned(),
    }
}

const PARAMETER_GROUP: &str = "sal-sandbox-params";

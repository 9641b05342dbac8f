//! RDS's API: instances, their engine version and parameters, and switching IAM authentication; clusters, proxies and
//! blue/green deployments have files of their own.

mod clusters;
mod deployments;
mod proxies;

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
        "DescribeDBClusters" => clusters::describe(account, &form)?,
        "DescribeDBClusterEndpoints" => clusters::endpoints(account, &form)?,
        "DescribeGlobalClusters" => clusters::global(account),
        "DescribeDBProxies" => proxies::describe(account, &form)?,
        "DescribeDBProxyEndpoints" => proxies::endpoints(account, &form)?,
        "DescribeDBProxyTargets" => proxies::targets(account, &form)?,
        "DescribeBlueGreenDeployments" => deployments::describe(account),
        "DescribeDBEngineVersions" => engine_versions(&form),
        "DescribeDBParameters" => parameters(account),
        "ModifyDBInstance" => {
            modify(account, &form, "DBInstanceIdentifier")?;
            let site = &account.site;
            instance(
                account,
                &account.instance.facts(),
                &site.identifier,
                &site.resource_id,
            )
        }
        "ModifyDBCluster" => {
            modify(account, &form, "DBClusterIdentifier")?;
            clusters::one(account)
        }
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
    let found: Vec<String> = identifiers(account, &facts)
        .iter()
        .filter(|(identifier, _)| wanted.is_none_or(|wanted| wanted == identifier))
        .map(|(identifier, id)| instance(account, &facts, identifier, id))
        .collect();
    if found.is_empty() {
        let wanted = wanted.unwrap_or_default();
        return Err(not_found(
            "DBInstanceNotFound",
            &format!("DBInstance {wanted} not found."),
        ));
    }
    Ok(format!("<DBInstances>{}</DBInstances>", found.concat()))
}

/// Every instance with its resource id.
fn identifiers(account: &Account, facts: &Facts) -> Vec<(String, String)> {
    let site = &account.site;
    let members = (0..site.members())
        .map(|number| (site.member(number), format!("db-MEMBER{:0>20}", number + 1)));
    let replicas = facts.replicas.iter().zip(1..);
    let replicas =
        replicas.map(|(name, number)| (name.clone(), format!("db-REPLICA{number:0>19}")));
    let green = (facts.blue_green.is_some() && !site.shape.is_cluster())
        .then(|| (deployments::green(account), deployments::green_id(account)));
    let own =
        (!site.shape.is_cluster()).then(|| (site.identifier.clone(), site.resource_id.clone()));
    own.into_iter()
        .chain(members)
        .chain(replicas)
        .chain(green)
        .collect()
}

/// The ARN of an instance.
fn arn(account: &Account, identifier: &str) -> String {
    format!(
        "arn:aws:rds:{}:{}:db:{identifier}",
        account.region, account.id
    )
}

/// The logs that go to CloudWatch.
fn exports(facts: &Facts) -> String {
    let logs = facts.log_exports.iter();
    let items: Vec<String> = logs.map(|log| element("member", log)).collect();
    format!(
        "<EnabledCloudwatchLogsExports>{}</EnabledCloudwatchLogsExports>",
        items.concat()
    )
}

fn instance(account: &Account, facts: &Facts, identifier: &str, resource_id: &str) -> String {
    let pending = facts.pending().map_or_else(String::new, |pending| {
        element("IAMDatabaseAuthenticationEnabled", &pending.to_string())
    });
    let domains = if facts.kerberos {
        "<DomainMembership><Domain>d-1234567890</Domain><Status>joined</Status></DomainMembership>"
    } else {
        ""
    };
    let site = &account.site;
    let cluster = match site.shape.is_cluster() {
        true => element("DBClusterIdentifier", &site.identifier),
        false => String::new(),
    };
    let parts = [
        element("DBInstanceIdentifier", identifier),
        element("DbiResourceId", resource_id),
        element("DBInstanceArn", &arn(account, identifier)),
        cluster,
        format!(
            "<Endpoint>{}</Endpoint>",
            element("Address", &site.own(identifier))
        ),
        element("DBInstanceClass", &facts.class),
        element("DBInstanceStatus", facts.status()),
        element("Engine", clusters::engine(site.shape)),
        element("EngineVersion", &facts.engine_version),
        element("MasterUsername", "postgres"),
        element("MasterUserAuthenticationType", &facts.master_authentication),
        element(
            "IAMDatabaseAuthenticationEnabled",
            &facts.enabled().to_string(),
        ),
        format!("<PendingModifiedValues>{pending}</PendingModifiedValues>"),
        element("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        replicas(facts, identifier),
        exports(facts),
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

/// What follows it, or what it follows.
fn replicas(facts: &Facts, identifier: &str) -> String {
    if facts.replicas.iter().any(|replica| replica == identifier) {
        return element("ReadReplicaSourceDBInstanceIdentifier", &facts.identifier);
    }
    let own = facts.replicas.iter();
    let items: Vec<String> = own
        .filter(|_| identifier == facts.identifier)
        .map(|replica| element("ReadReplicaDBInstanceIdentifier", replica))
        .collect();
    format!(
        "<ReadReplicaDBInstanceIdentifiers>{}</ReadReplicaDBInstanceIdentifiers>",
        items.concat()
    )
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

fn engine_versions(form: &Query) -> String {
    let version = form.text("EngineVersion").unwrap_or("15.5");
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    let one = match major {
        Some(13..) => format!(
            "<DBEngineVersion>{}{}{}<ExportableLogTypes><member>postgresql</member><member>iam-db-auth-error</member></ExportableLogTypes></DBEngineVersion>",
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

/// Switches the flag of whatever has it: the instance, or the cluster.
fn modify(account: &Account, form: &Query, name: &'static str) -> Result<(), ApiError> {
    let facts = account.instance.facts();
    let wanted = form.text(name).unwrap_or_default();
    let (code, kind, is_cluster) = match name {
        "DBClusterIdentifier" => ("DBClusterNotFoundFault", "DBCluster", true),
        _ => ("DBInstanceNotFound", "DBInstance", false),
    };
    let site = &account.site;
    if wanted != site.identifier || is_cluster != site.shape.is_cluster() {
        return Err(not_found(code, &format!("{kind} {wanted} not found.")));
    }
    if facts.status() != "available" {
        return Err(ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "InvalidDBInstanceState",
            message: format!(
                "{kind} {wanted} cannot be modified while it is {}",
                facts.status()
            ),
        });
    }
    let at_once = form.text("ApplyImmediately") == Some("true");
    let logs = |list: &str| {
        let name = format!("CloudwatchLogsExportConfiguration.{list}.member.1");
        form.text(&name).map(str::to_owned)
    };
    let (more, less) = (logs("EnableLogTypes"), logs("DisableLogTypes"));
    account.instance.change(|facts| {
        facts.log_exports.retain(|log| Some(log) != less.as_ref());
        facts.log_exports.extend(more);
    });
    let enabled = match form.text("EnableIAMDatabaseAuthentication") {
        Some("true") => true,
        Some("false") => false,
        _ => return Ok(()),
    };
    account
        .instance
        .change(|facts| facts.modify(enabled, at_once));
    Ok(())
}

fn not_found(code: &'static str, message: &str) -> ApiError {
    ApiError {
        status: StatusCode::NOT_FOUND,
        code,
        message: message.to_owned(),
    }
}

const PARAMETER_GROUP: &str = "sal-sandbox-params";

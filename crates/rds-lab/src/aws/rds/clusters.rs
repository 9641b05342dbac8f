//! Clusters as RDS describes them, and their endpoints.

use super::super::Account;
use super::super::xml::{ApiError, element};
use super::not_found;
use crate::instance::Facts;
use crate::shape::{CUSTOM, CUSTOM_MEMBER, GLOBAL, Shape};
use crate::verify::query::Query;

/// `DescribeDBClusters`: of an instance there are none.
pub(super) fn describe(account: &Account, form: &Query) -> Result<String, ApiError> {
    let site = &account.site;
    let wanted = form.text("DBClusterIdentifier");
    let green = super::deployments::green(account);
    if wanted == Some(green.as_str()) && account.instance.facts().blue_green.is_some() {
        let parts = [
            element("DBClusterIdentifier", &green),
            element(
                "DbClusterResourceId",
                &super::deployments::green_id(account),
            ),
            element("DBClusterArn", &format!("{}-green-ab12cd", arn(account))),
            element("Status", "available"),
            element("Engine", engine(site.shape)),
        ];
        return Ok(format!(
            "<DBClusters><DBCluster>{}</DBCluster></DBClusters>",
            parts.concat()
        ));
    }
    let is_ours = wanted.is_none_or(|wanted| wanted == site.identifier || wanted == arn(account));
    match (site.shape.is_cluster() && is_ours, wanted) {
        (true, _) => Ok(format!("<DBClusters>{}</DBClusters>", one(account))),
        (false, None) => Ok("<DBClusters></DBClusters>".to_owned()),
        (false, Some(name)) => Err(missing(name)),
    }
}

/// `DescribeDBClusterEndpoints`, which Aurora only has.
pub(super) fn endpoints(account: &Account, form: &Query) -> Result<String, ApiError> {
    let site = &account.site;
    let wanted = form.text("DBClusterIdentifier");
    if site.shape != Shape::Aurora || wanted.is_some_and(|wanted| wanted != site.identifier) {
        return match wanted {
            Some(name) => Err(missing(name)),
            None => Ok("<DBClusterEndpoints></DBClusterEndpoints>".to_owned()),
        };
    }
    let endpoint = |kind: &str, name: &str, more: String| {
        format!(
            "<DBClusterEndpointList>{}{}{}{}{more}</DBClusterEndpointList>",
            element("DBClusterIdentifier", &site.identifier),
            element("Endpoint", name),
            element("EndpointType", kind),
            element("Status", "available"),
        )
    };
    let custom = [
        element("DBClusterEndpointIdentifier", CUSTOM),
        element("CustomEndpointType", "ANY"),
        format!(
            "<StaticMembers>{}</StaticMembers>",
            element("member", &site.member(CUSTOM_MEMBER))
        ),
    ];
    let all = [
        endpoint("WRITER", &site.cluster(), String::new()),
        endpoint("READER", &site.reader(), String::new()),
        endpoint("CUSTOM", &site.custom(), custom.concat()),
    ];
    Ok(format!(
        "<DBClusterEndpoints>{}</DBClusterEndpoints>",
        all.concat()
    ))
}

/// `DescribeGlobalClusters`: the cluster writes, another one in another region reads.
pub(super) fn global(account: &Account) -> String {
    let site = &account.site;
    if site.shape != Shape::Aurora {
        return "<GlobalClusters></GlobalClusters>".to_owned();
    }
    let member = |arn: &str, writes: bool| {
        format!(
            "<GlobalClusterMember>{}{}</GlobalClusterMember>",
            element("DBClusterArn", arn),
            element("IsWriter", &writes.to_string())
        )
    };
    let reader = format!(
        "arn:aws:rds:eu-central-1:{}:cluster:{}-secondary",
        account.id, site.identifier
    );
    let members = member(&reader, false) + &member(&arn(account), true);
    let parts = [
        element("GlobalClusterIdentifier", GLOBAL),
        element("Status", "available"),
        element("Engine", "aurora-postgresql"),
        element("Endpoint", &site.global()),
        format!("<GlobalClusterMembers>{members}</GlobalClusterMembers>"),
    ];
    format!(
        "<GlobalClusters><GlobalClusterMember>{}</GlobalClusterMember></GlobalClusters>",
        parts.concat()
    )
}

/// The cluster, whose flag counts and not its instances'.
pub(super) fn one(account: &Account) -> String {
    let (site, facts) = (&account.site, account.instance.facts());
    let aurora = site.shape == Shape::Aurora;
    let custom = match aurora {
        true => element("member", &site.custom()),
        false => String::new(),
    };
    let members: Vec<String> = (0..site.members())
        .map(|number| {
            format!(
                "<DBClusterMember>{}{}</DBClusterMember>",
                element("DBInstanceIdentifier", &site.member(number)),
                element("IsClusterWriter", &(number == site.writer()).to_string())
            )
        })
        .collect();
    let parts = [
        element("DBClusterIdentifier", &site.identifier),
        element("DbClusterResourceId", &site.resource_id),
        element("DBClusterArn", &arn(account)),
        element("Status", facts.status()),
        element("Engine", engine(site.shape)),
        element("EngineVersion", &facts.engine_version),
        element("Endpoint", &site.cluster()),
        element("ReaderEndpoint", &site.reader()),
        format!("<CustomEndpoints>{custom}</CustomEndpoints>"),
        element("MasterUsername", "postgres"),
        element("MultiAZ", "true"),
        format!("<DBClusterMembers>{}</DBClusterMembers>", members.concat()),
        element("DBClusterParameterGroup", super::PARAMETER_GROUP),
        flag(&facts),
        serverless(&facts),
        super::exports(&facts),
    ];
    format!("<DBCluster>{}</DBCluster>", parts.concat())
}

fn flag(facts: &Facts) -> String {
    let pending = facts.pending().map_or_else(String::new, |pending| {
        element("IAMDatabaseAuthenticationEnabled", &pending.to_string())
    });
    format!(
        "{}<PendingModifiedValues>{pending}</PendingModifiedValues>",
        element(
            "IAMDatabaseAuthenticationEnabled",
            &facts.enabled().to_string()
        )
    )
}

fn serverless(facts: &Facts) -> String {
    facts.serverless.as_ref().map_or_else(String::new, |least| {
        format!(
            "<ServerlessV2ScalingConfiguration>{}{}</ServerlessV2ScalingConfiguration>",
            element("MinCapacity", least),
            element("MaxCapacity", "16")
        )
    })
}

pub(super) fn engine(shape: Shape) -> &'static str {
    match shape {
        Shape::Aurora => "aurora-postgresql",
        _ => "postgres",
    }
}

pub(super) fn arn(account: &Account) -> String {
    format!(
        "arn:aws:rds:{}:{}:cluster:{}",
        account.region, account.id, account.site.identifier
    )
}

fn missing(name: &str) -> ApiError {
    not_found(
        "DBClusterNotFoundFault",
        &format!("DBCluster {name} not found."),
    )
}

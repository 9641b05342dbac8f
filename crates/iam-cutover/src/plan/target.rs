//! Endpoints that a move must not be made at, each with why, and the name to use instead.
//!
//! By the name alone where nobody asked AWS, and by what AWS said where somebody did. Pure.

use rds_iam::{
    RdsEndpoint,
    endpoint::{Deployment, EndpointKind},
};

use crate::{
    aws::{AwsFacts, DatabaseTarget, ProxyMode},
    plan::Finding,
};

/// Whether AWS knows more of this name that decides over a move than the name says.
#[must_use]
pub fn is_worth_asking(endpoint: &RdsEndpoint) -> bool {
    !matches!(
        endpoint.kind,
        EndpointKind::Instance | EndpointKind::Cluster | EndpointKind::Dsql
    )
}

/// Why no move can be made at an endpoint; empty when it can.
#[must_use]
pub fn refusals(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Vec<Finding> {
    let found = match endpoint.kind {
        EndpointKind::Proxy | EndpointKind::ProxyEndpoint => Some(proxy(endpoint, facts)),
        EndpointKind::Reader => Some(reader(endpoint, endpoint.writer())),
        EndpointKind::Custom => custom(endpoint, facts),
        EndpointKind::GlobalWriter => global(endpoint, facts),
        EndpointKind::Dsql => Some(dsql(endpoint)),
        EndpointKind::Instance => instance(endpoint, facts),
        EndpointKind::Cluster | EndpointKind::ShardGroup => None,
    };
    let green = facts.and_then(|facts| green(endpoint, facts));
    found.into_iter().chain(green).collect()
}

/// What should be known of an endpoint before a move is made at it.
#[must_use]
pub fn warnings(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Vec<Finding> {
    let by_name = side_by_name(endpoint, facts);
    let of_aws = facts.into_iter().flat_map(|facts| {
        [
            member(endpoint, facts),
            before_the_switch(facts),
            proxies(facts),
        ]
    });
    by_name.into_iter().chain(of_aws.flatten()).collect()
}

fn proxy(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Finding {
    let mode = facts.and_then(AwsFacts::proxy_mode);
    let target = facts.and_then(|facts| facts.target.known()?.as_ref());
    let behind = facts.and_then(|facts| facts.behind.known()?.as_ref());
    let name = target.map_or(endpoint.identifier(), |target| &target.identifier);
    let words = mode.map_or_else(String::new, |mode| format!(" {}", mode.words()));
    let why = match mode {
        Some(ProxyMode::Standard) => {
            "it logs in to the database with a secret, so that the database user must not be in rds_iam"
        }
        Some(ProxyMode::EndToEnd) => {
            "it logs in to the database as its own role, so that a login through it proves nothing of the deployment's"
        }
        None => {
            "it logs in to the database by itself, in its standard mode with a secret of a user who must not be in rds_iam"
        }
    };
    let instead = behind.and_then(|behind| behind.endpoint.as_ref()).map_or_else(
        || {
            format!(
                "name the database's own endpoint in DB_HOST; `aws rds describe-db-proxy-targets --db-proxy-name {name}` says which database it is"
            )
        },
        |own| format!("name the database's own endpoint: DB_HOST={own}"),
    );
    let then = match mode {
        Some(ProxyMode::Standard) => {
            ". Or leave the database as it is: let the proxy require IAM for the present user's secret (IAMAuth), allow rds-db:connect on the proxy's prx-… as that user (`sal iam policy` writes it), and set AWS_IAM=true with the same DB_USER"
        }
        Some(ProxyMode::EndToEnd) => {
            ". After the move DB_HOST may be the proxy again, once its own role may rds-db:connect as the new user"
        }
        None => "",
    };
    Finding::new(
        "proxy_endpoint",
        format!(
            "`{endpoint}` is RDS Proxy `{name}`{words}: {why}, and nothing is moved through it."
        ),
        format!("{instead}{then}."),
    )
}

fn reader(endpoint: &RdsEndpoint, writer: Option<String>) -> Finding {
    let next = writer.map_or_else(
        || "name the endpoint of the cluster's writer in DB_HOST.".to_owned(),
        |writer| format!("name the writer: DB_HOST={writer}."),
    );
    let what = format!("`{endpoint}`: this is a reader, and its sessions cannot write.");
    Finding::new("reader_endpoint", what, next)
}

fn custom(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Option<Finding> {
    let facts = facts?;
    let kind = facts.custom_endpoint.known()?.as_deref()?;
    let cluster = facts.target.known()?.as_ref()?;
    (kind == "READER").then(|| reader(endpoint, cluster.endpoint.clone()))
}

/// An instance that follows another one, or one of a cluster that does not write now.
fn instance(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Option<Finding> {
    let facts = facts?;
    let target = facts.target.known()?.as_ref()?;
    if let Some(source) = &target.replica_of {
        let what = format!(
            "`{endpoint}`: this is a reader, the replica of `{source}`, and its sessions cannot write."
        );
        let next = format!("name the endpoint of `{source}` in DB_HOST.");
        return Some(Finding::new("reader_endpoint", what, next));
    }
    let cluster = facts.cluster.known()?.as_ref()?;
    let writer = cluster.writer.as_ref()?;
    (*writer != target.identifier).then(|| reader(endpoint, cluster.endpoint.clone()))
}

/// Tokens are signed for a region, and this name says none.
fn global(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Option<Finding> {
    let facts = facts?;
    let (region, asked) = (facts.region()?, facts.asked_region.as_deref()?);
    (region != asked).then(|| {
        Finding::new(
            "global_region",
            format!(
                "`{endpoint}` leads to a writer in {region} now, and tokens would be signed for {asked}."
            ),
            format!("set AWS_RDS_REGION={region}."),
        )
    })
}

fn dsql(endpoint: &RdsEndpoint) -> Finding {
    Finding::new(
        "dsql_endpoint",
        format!(
            "`{endpoint}` is Aurora DSQL, which has no passwords and no role rds_iam: everybody logs in with IAM already, and Sal's tables need what it does not have."
        ),
        "name an RDS or Aurora Postgres endpoint; `sal iam token` signs tokens for DSQL.",
    )
}

/// The side that is prepared is no place to move: what differs from the blue side may end the replication.
fn green(endpoint: &RdsEndpoint, facts: &AwsFacts) -> Option<Finding> {
    let deployment = facts.blue_green.known()?.as_ref()?;
    if !deployment.asked_of_green {
        return None;
    }
    let next = endpoint.in_production().map_or_else(
        || "name the endpoint of the database in production.".to_owned(),
        |name| format!("name the database in production: DB_HOST={name}."),
    );
    Some(Finding::new(
        "green_endpoint",
        format!(
            "`{endpoint}` is the green side of the blue/green deployment `{}` ({}), which is not in production yet.",
            deployment.name, deployment.status
        ),
        next,
    ))
}

/// Without AWS the name says only what a side is usually called.
fn side_by_name(endpoint: &RdsEndpoint, facts: Option<&AwsFacts>) -> Option<Finding> {
    let asked = facts.is_some_and(|facts| facts.blue_green.known().is_some());
    let production = endpoint.in_production()?;
    let what = match endpoint.deployment {
        Deployment::Green if !asked => "the side of a blue/green deployment that is prepared",
        Deployment::Old => "the side that a blue/green deployment has replaced",
        Deployment::Green | Deployment::Plain => return None,
    };
    Some(Finding::new(
        "blue_green_name",
        format!("`{endpoint}` is called like {what}."),
        format!("if it is that, name the database in production: DB_HOST={production}."),
    ))
}

fn member(endpoint: &RdsEndpoint, facts: &AwsFacts) -> Option<Finding> {
    let cluster = facts.cluster.known()?.as_ref()?;
    let own = cluster.endpoint.as_ref()?;
    Some(Finding::new(
        "instance_of_a_cluster",
        format!(
            "`{endpoint}` is one instance of the cluster `{}`: after a failover it is a reader.",
            cluster.identifier
        ),
        format!(
            "let the deployment use the cluster's endpoint, DB_HOST={own}; the policy is the same."
        ),
    ))
}

/// Roles are not replicated to a green side that follows by logical replication.
fn before_the_switch(facts: &AwsFacts) -> Option<Finding> {
    let deployment = facts.blue_green.known()?.as_ref()?;
    if deployment.asked_of_green {
        return None;
    }
    let ids: Vec<&str> = deployment
        .green
        .iter()
        .filter_map(|green| green.resource_id.as_deref())
        .collect();
    let ids = match ids.as_slice() {
        [] => "which are not there yet".to_owned(),
        ids => ids.join(", "),
    };
    Some(Finding::new(
        "blue_green",
        format!(
            "The blue/green deployment `{}` ({}) is to take this database's place, with resource ids of its own ({ids}); roles that are made now may not reach it.",
            deployment.name, deployment.status
        ),
        "best finish or delete that deployment first. Else: the policy names both sides (`sal iam policy`), and after the switch `sal iam doctor` and `sal iam apply` once more, before the password is switched off.",
    ))
}

fn proxies(facts: &AwsFacts) -> Option<Finding> {
    let standard: Vec<&str> = facts
        .proxies
        .known()?
        .iter()
        .filter(|proxy| is_standard(proxy))
        .map(|proxy| proxy.identifier.as_str())
        .collect();
    (!standard.is_empty()).then(|| {
        Finding::new(
            "standard_proxy",
            format!(
                "RDS Proxy {} stands before this database in its standard mode, and cannot log in as the new user, who is in rds_iam.",
                standard.join(", ")
            ),
            "let the deployment use the database's own endpoint, or switch the proxy to end-to-end IAM (aws rds modify-db-proxy --default-auth-scheme IAM_AUTH).",
        )
    })
}

fn is_standard(proxy: &DatabaseTarget) -> bool {
    let mode = proxy.proxy.as_ref().map(|facts| facts.mode);
    mode == Some(ProxyMode::Standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(host: &str) -> Vec<&'static str> {
        let endpoint = RdsEndpoint::parse(host).unwrap();
        let found = refusals(&endpoint, None);
        found.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn names_alone_stop_a_move_at_proxies_readers_and_dsql() {
        let domain = "abc123.us-west-2.rds.amazonaws.com";
        for (host, expected) in [
            (format!("sal.{domain}"), None),
            (format!("sal.cluster-{domain}"), None),
            (format!("any.cluster-custom-{domain}"), None),
            (format!("sal-old1.{domain}"), None),
            (format!("sal.cluster-ro-{domain}"), Some("reader_endpoint")),
            (format!("sal.proxy-{domain}"), Some("proxy_endpoint")),
            (format!("x.endpoint.proxy-{domain}"), Some("proxy_endpoint")),
            (
                "sal.proxy-abc.rds.cn-north-1.amazonaws.com.cn".to_owned(),
                Some("proxy_endpoint"),
            ),
            (
                "abcdefghijklmnopqrst.dsql.us-east-1.on.aws".to_owned(),
                Some("dsql_endpoint"),
            ),
        ] {
            assert_eq!(codes(&host), Vec::from_iter(expected), "{host}");
        }
    }

    #[test]
    fn a_reader_names_its_writer() {
        let name = "sal.cluster-ro-abc.us-west-2.rds.amazonaws.com";
        let found = refusals(&RdsEndpoint::parse(name).unwrap(), None);
        assert!(found[0].what.contains("this is a reader"), "{found:?}");
        let writer = "DB_HOST=sal.cluster-abc.us-west-2.rds.amazonaws.com";
        assert!(found[0].next.contains(writer), "{found:?}");
    }

    #[test]
    fn what_is_only_called_like_a_side_is_a_warning() {
        for (host, count) in [
            ("sal-old1.abc.us-west-2.rds.amazonaws.com", 1),
            ("sal-green-ab12cd.abc.us-west-2.rds.amazonaws.com", 1),
            ("sal-greenish.abc.us-west-2.rds.amazonaws.com", 0),
        ] {
            let endpoint = RdsEndpoint::parse(host).unwrap();
            assert_eq!(warnings(&endpoint, None).len(), count, "{host}");
            assert!(refusals(&endpoint, None).is_empty(), "{host}");
        }
    }
}

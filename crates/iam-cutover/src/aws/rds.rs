//! RDS: the instance, cluster or proxy behind an endpoint, and what it says about IAM.

use rds_iam::{RdsEndpoint, endpoint::EndpointKind};
use serde::Serialize;

use super::{
    client::{AwsApi, AwsError, Service},
    proxy::{self, ProxyFacts},
    xml::Element,
};

/// What an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A DB instance, `db-…`.
    Instance,
    /// An Aurora or Multi-AZ cluster, `cluster-…`.
    Cluster,
    /// An RDS Proxy, `prx-…`.
    Proxy,
}

/// A database as RDS describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseTarget {
    /// What it is.
    pub kind: TargetKind,
    /// Its identifier, which is not its resource id.
    pub identifier: String,
    /// What policies name: `db-…`, `cluster-…` or `prx-…`.
    pub resource_id: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
    /// Such as `postgres` or `aurora-postgresql`.
    pub engine: String,
    /// Such as `15.5`.
    pub engine_version: String,
    /// Such as `available`.
    pub status: String,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam_enabled: Option<bool>,
    /// The same in `PendingModifiedValues`: it waits for the maintenance window.
    pub iam_pending: Option<bool>,
    /// Its own name: of an instance, of a cluster's writer, of a proxy.
    pub endpoint: Option<String>,
    /// The instance of a cluster that writes now.
    pub writer: Option<String>,
    /// What it is a read replica of.
    pub replica_of: Option<String>,
    /// What a proxy does with logins.
    pub proxy: Option<ProxyFacts>,
    /// The least memory of Aurora Serverless v2, which is scaled in units of 2 GiB.
    pub least_memory_mib: Option<u64>,
    /// Such as `db.t4g.micro`; none for a cluster.
    pub instance_class: Option<String>,
    /// The cluster that an instance belongs to; then the cluster's flag counts.
    pub cluster: Option<String>,
    /// The master user.
    pub master_username: Option<String>,
    /// `password` or `iam-db-auth`.
    pub master_authentication: Option<String>,
    /// Identifiers of read replicas; each has a resource id of its own.
    pub replicas: Vec<String>,
    /// Whether a Kerberos domain is joined.
    pub kerberos: bool,
    /// Whether it stands on an AWS Outpost.
    pub outpost: bool,
    /// The authority of its certificate, such as `rds-ca-rsa2048-g1`.
    pub ca: Option<String>,
    /// Logs exported to CloudWatch.
    pub log_exports: Vec<String>,
    /// The name of its parameter group.
    pub parameter_group: Option<String>,
}

/// An engine version that RDS knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineVersion {
    /// Such as `15.5`.
    pub version: String,
    /// `available` or `deprecated`.
    pub status: String,
    /// Logs that it can export to CloudWatch.
    pub exportable_logs: Vec<String>,
}

impl AwsApi {
    /// Finds what an endpoint belongs to; `None` when nothing in this account and region has it.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn target(&self, endpoint: &RdsEndpoint) -> Result<Option<DatabaseTarget>, AwsError> {
        let identifier = endpoint.identifier();
        match endpoint.kind {
            EndpointKind::Proxy => self.describe(TargetKind::Proxy, identifier).await,
            EndpointKind::ProxyEndpoint => self.proxy_of_endpoint(identifier).await,
            EndpointKind::Instance => self.describe(TargetKind::Instance, identifier).await,
            EndpointKind::Cluster | EndpointKind::Reader => {
                self.describe(TargetKind::Cluster, identifier).await
            }
            // These do not have the cluster's name, but may have another cluster's.
            EndpointKind::Custom | EndpointKind::ShardGroup => {
                self.cluster_of(&endpoint.name).await
            }
            EndpointKind::GlobalWriter => match self.global_writer(&endpoint.name).await? {
                Some((region, cluster)) => {
                    let there = self.in_region(&region);
                    there.describe(TargetKind::Cluster, &cluster).await
                }
                None => Ok(None),
            },
            EndpointKind::Dsql => Ok(None),
        }
    }

    /// Describes an instance, a cluster or a proxy.
    ///
    /// # Errors
    /// [`AwsError`]; that there is none is no error.
    pub async fn describe(
        &self,
        kind: TargetKind,
        identifier: &str,
    ) -> Result<Option<DatabaseTarget>, AwsError> {
        let (action, name, item) = match kind {
            TargetKind::Instance => ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstance"),
            TargetKind::Cluster => ("DescribeDBClusters", "DBClusterIdentifier", "DBCluster"),
            TargetKind::Proxy => ("DescribeDBProxies", "DBProxyName", "member"),
        };
        let parameters = [(name.to_owned(), identifier.to_owned())];
        let tree = match self.query(Service::Rds, action, &parameters).await {
            Err(AwsError::Refused { code, .. }) if code.contains("NotFound") => return Ok(None),
            other => other?,
        };
        Ok(tree.find(item).map(|element| read(kind, element)))
    }

    /// The cluster that has this endpoint among its own.
    async fn cluster_of(&self, name: &str) -> Result<Option<DatabaseTarget>, AwsError> {
        let clusters = self
            .all(Service::Rds, "DescribeDBClusters", "DBClusters")
            .await?;
        let has = |cluster: &&Element| {
            let single = ["Endpoint", "ReaderEndpoint"];
            let own = single
                .iter()
                .filter_map(|part| cluster.text_of(part))
                .any(|found| found == name);
            let custom = cluster
                .child("CustomEndpoints")
                .into_iter()
                .flat_map(Element::items);
            own || custom.map(Element::own_text).any(|found| found == name)
        };
        let found = clusters.iter().find(has);
        Ok(found.map(|cluster| read(TargetKind::Cluster, cluster)))
    }

    /// `rds:DescribeDBEngineVersions` for one version; `None` when RDS does not offer it any more.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn engine_version(
        &self,
        engine: &str,
        version: &str,
    ) -> Result<Option<EngineVersion>, AwsError> {
        let parameters = [
            ("Engine".to_owned(), engine.to_owned()),
            ("EngineVersion".to_owned(), version.to_owned()),
            ("IncludeAll".to_owned(), "true".to_owned()),
        ];
        let tree = self
            .query(Service::Rds, "DescribeDBEngineVersions", &parameters)
            .await?;
        Ok(tree.find("DBEngineVersion").map(|found| EngineVersion {
            version: found.text_of("EngineVersion").unwrap_or_default(),
            status: found
                .text_of("Status")
                .unwrap_or_else(|| "available".to_owned()),
            exportable_logs: found
                .child("ExportableLogTypes")
                .into_iter()
                .flat_map(Element::items)
                .map(|item| item.own_text().to_owned())
                .collect(),
        }))
    }

    /// The value of a parameter in a parameter group; `None` when it is not set.
    ///
    /// # Errors
    /// [`AwsError`].
    pub async fn parameter(&self, group: &str, name: &str) -> Result<Option<String>, AwsError> {
        let mut marker: Option<String> = None;
        for _page in 0..20 {
            let mut parameters = vec![("DBParameterGroupName".to_owned(), group.to_owned())];
            parameters.extend(marker.take().map(|marker| ("Marker".to_owned(), marker)));
            let tree = self
                .query(Service::Rds, "DescribeDBParameters", &parameters)
                .await?;
            let all = tree.find("Parameters").into_iter().flat_map(Element::items);
            let mut found =
                all.filter(|item| item.text_of("ParameterName").as_deref() == Some(name));
            if let Some(item) = found.next() {
                return Ok(item.text_of("ParameterValue"));
            }
            marker = tree
                .find("DescribeDBParametersResult")
                .and_then(|result| result.text_of("Marker"));
            if marker.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Switches IAM authentication on or off, at once.
    pub(crate) async fn set_iam_authentication(
        &self,
        kind: TargetKind,
        identifier: &str,
        enabled: bool,
    ) -> Result<(), AwsError> {
        let change = ("EnableIAMDatabaseAuthentication", enabled.to_string());
        self.modify(kind, identifier, change).await
    }

    /// Exports [`AUTH_LOG`] to CloudWatch, or ends that; other logs are left as they are.
    pub(crate) async fn export_auth_log(
        &self,
        kind: TargetKind,
        identifier: &str,
        enabled: bool,
    ) -> Result<(), AwsError> {
        let list = match enabled {
            true => "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1",
            false => "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1",
        };
        self.modify(kind, identifier, (list, AUTH_LOG.to_owned()))
            .await
    }

    async fn modify(
        &self,
        kind: TargetKind,
        identifier: &str,
        (parameter, value): (&str, String),
    ) -> Result<(), AwsError> {
        let (action, name) = match kind {
            TargetKind::Cluster => ("ModifyDBCluster", "DBClusterIdentifier"),
            _ => ("ModifyDBInstance", "DBInstanceIdentifier"),
        };
        let parameters = [
            (name.to_owned(), identifier.to_owned()),
            (parameter.to_owned(), value),
            ("ApplyImmediately".to_owned(), "true".to_owned()),
        ];
        self.query(Service::Rds, action, &parameters)
            .await
            .map(|_answer| ())
    }
}

/// Where RDS writes why it refused a token (AWS, "IAM database authentication", troubleshooting).
pub const AUTH_LOG: &str = "iam-db-auth-error";

impl DatabaseTarget {
    /// IAM authentication is on, nothing of it is pending, and the instance takes connections.
    #[must_use]
    pub fn iam_is(&self, enabled: bool) -> bool {
        self.iam_enabled == Some(enabled)
            && self.iam_pending.is_none_or(|pending| pending == enabled)
            && self.status == "available"
    }

    /// Whether its class is one that AWS calls burstable and small; `db.serverless` says nothing of its memory.
    #[must_use]
    pub fn is_small(&self) -> bool {
        let class = self.instance_class.as_deref().unwrap_or_default();
        let burstable = class.starts_with("db.t");
        burstable
            && ["nano", "micro", "small"]
                .iter()
                .any(|size| class.ends_with(size))
    }
}

pub(super) fn read(kind: TargetKind, element: &Element) -> DatabaseTarget {
    let text = |name: &str| element.text_of(name);
    let names = names(kind);
    let arn = text(names.2);
    // A proxy's resource id is the end of its ARN.
    let resource_id = match kind {
        TargetKind::Proxy => arn
            .as_deref()
            .and_then(|arn| arn.rsplit(':').next())
            .map(str::to_owned),
        _ => text(names.1),
    };
    let pending = element.child("PendingModifiedValues");
    let list = |name: &str| -> Vec<String> {
        let items = element.child(name).into_iter().flat_map(Element::items);
        items
            .map(|item| item.own_text().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    };
    DatabaseTarget {
        kind,
        identifier: text(names.0).unwrap_or_default(),
        resource_id,
        arn,
        engine: text("Engine")
            .or_else(|| text("EngineFamily"))
            .unwrap_or_default(),
        engine_version: text("EngineVersion").unwrap_or_default(),
        status: text(names.3).unwrap_or_default(),
        iam_enabled: element.flag("IAMDatabaseAuthenticationEnabled"),
        iam_pending: pending.and_then(|pending| pending.flag("IAMDatabaseAuthenticationEnabled")),
        endpoint: match kind {
            TargetKind::Instance => element
                .child("Endpoint")
                .and_then(|endpoint| endpoint.text_of("Address")),
            TargetKind::Cluster | TargetKind::Proxy => text("Endpoint"),
        },
        writer: writer(element),
        replica_of: text("ReadReplicaSourceDBInstanceIdentifier"),
        proxy: (kind == TargetKind::Proxy).then(|| proxy::read(element)),
        least_memory_mib: element
            .child("ServerlessV2ScalingConfiguration")
            .and_then(|scaling| scaling.text_of("MinCapacity"))
            .and_then(|units| mib(&units)),
        instance_class: text("DBInstanceClass"),
        cluster: (kind == TargetKind::Instance)
            .then(|| text("DBClusterIdentifier"))
            .flatten(),
        master_username: text("MasterUsername"),
        master_authentication: text("MasterUserAuthenticationType"),
        replicas: list("ReadReplicaDBInstanceIdentifiers"),
        kerberos: element
            .child("DomainMemberships")
            .is_some_and(|domains| domains.items().next().is_some()),
        outpost: element
            .find("SubnetOutpost")
            .is_some_and(|outpost| outpost.text_of("Arn").is_some()),
        ca: text("CACertificateIdentifier"),
        log_exports: list("EnabledCloudwatchLogsExports"),
        parameter_group: parameter_group(element),
    }
}

fn parameter_group(element: &Element) -> Option<String> {
    let groups = element.child("DBParameterGroups");
    let first = groups.and_then(|groups| groups.items().next());
    let of_instance = first.and_then(|group| group.text_of("DBParameterGroupName"));
    of_instance.or_else(|| element.text_of("DBClusterParameterGroup"))
}

fn writer(cluster: &Element) -> Option<String> {
    let members = cluster.child("DBClusterMembers").into_iter();
    let mut members = members.flat_map(Element::items);
    let writer = members.find(|member| member.flag("IsClusterWriter") == Some(true));
    writer.and_then(|writer| writer.text_of("DBInstanceIdentifier"))
}

/// Aurora capacity units, which come in halves, as memory: one is 2 GiB.
fn mib(units: &str) -> Option<u64> {
    let (whole, fraction) = units.split_once('.').unwrap_or((units, ""));
    let whole: u64 = whole.parse().ok()?;
    let half = u64::from(fraction.starts_with('5'));
    whole.checked_mul(2_048)?.checked_add(half * 1_024)
}

/// What each kind calls its identifier, resource id, ARN and status.
fn names(kind: TargetKind) -> (&'static str, &'static str, &'static str, &'static str) {
    match kind {
        TargetKind::Instance => (
            "DBInstanceIdentifier",
            "DbiResourceId",
            "DBInstanceArn",
            "DBInstanceStatus",
        ),
        TargetKind::Cluster => (
            "DBClusterIdentifier",
            "DbClusterResourceId",
            "DBClusterArn",
            "Status",
        ),
        TargetKind::Proxy => ("DBProxyName", "", "DBProxyArn", "Status"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_units_are_memory() {
        for (units, memory) in [
            ("0", Some(0)),
            ("0.5", Some(1_024)),
            ("1", Some(2_048)),
            ("1.0", Some(2_048)),
            ("2.5", Some(5_120)),
            ("256", Some(524_288)),
            ("many", None),
        ] {
            assert_eq!(mib(units), memory, "{units}");
        }
    }

    #[test]
    fn the_class_of_serverless_is_not_taken_for_a_small_one() {
        let describe = |class: &str| {
            let text =
                format!("<DBInstance><DBInstanceClass>{class}</DBInstanceClass></DBInstance>");
            let tree = Element::parse(&text).unwrap();
            read(TargetKind::Instance, tree.find("DBInstance").unwrap())
        };
        assert!(!describe("db.serverless").is_small());
        assert!(describe("db.t4g.micro").is_small());
        assert!(!describe("db.r7g.large").is_small());
    }
}

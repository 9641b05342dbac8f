//! The grammar of RDS, Aurora and DSQL host names.
//!
//! `RdsEndpoint::parse` turns a host name into a value that says which region must sign for it
//! and what stands behind it. It covers every partition, both Chinese spellings, `rds-fips`,
//! proxies and blue/green names. It asks nobody: DNS is `resolve.rs`, the choice of the signing
//! region is `region.rs`. The forms are those the AWS JDBC driver recognises.

use std::fmt;

use thiserror::Error;

/// A host name that AWS gave to a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdsEndpoint {
    /// The name in lower case, without a trailing dot: what is signed and verified.
    pub name: String,
    /// The region in the name; a global writer endpoint has none.
    pub region: Option<String>,
    /// The part of AWS the region belongs to.
    pub partition: Partition,
    /// What stands behind the name.
    pub kind: EndpointKind,
    /// The side of a blue/green deployment that the name betrays.
    pub deployment: Deployment,
}

/// What a database host name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// One database instance.
    Instance,
    /// The writer of a cluster.
    Cluster,
    /// The readers of a cluster.
    Reader,
    /// A custom endpoint of a cluster.
    Custom,
    /// RDS Proxy; its certificate comes from Amazon's public roots.
    Proxy,
    /// An additional endpoint of RDS Proxy.
    ProxyEndpoint,
    /// An Aurora Limitless shard group.
    ShardGroup,
    /// The writer of a global database; the name carries no region.
    GlobalWriter,
    /// Aurora DSQL: another service name and another action in the token.
    Dsql,
}

/// A group of regions with its own accounts and domain names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The public regions, `aws`.
    Aws,
    /// China, `aws-cn`.
    China,
    /// `aws-us-gov`.
    UsGov,
    /// `aws-iso`: us-iso.
    Iso,
    /// `aws-iso-b`: us-isob.
    IsoB,
    /// `aws-iso-e`: eu-isoe.
    IsoE,
    /// `aws-iso-f`: us-isof.
    IsoF,
    /// The European sovereign cloud, `aws-eusc`.
    EuropeanSovereign,
}

/// The side of a blue/green deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// An ordinary name.
    Plain,
    /// `…-green-xxxxxx`: the side that is being prepared.
    Green,
    /// `…-old1`: the side that was replaced.
    Old,
}

/// The host name is not one that AWS gives to a database.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{host}` is not the host name of an RDS database")]
pub struct NotAnEndpoint {
    /// The name as it was given, shortened to 255 characters.
    pub host: String,
}

impl RdsEndpoint {
    /// Reads a host name, in any case, with or without a trailing dot.
    ///
    /// # Errors
    /// When the name does not follow the grammar; a port or a scheme is no part of a name.
    pub fn parse(host: &str) -> Result<Self, NotAnEndpoint> {
        let name = canonical(host);
        let labels: Vec<&str> = name.split('.').collect();
        let known = if is_host_name(&name, &labels) {
            dsql(&labels).or_else(|| rds(&labels))
        } else {
            None
        };
        let Some((region, kind, first)) = known else {
            return Err(NotAnEndpoint {
                host: host.chars().take(255).collect(),
            });
        };
        let deployment = deployment(first);
        let partition = partition(region, &labels);
        let region = (kind != EndpointKind::GlobalWriter).then(|| region.to_owned());
        Ok(Self {
            region,
            partition,
            kind,
            deployment,
            name,
        })
    }
}

impl RdsEndpoint {
    /// The first label: what the name stands for is called so, but for custom and global endpoints.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// The writer of the cluster whose reader endpoint this is; AWS makes both names of the same parts.
    #[must_use]
    pub fn writer(&self) -> Option<String> {
        let (identifier, rest) = self.name.split_once('.')?;
        let rest = rest.strip_prefix("cluster-ro-")?;
        Some(format!("{identifier}.cluster-{rest}"))
    }

    /// The name that a side of a blue/green deployment has, had, or will have in production.
    #[must_use]
    pub fn in_production(&self) -> Option<String> {
        let (first, rest) = self.name.split_once('.')?;
        let separator = match self.deployment {
            Deployment::Plain => return None,
            Deployment::Green => "-green-",
            Deployment::Old => "-old",
        };
        let (identifier, _) = first.rsplit_once(separator)?;
        Some(format!("{identifier}.{rest}"))
    }

    /// Whether a proxy of RDS answers there.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        matches!(self.kind, EndpointKind::Proxy | EndpointKind::ProxyEndpoint)
    }
}

/// Lower case, without the dot that ends a fully qualified name.
#[must_use]
pub fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn is_host_name(name: &str, labels: &[&str]) -> bool {
    name.len() <= 253
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

type Parts<'a> = (&'a str, EndpointKind, &'a str);

/// `ID.dsql.REGION.on.aws`, also with a suffix after `dsql`.
fn dsql<'a>(labels: &[&'a str]) -> Option<Parts<'a>> {
    let [id, service, region, "on", "aws"] = labels else {
        return None;
    };
    let named = *service == "dsql" || service.starts_with("dsql-");
    (named && is_region(region)).then_some((*region, EndpointKind::Dsql, *id))
}

fn rds<'a>(labels: &[&'a str]) -> Option<Parts<'a>> {
    let rest = strip_domain(labels)?;
    let (rest, region) = match rest {
        [rest @ .., region, "rds" | "rds-fips"] => (rest, *region),
        [rest @ .., "rds" | "rds-fips", region] => (rest, *region),
        _ => return None,
    };
    match rest {
        [name, hash] => {
            let kind = kind_of(hash)?;
            let global = kind == EndpointKind::GlobalWriter;
            let fits = if global {
                region == "global"
            } else {
                is_region(region)
            };
            fits.then_some((region, kind, *name))
        }
        [name, "endpoint", hash] => {
            let proxy = kind_of(hash)? == EndpointKind::Proxy;
            (proxy && is_region(region)).then_some((region, EndpointKind::ProxyEndpoint, *name))
        }
        _ => None,
    }
}

/// Takes the domain of the partition off the end.
fn strip_domain<'l, 'a>(labels: &'l [&'a str]) -> Option<&'l [&'a str]> {
    match labels {
        [rest @ .., "amazonaws", "com" | "eu" | "au" | "uk"]
        | [rest @ .., "amazonaws", "com", "cn"]
        | [rest @ .., "c2s", "ic", "gov"]
        | [rest @ .., "csp", "hci", "ic", "gov"]
        | [rest @ .., "sc2s", "sgov", "gov"]
        | [rest @ .., "cloud", "adc-e", "uk"] => Some(rest),
        _ => None,
    }
}

/// The label before the region: a hash, with a prefix for everything but an instance.
fn kind_of(label: &str) -> Option<EndpointKind> {
    let prefixes = [
        ("cluster-custom-", EndpointKind::Custom),
        ("cluster-ro-", EndpointKind::Reader),
        ("cluster-", EndpointKind::Cluster),
        ("proxy-", EndpointKind::Proxy),
        ("shardgrp-", EndpointKind::ShardGroup),
        ("global-", EndpointKind::GlobalWriter),
    ];
    let (hash, kind) = prefixes
        .iter()
        .find_map(|(prefix, kind)| label.strip_prefix(prefix).map(|hash| (hash, *kind)))
        .unwrap_or((label, EndpointKind::Instance));
    let is_hash = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_hash.then_some(kind)
}

/// `us-east-1`, `us-isob-east-1`: letters, at least two more parts, a number at the end.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return false;
    };
    let letters =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=4).contains(&first.len())
        && letters(first)
        && !middle.is_empty()
        && middle.iter().all(|part| letters(part))
        && (1..=2).contains(&last.len())
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// By the region where it says so, else by the domain.
fn partition(region: &str, labels: &[&str]) -> Partition {
    let of_region = REGIONS
        .iter()
        .find_map(|(prefix, partition)| region.starts_with(prefix).then_some(*partition));
    of_region.unwrap_or(match labels {
        [.., "cn"] => Partition::China,
        [.., "c2s", "ic", "gov"] => Partition::Iso,
        [.., "sc2s", "sgov", "gov"] => Partition::IsoB,
        [.., "adc-e", "uk"] => Partition::IsoE,
        [.., "hci", "ic", "gov"] => Partition::IsoF,
        _ => Partition::Aws,
    })
}

/// Beginnings of the names of regions outside of `aws` (botocore, `partitions.json`).
const REGIONS: [(&str, Partition); 7] = [
    ("cn-", Partition::China),
    ("us-gov-", Partition::UsGov),
    ("us-iso-", Partition::Iso),
    ("us-isob-", Partition::IsoB),
    ("eu-isoe-", Partition::IsoE),
    ("us-isof-", Partition::IsoF),
    ("eusc-", Partition::EuropeanSovereign),
];

/// AWS renames the sides of a blue/green deployment with these endings.
fn deployment(first: &str) -> Deployment {
    let green = first.rsplit_once("-green-").is_some_and(|(_, id)| {
        id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let old = first.rsplit_once("-old").is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if green {
        Deployment::Green
    } else if old {
        Deployment::Old
    } else {
        Deployment::Plain
    }
}

impl Partition {
    /// The partition of a region, by the beginning of its name.
    #[must_use]
    pub fn of_region(region: &str) -> Self {
        partition(region, &[])
    }

    /// The partition's name in ARNs.
    #[must_use]
    pub fn arn_name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::UsGov => "aws-us-gov",
            Self::Iso => "aws-iso",
            Self::IsoB => "aws-iso-b",
            Self::IsoE => "aws-iso-e",
            Self::IsoF => "aws-iso-f",
            Self::EuropeanSovereign => "aws-eusc",
        }
    }

    /// The domain of the partition's service endpoints.
    #[must_use]
    pub fn domain(self) -> &'static str {
        match self {
            Self::Aws | Self::UsGov => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::Iso => "c2s.ic.gov",
            Self::IsoB => "sc2s.sgov.gov",
            Self::IsoE => "cloud.adc-e.uk",
            Self::IsoF => "csp.hci.ic.gov",
            Self::EuropeanSovereign => "amazonaws.eu",
        }
    }
}

impl fmt::Display for RdsEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
